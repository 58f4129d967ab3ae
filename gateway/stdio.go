package gateway

import (
	"context"
	"errors"
	"io"
)

// ServeStdio serves MCP over a pair of streams until in ends or ctx is done. out carries nothing but the protocol.
func (g *Gateway) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	return errors.New("not built")
}
