package gateway

import (
	"encoding/json"
	"time"

	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// Outcome is what a call came to: the one shape that every tool's result has, on success and on failure.
type Outcome struct {
	OK         bool               `json:"ok"`
	StatusCode int                `json:"status_code,omitempty"` // the upstream's HTTP status; left out where no answer came
	Data       json.RawMessage    `json:"data,omitempty"`
	Next       string             `json:"next,omitempty"`
	Truncated  *mapping.Truncated `json:"truncated,omitempty"`
	Sandbox    bool               `json:"sandbox,omitempty"`
	Errors     []Error            `json:"errors,omitempty"`

	// Media are binary answers, which MCP carries as content of their own.
	Media []mapping.Media `json:"-"`
}

// Error is one failure as the model sees it.
type Error struct {
	Code       fault.Code      `json:"code"`
	Message    string          `json:"message"`
	Retryable  bool            `json:"retryable"`
	RetryAfter int             `json:"retry_after,omitempty"` // seconds
	Hint       string          `json:"hint,omitempty"`
	Fields     []fault.Field   `json:"fields,omitempty"`
	Upstream   *fault.Upstream `json:"upstream,omitempty"`
}

// success is the outcome of a call that went well.
func success(result mapping.Result, sandbox bool) *Outcome {
	return &Outcome{
		OK: true, StatusCode: result.Status, Data: result.Data, Next: result.Next, Truncated: result.Truncated,
		Media: result.Media, Sandbox: sandbox,
	}
}

// failure is the outcome of a call that failed. It is the one place where a fault becomes a result; the cause stays
// behind.
func failure(err error, sandbox bool) *Outcome {
	f := fault.From(err)
	outcome := &Outcome{Sandbox: sandbox, Errors: []Error{{
		Code: f.Code, Message: f.Message, Retryable: f.Retryable, RetryAfter: wholeSeconds(f.RetryAfter),
		Hint: f.Hint, Fields: f.Fields, Upstream: f.Upstream,
	}}}
	if f.Upstream != nil {
		outcome.StatusCode = f.Upstream.Status
	}
	return outcome
}

// wholeSeconds rounds up, so that whoever waits that long has waited long enough.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}
