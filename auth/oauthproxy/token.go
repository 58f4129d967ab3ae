package oauthproxy

import "net/http"

// tokens is what issuing and verifying our tokens takes.
type tokens struct{}

func newTokens(Parts) (*tokens, error) { return &tokens{}, nil }

// registerTokens adds /token, /revoke and /jwks.
func (s *Server) registerTokens(*http.ServeMux) {}
