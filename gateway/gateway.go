// Package gateway runs tool calls and serves them over MCP. It knows nothing of yaml.v3, kin-openapi or gojq, holds no
// key material, and never talks to a terminal.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"mcpgate/config"
	"mcpgate/mapping"
	"mcpgate/specs"
)

// Options are what New can do without.
type Options struct {
	Logger  *slog.Logger // nil discards
	Version string       // shown to clients and at /health
	Now     func() time.Time
}

// Gateway is a running gateway. It is safe for concurrent use.
type Gateway struct{}

// Report is what loading found out besides the tools.
type Report struct {
	Problems config.Problems // an operation or document lost each, and what is wrong in gateway.yaml
	Warnings []specs.Warning // oddities of documents
	Withheld map[string]int  // per upstream: operations that expose and exclude keep back
}

// Load reads the documents that cfg names and compiles the tools, without opening anything but the documents.
func Load(ctx context.Context, cfg *config.Config) ([]*mapping.Tool, Report, error) {
	return nil, Report{}, errors.New("not built")
}

// New loads everything and returns a gateway that is ready to serve. One bad document does not keep the others out:
// it is in Report. The error is for what leaves nothing to serve.
func New(ctx context.Context, cfg *config.Config, opts Options) (*Gateway, error) {
	return nil, errors.New("not built")
}

// Report returns what loading found.
func (g *Gateway) Report() Report { return Report{} }

// Tools returns the tools, sorted by name.
func (g *Gateway) Tools() []*mapping.Tool { return nil }

// Handler serves MCP, the health paths and the status page.
func (g *Gateway) Handler() http.Handler { return http.NotFoundHandler() }

// HealthHandler serves the health paths alone.
func (g *Gateway) HealthHandler() http.Handler { return http.NotFoundHandler() }

// AdminHandler serves /debug and the console.
func (g *Gateway) AdminHandler() http.Handler { return http.NotFoundHandler() }

// ServeStdio serves MCP over a pair of streams until in ends or ctx is done. out carries nothing but the protocol.
func (g *Gateway) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	return errors.New("not built")
}

// Call runs one tool, as an MCP client's call would, and returns the result in the shape that faults.md describes.
func (g *Gateway) Call(ctx context.Context, tool string, arguments json.RawMessage) *Outcome {
	return nil
}

// Close ends what New started, after calls under way have ended or ctx is done.
func (g *Gateway) Close(ctx context.Context) error { return nil }
