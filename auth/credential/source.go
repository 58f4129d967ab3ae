// Package credential puts the right credential on an upstream request. It knows nothing of tools, schemas, responses
// or retries.
package credential

import (
	"context"
	"fmt"
	"net/http"

	"mcpgate/config"
)

// Source puts a credential on a request; each attempt of a call asks anew.
type Source interface {
	// Authorize changes req, which belongs to it. An error is a fault.
	Authorize(ctx context.Context, req *http.Request) error
}

// New returns the source for a credential of gateway.yaml. The error names what is missing, for the author.
func New(c config.Credential) (Source, error) {
	switch c.Type {
	case "", "none":
		return none{}, nil
	case "bearer":
		return newBearer(c)
	case "basic":
		return newBasic(c)
	case "api_key":
		return newAPIKey(c)
	}
	return nil, fmt.Errorf("credential type %q is not known; it is none, bearer, basic or api_key", c.Type)
}
