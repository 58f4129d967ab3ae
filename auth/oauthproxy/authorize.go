package oauthproxy

import "net/http"

// flow is what the steps in the browser share: /authorize, consent, the provider's callback.
type flow struct{}

func newFlow(Parts) (*flow, error) { return &flow{}, nil }

// registerFlow adds /authorize, /consent and the provider's callback.
func (s *Server) registerFlow(*http.ServeMux) {}
