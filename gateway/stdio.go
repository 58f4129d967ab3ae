package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcpgate/auth"
)

// ServeStdio serves MCP over a pair of streams until in ends or ctx is done, and then until the calls under way have
// ended or shutdown_grace is over. out carries nothing but the protocol. Where ctx ends it, one read of in is left
// behind: nothing can interrupt it.
func (g *Gateway) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	s := newSession(g, "stdio")
	calls, cancel := context.WithCancel(auth.WithPrincipal(context.WithoutCancel(ctx), auth.Local()))
	defer cancel()
	if err := g.core.RegisterSession(calls, s); err != nil {
		return err
	}
	defer g.core.UnregisterSession(calls, s.id)

	written := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		written <- s.write(func(line []byte) error {
			_, err := out.Write(append(line, '\n'))
			return err
		}, done)
	}()

	lines := make(chan line)
	go readLines(in, int(g.cfg.Server.MaxBody), lines, done)
	err := g.take(ctx, calls, s, lines)

	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(g.cfg.Server.ShutdownGrace))
	defer stop()
	s.finish(grace)
	close(done)
	select {
	case failed := <-written:
		return errors.Join(err, failed)
	case <-time.After(lastWords):
		return errors.Join(err, errors.New("the client did not read its last answers"))
	}
}

// take handles lines until there are no more, out is broken, or ctx is done. The calls' own context outlives ctx.
func (g *Gateway) take(ctx, calls context.Context, s *session, lines <-chan line) error {
	for {
		select {
		case l := <-lines:
			if len(bytes.TrimSpace(l.text)) > 0 {
				s.handle(calls, l.text)
			}
			switch {
			case errors.Is(l.err, errLineTooLong):
				s.reply((&rpcError{code: mcp.INVALID_REQUEST, message: "the message is larger than server.max_body"}).json())
			case errors.Is(l.err, io.EOF):
				return nil
			case l.err != nil:
				return l.err
			}
		case <-s.broken:
			return nil // write has the error
		case <-ctx.Done():
			return nil
		case <-g.stopping.Done():
			return nil
		}
	}
}

// line is one message, or why there is none.
type line struct {
	text []byte
	err  error
}

var errLineTooLong = errors.New("line too long")

// readLines sends the lines of in until it ends or done is closed. A line over limit is skipped, and said so.
func readLines(in io.Reader, limit int, lines chan<- line, done <-chan struct{}) {
	reader := bufio.NewReader(in)
	for {
		l := readLine(reader, limit)
		select {
		case lines <- l:
		case <-done:
			return
		}
		if l.err != nil && !errors.Is(l.err, errLineTooLong) {
			return
		}
	}
}

// readLine reads up to the end of a line; the last one needs none.
func readLine(reader *bufio.Reader, limit int) line {
	var l line
	for {
		part, err := reader.ReadSlice('\n')
		if l.err == nil {
			l.text = append(l.text, part...)
		}
		if limit > 0 && len(l.text) > limit {
			l = line{err: errLineTooLong}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil || l.err != nil && errors.Is(err, io.EOF):
			return l // an end right after a long line is seen by the next read
		default:
			l.err = err
			return l
		}
	}
}
