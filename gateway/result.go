package gateway

import (
	"encoding/json"

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
