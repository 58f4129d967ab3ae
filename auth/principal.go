// Package auth says who is calling. It knows nothing of tools, upstreams or MCP, nor how a token was issued.
package auth

import (
	"context"
	"net/http"
)

// Principal is the caller.
type Principal struct {
	Subject  string   // who: an API key's name, "local" over stdio, "anonymous" with auth.mode none, a stable opaque id with a login
	Issuer   string   // who says so
	ClientID string   // the OAuth client that calls for the person; "" where there is none
	Scopes   []string // what the caller may do
	Claims   map[string]any
	// Login is whose upstream tokens the caller's are: the id of the login that the token was issued from, "local" over stdio,
	// and "" where there is no login.
	Login string
	// Headers of the caller's request, those alone that gateway.yaml passes on to an upstream (credential forward).
	Headers http.Header
}

// Local is the principal over stdio, and the owner of the grants that `mcpgate login` makes.
func Local() *Principal { return &Principal{Subject: "local", Login: "local"} }

// Verifier decides who shows a token. An error is a fault: fault.TokenInvalid or fault.TokenExpired where the token is at
// fault, fault.Unavailable where it could not be judged, which must never be told to a client as a bad token.
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
