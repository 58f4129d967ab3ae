package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"mcpgate/auth/credential"
	"mcpgate/config"
)

// upstream is one API, ready to be called. It is safe for concurrent use.
type upstream struct {
	name        string
	sandbox     bool
	callTimeout time.Duration // of a whole call
	retry       config.Retry
	source      credential.Source
	base        http.RoundTripper // the connection pool, or the sandbox
	log         *slog.Logger
}

// upstreamOptions are what newUpstream can do without.
type upstreamOptions struct {
	Sandbox http.RoundTripper // answers instead of the network
	Logger  *slog.Logger      // nil discards
}

// newUpstream prepares an upstream of cfg; nothing is dialled. The error is the author's: a credential or a
// certificate file that can't be used.
func newUpstream(cfg *config.Config, u *config.Upstream, opts upstreamOptions) (*upstream, error) {
	source, err := credential.New(u.Credential)
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", u.Name, err)
	}
	up := &upstream{
		name: u.Name, sandbox: opts.Sandbox != nil, callTimeout: time.Duration(cfg.Server.CallTimeout),
		retry: u.Retry, source: source, base: opts.Sandbox, log: opts.Logger,
	}
	if up.log == nil {
		up.log = slog.New(slog.DiscardHandler)
	}
	if up.base == nil {
		up.base = http.DefaultTransport.(*http.Transport).Clone()
	}
	return up, nil
}

// close lets go of idle connections. Calls under way go on.
func (u *upstream) close() {
	if pool, ok := u.base.(*http.Transport); ok {
		pool.CloseIdleConnections()
	}
}
