// Package auth says who is calling. It knows nothing of tools, upstreams or MCP, nor how a token was issued.
package auth

import "context"

// Principal is the caller.
type Principal struct {
	Subject string   // who: an API key's name, "local" over stdio, "anonymous" with auth.mode none
	Issuer  string   // who says so
	Scopes  []string // what the caller may do
	Claims  map[string]any
}

// Verifier decides who shows a token. An error is a fault.Authentication.
type Verifier interface {
	Verify(ctx context.Context, token string) (*Principal, error)
}

type principalKey struct{}

// WithPrincipal returns a context that carries the caller.
func WithPrincipal(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns the caller, or nil.
func FromContext(ctx context.Context) *Principal {
	p, _ := ctx.Value(principalKey{}).(*Principal)
	return p
}
