package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcpgate/auth"
)

// stream is a client's end of /sse.
type stream struct {
	testing.TB
	lines    *bufio.Scanner
	messages string // where to POST
	leave    context.CancelFunc
}

// listen opens /sse.
func listen(t testing.TB, server *httptest.Server, headers ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/sse", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	s := &stream{TB: t, lines: bufio.NewScanner(resp.Body), leave: cancel}
	event, data := s.event()
	if event != "endpoint" || !strings.HasPrefix(data, "/messages?sessionId=") {
		t.Fatalf("the first event is %s %s", event, data)
	}
	s.messages = server.URL + data
	return s
}

// event reads one.
func (s *stream) event() (name, data string) {
	s.Helper()
	for s.lines.Scan() {
		key, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch key {
		case "event":
			name = value
		case "data":
			data = value
		case "":
			if name != "" {
				return name, data
			}
		}
	}
	s.Fatalf("the stream ended: %v", s.lines.Err())
	return "", ""
}

// hear reads one message.
func (s *stream) hear() map[string]any {
	s.Helper()
	name, data := s.event()
	var message map[string]any
	if err := json.Unmarshal([]byte(data), &message); err != nil || name != "message" {
		s.Fatalf("%s %s", name, data)
	}
	return message
}

func (s *stream) say(message string, headers ...string) int {
	s.Helper()
	return do(s, http.MethodPost, s.messages, message, append(headers, "Content-Type: application/json")...).status
}

const sseOn = "server: {sse: true}\n"

func TestSSE(t *testing.T) {
	_, server := serve(t, setup{yaml: sseOn})
	s := listen(t, server)
	for _, tt := range []struct {
		message string
		status  int
	}{
		{`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`, 202},
		{`{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202},
		{callGetPet, 202},
		{listings[0].message, 202},
		{`{`, 400}, {`[]`, 400},
	} {
		if got := s.say(tt.message); got != tt.status {
			t.Errorf("%s: %d", tt.message, got)
		}
		switch {
		case strings.Contains(tt.message, "initialize\""):
			if got := s.hear()["result"].(map[string]any)["protocolVersion"]; got != "2024-11-05" {
				t.Errorf("initialize: %v", got)
			}
		case strings.Contains(tt.message, "tools/call"):
			if got := s.hear()["result"].(map[string]any)["structuredContent"].(map[string]any)["ok"]; got != true {
				t.Errorf("tools/call: %v", got)
			}
		case strings.Contains(tt.message, "tools/list"):
			if got := s.hear()["result"].(map[string]any)["tools"].([]any); len(got) != 3 {
				t.Errorf("tools/list: %v", got)
			}
		}
	}
	if got := do(t, http.MethodPost, server.URL+"/sse", callGetPet); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST /sse: %d", got.status)
	}
	if got := do(t, http.MethodGet, s.messages, ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET /messages: %d", got.status)
	}
	if got := do(t, http.MethodPost, server.URL+"/messages?sessionId=guessed", callGetPet); got.status != http.StatusNotFound {
		t.Errorf("a session that isn't: %d", got.status)
	}
}

// mcp-go's own SSE would go on with the call.
func TestSSECallsEndWithTheStream(t *testing.T) {
	upstream := newHanging()
	_, server := serve(t, setup{yaml: sseOn, upstream: upstream})
	s := listen(t, server)
	s.say(callGetPet)
	within(t, upstream.called, "the call")
	s.leave()
	within(t, upstream.gone, "the call ends")
}

// Two clients may use the same request id, and one's cancellation is not the other's.
func TestSSECancellationStaysInItsSession(t *testing.T) {
	upstream := newHanging()
	_, server := serve(t, setup{yaml: sseOn, upstream: upstream})
	one, two := listen(t, server), listen(t, server)
	one.say(callGetPet)
	within(t, upstream.called, "the call")
	two.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	two.say(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	two.hear()
	close(upstream.release)
	if got := one.hear()["result"].(map[string]any)["structuredContent"].(map[string]any)["ok"]; got != true {
		t.Errorf("%v", got)
	}
}

// R104: a session belongs to who opened it.
func TestSSESessionBelongsToItsCaller(t *testing.T) {
	two := strings.Replace(keys, "keys: [", "keys: [{name: other, sha256: 2ee8f88a3ea5a39d8ed3f0c0c8f3a7bd4bcf2d2bd6bf4b4f3d0c6d1d6a1f9a5e}, ", 1)
	g, server := serve(t, setup{yaml: two + sseOn})
	s := listen(t, server, "X-API-Key: sesame")
	if got := s.say(callGetPet, "X-API-Key: sesame"); got != http.StatusAccepted {
		t.Errorf("the owner: %d", got)
	}
	sse := newSSE(g)
	sse.add(sseSession{session: newSession(g, "s"), owner: "api_key\x00ci"})
	if _, ok := sse.find("s", "api_key\x00other"); ok {
		t.Error("another caller found the session")
	}
	if _, ok := sse.find("s", "api_key\x00ci"); !ok {
		t.Error("the owner did not find it")
	}
	if got := s.say(callGetPet); got != http.StatusUnauthorized {
		t.Errorf("nobody: %d", got)
	}
}

// Streams end with the gateway, but not before they have answered.
func TestSSEEndsWithTheGateway(t *testing.T) {
	upstream := newHanging()
	g, server := serve(t, setup{yaml: sseOn, upstream: upstream})
	busy, idle := listen(t, server), listen(t, server)
	busy.say(callGetPet)
	within(t, upstream.called, "the call")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- g.Close(ctx) }()
	if idle.lines.Scan() {
		t.Errorf("the idle stream says %s", idle.lines.Text())
	}
	close(upstream.release)
	if got := busy.hear(); got["result"] == nil {
		t.Errorf("%v", got)
	}
	if busy.lines.Scan() {
		t.Errorf("after it: %s", busy.lines.Text())
	}
	if err := within(t, closed, "Close"); err != nil {
		t.Error(err)
	}
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

func TestSSEBehindAPrefix(t *testing.T) {
	g := newGateway(t, setup{yaml: "server: {sse: true, public_url: 'https://mcp.example.com/gw/'}\n"})
	if got := newSSE(g).prefix; got != "/gw" {
		t.Errorf("%q", got)
	}
}

// deaf is a client that took the first event and no other; the connection stays open.
type deaf struct {
	http.ResponseWriter
	endpoint chan string
}

func (d deaf) Write(text []byte) (int, error) {
	if id, ok := bytes.CutPrefix(text, []byte("event: endpoint\ndata: /messages?sessionId=")); ok {
		d.endpoint <- string(bytes.TrimSpace(id))
		return len(text), nil
	}
	return 0, errors.New("nobody listens")
}

func (deaf) Flush() {}

// A stream that can't be written to is given up, and its calls with it, though nobody says that the client is gone.
func TestSSEStreamThatCannotBeWritten(t *testing.T) {
	upstream := newHanging()
	g := newGateway(t, setup{yaml: sseOn, upstream: upstream})
	s := newSSE(g)
	client := deaf{httptest.NewRecorder(), make(chan string, 1)}
	ended := make(chan struct{})
	ctx := auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "anonymous"})
	go func() {
		defer close(ended)
		s.serveStream(client, httptest.NewRequest(http.MethodGet, "/sse", nil).WithContext(ctx))
	}()
	session, ok := s.find(within(t, client.endpoint, "the first event"), owner(ctx))
	if !ok {
		t.Fatal("no session")
	}
	session.handle(session.ctx, []byte(callGetPet))
	within(t, upstream.called, "the call")
	session.handle(session.ctx, []byte(`{"jsonrpc":"2.0","id":2,"method":"ping"}`))
	within(t, upstream.gone, "the call ends")
	within(t, ended, "the stream ends")
}
