// Package sandbox answers for an upstream from its document, statefully and in memory. It knows nothing of MCP, auth
// or gateway.
package sandbox

import (
	"errors"
	"net/http"

	"mcpgate/mapping"
	"mcpgate/specs"
)

// Sandbox is an http.RoundTripper that stands in for one upstream. It is safe for concurrent use.
type Sandbox struct{}

// New returns a sandbox for an upstream's documents. tools are the upstream's: they say which endpoints take a query
// language, and what an upstream without a document offers.
func New(documents []*specs.Document, tools []*mapping.Tool) *Sandbox { return &Sandbox{} }

// RoundTrip answers one request. The host of the URL does not matter.
func (s *Sandbox) RoundTrip(req *http.Request) (*http.Response, error) {
	return nil, errors.New("not built")
}
