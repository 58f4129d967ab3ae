package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const callGetPet = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getPet","arguments":{"id":1}}}`

// hanging is an upstream that says when it is called, and answers when it is let go. gone is closed when the gateway
// has given up on it.
type hanging struct {
	called, release, gone chan struct{}
}

func newHanging() hanging {
	return hanging{make(chan struct{}, 100), make(chan struct{}), make(chan struct{}, 100)}
}

func (h hanging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.called <- struct{}{}
	select {
	case <-h.release:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":1,"name":"Rex"}`)
	case <-r.Context().Done():
		h.gone <- struct{}{}
	}
}

// within fails the test where ch has nothing to say for long: tests don't hang.
func within[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}

// Row: without sessions one client's notifications/cancelled cancels another's call with the same request id.
func TestCancellationDoesNotReachAnotherClient(t *testing.T) {
	upstream := newHanging()
	_, server := serve(t, setup{upstream: upstream})
	answers := make(chan answer, 1)
	go func() { answers <- post(t, server, callGetPet) }()
	within(t, upstream.called, "the call")

	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	if got := post(t, server, cancel); got.status != http.StatusAccepted || got.body != "" {
		t.Errorf("a cancellation: %d %q, want 202 and nothing", got.status, got.body)
	}
	modernCancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,` + modern + `}}`
	if got := postModern(t, server, "notifications/cancelled", "", modernCancel); got.status != http.StatusAccepted {
		t.Errorf("a cancellation of 2026-07-28: %d %q, want 202", got.status, got.body)
	}
	close(upstream.release)
	if got := outcomeOf(t, within(t, answers, "the answer").result(t)); !got.OK {
		t.Errorf("the other client's call was cancelled: %+v", got)
	}
}

// outcomeOf reads the outcome in a tools/call's result, and checks that text and structured content say the same.
func outcomeOf(t testing.TB, result json.RawMessage) Outcome {
	t.Helper()
	var r struct {
		Content           []struct{ Type, Text string } `json:"content"`
		StructuredContent json.RawMessage               `json:"structuredContent"`
		IsError           bool                          `json:"isError"`
	}
	if err := json.Unmarshal(result, &r); err != nil || len(r.Content) == 0 {
		t.Fatalf("not a tool result: %s", result)
	}
	var structured, text any
	if json.Unmarshal(r.StructuredContent, &structured) != nil || json.Unmarshal([]byte(r.Content[0].Text), &text) != nil {
		t.Fatalf("not JSON twice: %s", result)
	}
	if diff := cmp.Diff(structured, text); diff != "" {
		t.Errorf("text and structured content differ:\n%s", diff)
	}
	var outcome Outcome
	if err := json.Unmarshal(r.StructuredContent, &outcome); err != nil {
		t.Fatal(err)
	}
	if outcome.OK == r.IsError {
		t.Errorf("ok is %v and isError is %v", outcome.OK, r.IsError)
	}
	return outcome
}

// Row: closing the stream is the cancellation, and it works.
func TestClientThatGoesAwayCancelsTheUpstreamRequest(t *testing.T) {
	upstream := newHanging()
	_, server := serve(t, setup{upstream: upstream})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		within(t, upstream.called, "the call")
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/mcp", strings.NewReader(callGetPet))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("the request was answered")
	}
	within(t, upstream.gone, "the upstream's request ends with the client's")
}

// Row: in legacy stateless mode a GET stream receives other users' progress notifications.
func TestThereIsNoGETStreamAndNoSessionToDelete(t *testing.T) {
	_, server := serve(t, setup{})
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut, http.MethodHead} {
		for _, version := range []string{"2025-11-25", "2026-07-28"} {
			got := do(t, method, server.URL+"/mcp", "", "Accept: text/event-stream", "MCP-Protocol-Version: "+version, "Mcp-Session-Id: abc")
			if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST, OPTIONS" {
				t.Errorf("%s with %s: %d, Allow %q", method, version, got.status, got.header.Get("Allow"))
			}
		}
	}
}

// Row: a legacy session costs memory, is never freed, and belongs to no user. There are none.
func TestNoSessionIsMadeOrEchoed(t *testing.T) {
	_, server := serve(t, setup{})
	initialize := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	for _, message := range []string{initialize, callGetPet} {
		if got := post(t, server, message, "Mcp-Session-Id: of-somebody-else"); got.status != http.StatusOK || got.header.Get("Mcp-Session-Id") != "" {
			t.Errorf("%d with session %q for %s", got.status, got.header.Get("Mcp-Session-Id"), message)
		}
	}
}

// Row: no body limit (64 MiB was accepted).
func TestBodyLimit(t *testing.T) {
	_, server := serve(t, setup{yaml: "server: {max_body: 1KiB}\n"})
	large := strings.Replace(callGetPet, `"id":1}`, `"id":1,"x":"`+strings.Repeat("x", 2000)+`"}`, 1)
	if got := post(t, server, large); got.status != http.StatusRequestEntityTooLarge || !json.Valid([]byte(got.body)) {
		t.Errorf("with a length: %d %s", got.status, got.body)
	}
	// Chunked: the length is not known before. The body never ends, so an answer shows that it was not read whole.
	reader, writer := io.Pipe()
	go func() {
		for {
			if _, err := io.WriteString(writer, strings.Repeat("x", 512)); err != nil {
				return
			}
		}
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/mcp", reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked: %d", resp.StatusCode)
	}
	if got := post(t, server, callGetPet); got.status != http.StatusOK {
		t.Errorf("within the limit: %d", got.status)
	}
}

func TestMessagesThatAreNone(t *testing.T) {
	_, server := serve(t, setup{})
	tests := []struct {
		name, body string
		code       int
	}{
		{"nothing", ``, -32700},
		{"broken off", `{"jsonrpc":"2.0","id":1,`, -32700},
		{"two messages", `{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}`, -32700},
		{"a batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, -32600},
		{"an empty batch", `[]`, -32600},
		{"a number", `7`, -32600},
		{"null", `null`, -32600},
		{"a text", `"ping"`, -32600},
		{"another version", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, -32600},
		{"an object as id", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, -32600},
		{"null as id", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, -32600},
		{"true as id", `{"jsonrpc":"2.0","id":true,"method":"ping"}`, -32600},
		{"a number as method", `{"jsonrpc":"2.0","id":1,"method":7}`, -32600},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := post(t, server, tt.body)
			var response struct {
				JSONRPC string
				Error   struct {
					Code    int
					Message string
				}
			}
			if err := json.Unmarshal([]byte(got.body), &response); err != nil {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if got.status != http.StatusBadRequest || response.JSONRPC != "2.0" || response.Error.Code != tt.code || response.Error.Message == "" {
				t.Errorf("got %d %s, want 400 and code %d", got.status, got.body, tt.code)
			}
		})
	}
}

func TestContentTypes(t *testing.T) {
	_, server := serve(t, setup{})
	tests := []struct {
		contentType string
		want        int
	}{
		{"application/json", 200}, {"application/json; charset=utf-8", 200}, {"Application/JSON;charset=UTF-8", 200},
		{"application/json-rpc", 200}, {"application/vnd.api+json", 200}, {"", 200},
		{"text/plain", 415}, {"application/x-www-form-urlencoded", 415}, {"multipart/form-data; boundary=x", 415}, {";", 415},
	}
	for _, tt := range tests {
		var headers []string
		if tt.contentType != "" {
			headers = []string{"Content-Type: " + tt.contentType}
		}
		if got := do(t, http.MethodPost, server.URL+"/mcp", callGetPet, headers...); got.status != tt.want {
			t.Errorf("%q: %d, want %d", tt.contentType, got.status, tt.want)
		}
	}
	if got := post(t, server, callGetPet, "Content-Encoding: gzip"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("compressed: %d", got.status)
	}
}

// A client that doesn't take event streams gets none, though it asked for progress.
func TestAcceptDecidesAboutStreams(t *testing.T) {
	_, server := serve(t, setup{})
	call := strings.Replace(callGetPet, `"arguments"`, `"_meta":{"progressToken":"p"},"arguments"`, 1)
	tests := []struct {
		accept string
		want   string
	}{
		{"application/json, text/event-stream", "text/event-stream"}, {"text/event-stream", "text/event-stream"},
		{"*/*", "text/event-stream"}, {"text/*;q=0.5", "text/event-stream"}, {"", "text/event-stream"},
		{"application/json", "application/json"}, {"application/json, text/event-stream; q=0", "application/json"},
	}
	for _, tt := range tests {
		headers := []string{"Content-Type: application/json"}
		if tt.accept != "" {
			headers = append(headers, "Accept: "+tt.accept)
		}
		if got := do(t, http.MethodPost, server.URL+"/mcp", call, headers...); got.header.Get("Content-Type") != tt.want {
			t.Errorf("Accept %q: %s", tt.accept, got.header.Get("Content-Type"))
		}
	}
}

// Both revisions work on one endpoint, at the same time.
func TestBothRevisionsOnOneEndpoint(t *testing.T) {
	_, server := serve(t, setup{yaml: "instructions: Ask first.\n", options: Options{Version: "1.2.3"}})
	legacy := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
	var initialized struct {
		ProtocolVersion string
		Instructions    string
		ServerInfo      struct{ Name, Title, Version string }
	}
	if err := json.Unmarshal(legacy.result(t), &initialized); err != nil {
		t.Fatal(err)
	}
	if initialized.ProtocolVersion != "2025-11-25" || initialized.Instructions != "Ask first." ||
		initialized.ServerInfo != (struct{ Name, Title, Version string }{"pets", "pets", "1.2.3"}) {
		t.Errorf("initialize: %s", legacy.body)
	}
	discovered := postModern(t, server, "server/discover", "", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{`+modern+`}}`)
	if body := discovered.body; !strings.Contains(body, `"2026-07-28"`) || !strings.Contains(body, "Ask first.") || !strings.Contains(body, `"resultType":"complete"`) {
		t.Errorf("server/discover: %d %s", discovered.status, body)
	}
	called := postModern(t, server, "tools/call", "getPet",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getPet","arguments":{"id":1},`+modern+`}}`)
	if got := outcomeOf(t, called.result(t)); string(got.Data) != `{"id":1,"name":"Rex"}` {
		t.Errorf("tools/call of 2026-07-28: %s", called.body)
	}
	if got := outcomeOf(t, post(t, server, callGetPet).result(t)); string(got.Data) != `{"id":1,"name":"Rex"}` {
		t.Errorf("tools/call of 2025-11-25: %+v", got)
	}
	if got := post(t, server, `{"jsonrpc":"2.0","method":"notifications/initialized"}`); got.status != http.StatusAccepted {
		t.Errorf("notifications/initialized: %d", got.status)
	}
	if got := post(t, server, callGetPet, "MCP-Protocol-Version: 1999-01-01"); got.status != http.StatusBadRequest {
		t.Errorf("a version nobody knows: %d", got.status)
	}
}

// Row: -32021 and its kin are answered by status where 2026-07-28 says so.
func TestHeadersOf20260728HaveToMatch(t *testing.T) {
	_, server := serve(t, setup{})
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getPet","arguments":{"id":1},` + modern + `}}`
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + modern + `}}`
	tests := []struct {
		name, message string
		headers       []string
	}{
		{"another tool in Mcp-Name", call, []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: createPet"}},
		{"another method", list, []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call"}},
		{"no method", list, []string{"MCP-Protocol-Version: 2026-07-28"}},
		{"no version header", list, []string{"Mcp-Method: tools/list"}},
		{"another version in the header", list, []string{"MCP-Protocol-Version: 2025-11-25", "Mcp-Method: tools/list"}},
		{"Last-Event-ID", list, []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/list", "Last-Event-ID: 7"}},
	}
	for _, tt := range tests {
		if got := post(t, server, tt.message, tt.headers...); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"error"`) {
			t.Errorf("%s: %d %s", tt.name, got.status, got.body)
		}
	}
}

// Row: Shutdown waits to its deadline while a subscriptions/listen is open.
func TestListenHearsOfChangesAndEndsWithTheGateway(t *testing.T) {
	g, server := serve(t, setup{})
	body := `{"jsonrpc":"2.0","id":"l","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + modern + `}}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	acknowledged := false
	for lines.Scan() && !acknowledged {
		acknowledged = strings.Contains(lines.Text(), "subscriptions/acknowledged")
	}
	if !acknowledged {
		t.Fatal("the listen was not acknowledged")
	}
	publishing(t, g, handMade("tool", `{"type":"object"}`))
	changed := false
	for !changed && lines.Scan() {
		changed = strings.Contains(lines.Text(), "notifications/tools/list_changed")
	}
	if !changed {
		t.Fatal("the listen heard of no change")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := g.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("the HTTP server still waits: %v", err)
	}
}

// 100 calls at once, every third of which is given up, do not disturb each other.
func TestManyCallsAtOnce(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"path":%q}`, r.URL.Path)
	})
	_, server := serve(t, setup{upstream: upstream})
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			message := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getPet","arguments":{"id":%d},"_meta":{"progressToken":%d}}}`, i, i)
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/mcp", strings.NewReader(message))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			if i%3 == 0 {
				go cancel()
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				if i%3 != 0 {
					t.Error(err)
				}
				return
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if i%3 != 0 && !strings.Contains(string(body), fmt.Sprintf(`/pets/%d\"`, i)) {
				t.Errorf("call %d got another's answer: %s", i, body)
			}
		})
	}
	calls.Wait()
}

// A handler behind the edge that panics tells the client nothing.
func TestPanicOfAHandlerStaysInside(t *testing.T) {
	g := newGateway(t, setup{})
	recorder := httptest.NewRecorder()
	g.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })).
		ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	if recorder.Code != http.StatusInternalServerError || strings.Contains(recorder.Body.String(), "secret") {
		t.Errorf("%d %s", recorder.Code, recorder.Body)
	}
}

// A body that says that it is too large is refused before a byte of it is here.
func TestDeclaredLengthIsRefusedUnread(t *testing.T) {
	_, server := serve(t, setup{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", resp.StatusCode)
	}
}

// What mcp-go gets is what every client means: JSON, and no session of anybody's.
func TestMCPGoSeesNoSessionAndOneContentType(t *testing.T) {
	e := newEdge(newGateway(t, setup{}))
	var seen http.Header
	e.next = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header })
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(callGetPet))
	r.Header.Set("Mcp-Session-Id", "of-somebody-else")
	r.Header.Set("Content-Type", "application/vnd.x+json")
	e.ServeHTTP(httptest.NewRecorder(), r)
	if seen == nil || seen.Get("Mcp-Session-Id") != "" || seen.Get("Content-Type") != "application/json" {
		t.Errorf("%v", seen)
	}
}
