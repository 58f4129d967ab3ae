package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

// forward passes headers of the caller's own request on: those that gateway.yaml names, which are all that a Principal has.
type forward struct{ names []string }

func newForward(c config.Credential) (Source, error) {
	if len(c.Headers) == 0 {
		return nil, errors.New("a forward credential needs headers")
	}
	return forward{c.Headers}, nil
}

// Authorize copies the headers. One that the caller did not send fails the call: without it the API would see somebody else, or nobody.
func (f forward) Authorize(ctx context.Context, req *http.Request) error {
	var sent http.Header
	if p := auth.FromContext(ctx); p != nil {
		sent = p.Headers
	}
	var missing []string
	for _, name := range f.names {
		values := sent.Values(name)
		if len(values) == 0 {
			missing = append(missing, name)
		}
		req.Header.Del(name)
		for _, value := range values {
			req.Header.Add(name, value)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	told := fault.New(fault.Authentication, fmt.Sprintf("this API needs the client to send %s, and it did not", strings.Join(missing, ", ")), nil)
	told.Hint = "set the header in the client's configuration of this server; over stdio there are no headers"
	return told
}
