package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mcpgate/config"
	"mcpgate/mapping"
)

// lab is one upstream, called without MCP around it.
type lab struct {
	*testing.T
	upstream *upstream
	tools    map[string]*mapping.Tool
	log      *syncBuffer
}

// labTools are the tools of most tests: a read, a write, and a write that may be repeated.
const labTools = `
    tools:
      read: {request: "GET /things/{id}", description: Reads., arguments: {id: {in: path}, q: {in: query}}}
      write: {request: POST /things, description: Writes., arguments: {name: {in: body}}}
      ask: {request: POST /query, description: Asks., idempotent: true, arguments: {q: {in: body}}}
`

// newLab loads a gateway.yaml whose one upstream is called up. lines are put under it, one that
// begins with / at the top; BASE in them is the URL of a real server with handler.
func newLab(t *testing.T, handler http.Handler, lines ...string) *lab {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return newLabAt(t, server.URL, lines...)
}

// newLabAt is newLab for a server that is there already.
func newLabAt(t *testing.T, base string, lines ...string) *lab {
	t.Helper()
	text := "upstreams:\n  up:\n    base_url: BASE\n    expose: none\n"
	for _, line := range lines {
		if top, ok := strings.CutPrefix(line, "/"); ok {
			text = top + "\n" + text
		} else {
			text += "    " + line + "\n"
		}
	}
	text += labTools
	return loadLab(t, strings.ReplaceAll(text, "BASE", base))
}

func loadLab(t *testing.T, text string) *lab {
	t.Helper()
	return labOf(t, loadConfig(t, text))
}

func labOf(t *testing.T, cfg *config.Config) *lab {
	t.Helper()
	l := &lab{T: t, tools: map[string]*mapping.Tool{}, log: &syncBuffer{}}
	tools, problems := mapping.Compile(cfg, nil)
	for _, problem := range problems {
		t.Fatalf("%s: %s", problem.Path, problem.Message)
	}
	for _, tool := range tools {
		l.tools[tool.Name] = tool
	}
	logger := slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	upstream, err := newUpstream(cfg, cfg.Upstreams["up"], upstreamOptions{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(upstream.close)
	l.upstream = upstream
	return l
}

func loadConfig(t testing.TB, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// call runs a tool with arguments in JSON.
func (l *lab) call(tool, arguments string) *Outcome {
	l.Helper()
	return l.callContext(l.Context(), tool, arguments)
}

func (l *lab) callContext(ctx context.Context, tool, arguments string) *Outcome {
	l.Helper()
	compiled, ok := l.tools[tool]
	if !ok {
		l.Fatalf("no tool %q", tool)
	}
	return l.upstream.call(ctx, compiled, json.RawMessage(arguments))
}

// failed asserts that a call failed with one error, and returns that.
func (l *lab) failed(outcome *Outcome) Error {
	l.Helper()
	if outcome.OK || len(outcome.Errors) != 1 {
		l.Fatalf("the outcome is %s", asJSON(l.T, outcome))
	}
	return outcome.Errors[0]
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// syncBuffer collects a log that several goroutines write.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// inMemory serves handler on pipes instead of sockets, for tests in a bubble whose clock is fake, and makes the lab's
// upstream use it. Only in a bubble of testing/synctest: everything is closed at its end.
func (l *lab) inMemory(handler http.Handler) {
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ErrorLog: discardLog}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	transport := &http.Transport{DialContext: listener.dial}
	l.upstream.base = transport
	l.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	})
}

// pipeListener accepts connections that are pipes.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (p *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.closed:
	case <-ctx.Done():
	}
	return nil, io.ErrClosedPipe
}

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// discardLog is for servers whose complaints are meant to happen.
var discardLog = slog.NewLogLogger(slog.DiscardHandler, 0)
