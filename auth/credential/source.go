// Package credential puts the right credential on an upstream request. It knows nothing of tools, schemas, responses
// or retries.
package credential

import (
	"context"
	"errors"
	"net/http"

	"mcpgate/config"
)

// Source puts a credential on a request; each attempt of a call asks anew.
type Source interface {
	Authorize(ctx context.Context, req *http.Request) error
}

// New returns the source for a credential of gateway.yaml.
func New(c config.Credential) (Source, error) { return nil, errors.New("not built") }
