package oauthproxy

import (
	"context"

	"mcpgate/auth"
)

// Verify says who shows one of our access tokens (auth.Verifier): signature, type, issuer, audience and time, then whether the login
// still stands, which is looked up at most every 5 s.
func (s *Server) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	return nil, errNotBuilt
}
