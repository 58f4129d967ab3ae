package gateway

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// upstream is one API, ready to be called. It is safe for concurrent use.
type upstream struct{}

// upstreamOptions are what newUpstream can do without.
type upstreamOptions struct {
	Sandbox http.RoundTripper // answers instead of the network
	Logger  *slog.Logger      // nil discards
}

// newUpstream prepares an upstream of cfg; nothing is dialled.
func newUpstream(cfg *config.Config, u *config.Upstream, opts upstreamOptions) (*upstream, error) {
	return &upstream{}, nil
}

// call runs a tool of this upstream: arguments, request, answer, result. It never returns nil.
func (u *upstream) call(ctx context.Context, tool *mapping.Tool, raw json.RawMessage) *Outcome {
	return &Outcome{Errors: []Error{{Code: fault.Internal, Message: "not built"}}}
}

// close lets go of idle connections. Calls under way go on.
func (u *upstream) close() {}
