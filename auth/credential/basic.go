package credential

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"mcpgate/config"
)

// basic shows a username and a password (RFC 7617). Either may be empty: many APIs take a key as one of them.
type basic struct{ username, password config.Secret }

func newBasic(c config.Credential) (Source, error) {
	if c.Username.IsZero() && c.Password.IsZero() {
		return nil, errors.New("a basic credential needs a username or a password")
	}
	// RFC 7617 section 2: the first colon ends the username.
	if strings.Contains(c.Username.Reveal(), ":") {
		return nil, errors.New("the username of a basic credential can't contain a colon")
	}
	return basic{c.Username, c.Password}, nil
}

// Authorize sets the Authorization header.
func (b basic) Authorize(_ context.Context, req *http.Request) error {
	req.SetBasicAuth(b.username.Reveal(), b.password.Reveal())
	return nil
}
