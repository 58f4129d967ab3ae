package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"mcpgate/internal/fault"
	"mcpgate/internal/telemetry"
	"mcpgate/mapping"
)

// Outcome is what a call came to: the one shape that every tool's result has, on success and on failure.
type Outcome struct {
	OK         bool               `json:"ok"`
	StatusCode int                `json:"status_code,omitempty"` // the upstream's HTTP status; left out where no answer came
	Data       json.RawMessage    `json:"data,omitempty"`
	Next       string             `json:"next,omitempty"`
	Note       string             `json:"note,omitempty"` // about Data
	Truncated  *mapping.Truncated `json:"truncated,omitempty"`
	Sandbox    bool               `json:"sandbox,omitempty"`
	Errors     []Error            `json:"errors,omitempty"`

	// Tool is the tool that was called: with call_tool, the one behind it. Empty where none was.
	Tool string `json:"-"`
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
func success(result mapping.Result, next string) *Outcome {
	return &Outcome{
		OK: true, StatusCode: result.Status, Data: result.Data, Next: next, Note: result.Note,
		Truncated: result.Truncated, Media: result.Media,
	}
}

// failure is the outcome of a call that failed. It is the one place where a fault becomes a result: the cause stays
// behind, and of a defect of ours nothing is told but the call's id, to find it in the log.
func failure(err error, id string) *Outcome {
	f := fault.From(err)
	if fault.Internal.Contains(f.Code) {
		return &Outcome{Errors: []Error{{
			Code:    fault.Internal,
			Message: fmt.Sprintf("the gateway failed; its operator finds the reason in the log as call %s", id),
		}}}
	}
	outcome := &Outcome{}
	for _, each := range append([]*fault.Fault{f}, f.More...) {
		outcome.Errors = append(outcome.Errors, Error{
			Code: each.Code, Message: each.Message, Retryable: each.Retryable, RetryAfter: wholeSeconds(each.RetryAfter),
			Hint: each.Hint, Fields: each.Fields, Upstream: each.Upstream,
		})
	}
	if f.Upstream != nil {
		outcome.StatusCode = f.Upstream.Status
	}
	return outcome
}

// mask takes out the secrets that an upstream repeated: some echo the request, some quote a key that they refuse. Next is
// sealed.
func (o *Outcome) mask(secrets *telemetry.Masker) {
	if data, found := secrets.Bytes(o.Data); found {
		if o.Data = data; !json.Valid(data) { // a secret of digits stood there as a number
			o.Data, _ = json.Marshal(string(data)) // a string always can be
		}
	}
	for i := range o.Errors {
		e := &o.Errors[i]
		e.Message, e.Hint = secrets.Text(e.Message), secrets.Text(e.Hint)
		e.Fields = slices.Clone(e.Fields) // the fault's own, which may be another call's, too
		for j := range e.Fields {
			f := &e.Fields[j]
			f.Path, f.Message = secrets.Text(f.Path), secrets.Text(f.Message)
		}
		if u := e.Upstream; u != nil {
			e.Upstream = &fault.Upstream{Status: u.Status, Code: secrets.Text(u.Code), RequestID: secrets.Text(u.RequestID)}
		}
	}
}

// wholeSeconds rounds up, so that whoever waits that long has waited long enough.
func wholeSeconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}
