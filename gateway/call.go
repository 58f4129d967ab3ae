package gateway

import (
	"context"
	"encoding/json"

	"mcpgate/internal/fault"
)

// Call runs one tool, as an MCP client's call would, and returns the result in the shape that faults.md describes.
func (g *Gateway) Call(ctx context.Context, tool string, arguments json.RawMessage) *Outcome {
	return &Outcome{Errors: []Error{{Code: fault.Internal, Message: "not built"}}}
}
