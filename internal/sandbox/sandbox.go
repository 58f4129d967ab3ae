// Package sandbox answers for an upstream from its document, statefully and in memory. It knows nothing of MCP, auth
// or gateway.
package sandbox

import (
	"net/http"
	"sync"
	"time"

	"mcpgate/mapping"
	"mcpgate/specs"
)

// What a sandbox holds at most, over all of its collections, and takes in one request.
const (
	maxRecords = 10_000
	maxHeld    = 64 << 20 // bytes, as they were sent
	maxBody    = 4 << 20  // bytes
)

// Sandbox is an http.RoundTripper that stands in for one upstream. It is safe for concurrent use.
type Sandbox struct {
	endpoints   []*endpoint // immutable after New
	collections []*collection
	now         func() time.Time

	mu      sync.Mutex // guards what follows, and the collections' records
	singles map[string]any
	count   int // records
	held    int // bytes
}

// New returns a sandbox for an upstream's documents. tools are the upstream's: they say which endpoints take a query
// language, and what an upstream without a document offers.
func New(documents []*specs.Document, tools []*mapping.Tool) *Sandbox {
	s := &Sandbox{now: time.Now, singles: map[string]any{}}
	s.compile(documents, tools)
	for _, c := range s.collections {
		s.seed(c)
	}
	return s
}

// RoundTrip answers one request. The host of the URL does not matter. The error is the context's, or that of reading
// the body.
func (s *Sandbox) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	sent, tooLarge, err := readBody(req)
	if err != nil {
		return nil, err
	}
	e, values, allowed := s.route(req.Method, requestPath(req.URL))
	if e == nil {
		return s.unknown(req, allowed), nil
	}
	c := &call{sandbox: s, endpoint: e, request: req, sent: sent}
	if tooLarge {
		return c.response(c.fail(problem{status: http.StatusRequestEntityTooLarge, code: "REQUEST_TOO_LARGE", message: "The sandbox takes bodies of 4 MiB at most."})), nil
	}
	c.place(values)
	a := c.locked()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.response(a), nil
}
