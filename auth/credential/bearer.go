package credential

import (
	"context"
	"errors"
	"net/http"

	"mcpgate/config"
)

// bearer shows a token that does not change (RFC 6750 section 2.1).
type bearer struct{ token config.Secret }

func newBearer(c config.Credential) (Source, error) {
	if c.Token.IsZero() {
		return nil, errors.New("a bearer credential needs a token")
	}
	if err := checkHeaderValue("token", c.Token); err != nil {
		return nil, err
	}
	return bearer{c.Token}, nil
}

// Authorize sets the Authorization header.
func (b bearer) Authorize(_ context.Context, req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+b.token.Reveal())
	return nil
}
