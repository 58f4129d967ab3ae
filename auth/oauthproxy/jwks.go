package oauthproxy

import (
	"encoding/json"
	"net/http"
)

// serveKeys publishes the keys that verify our access tokens (RFC 7517): those of every secret in the ring, so that a new one is known before it
// signs. Nobody but this gateway has to verify them; the time is short so that a rotation is seen soon.
func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) error {
	body, err := json.Marshal(s.tokens.keys.set)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(append(body, '\n'))
	return nil
}
