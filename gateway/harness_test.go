package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpgate/config"
)

// petstore offers what the tests call: one path that answers what the fake upstream is told to.
const petstore = `openapi: 3.1.0
info: {title: Pets, version: "1"}
paths:
  /pets/{id}:
    get:
      operationId: getPet
      summary: Get a pet
      description: Returns one pet by its id.
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses: {"200": {description: a pet, content: {application/json: {schema: {type: object}}}}}
  /pets:
    get:
      operationId: listPets
      summary: List pets
      parameters:
        - {name: limit, in: query, schema: {type: integer, maximum: 100}}
      responses: {"200": {description: pets, content: {application/json: {schema: {type: array}}}}}
    post:
      operationId: createPet
      summary: Create a pet
      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses: {"201": {description: created}}
`

// patience bounds what a test waits for: long, for a machine that has much else to do. Nothing that is right takes it.
const patience = time.Minute

// setup is a gateway in front of a fake upstream.
type setup struct {
	yaml       string       // more of gateway.yaml, at its top level
	inUpstream bool         // yaml begins with more of the upstream instead
	upstream   http.Handler // nil answers {"id":1,"name":"Rex"}
	options    Options
}

// newGateway loads a gateway.yaml with one upstream, pets, and starts a gateway for it.
func newGateway(t testing.TB, s setup) *Gateway {
	t.Helper()
	if s.upstream == nil {
		s.upstream = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":1,"name":"Rex"}`)
		})
	}
	api := httptest.NewServer(s.upstream)
	t.Cleanup(api.Close)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pets.yaml"), petstore)
	write(t, filepath.Join(dir, "gateway.yaml"), head(s.inUpstream, api.URL)+s.yaml)
	cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(t.Context(), cfg, s.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return g
}

// head is the file up to where a setup's yaml begins.
func head(inUpstream bool, api string) string {
	if inUpstream {
		return "name: pets\nupstreams:\n  pets:\n    spec: pets.yaml\n    base_url: " + api + "\n    expose: all\n"
	}
	return "name: pets\nupstreams:\n  pets: {spec: pets.yaml, base_url: " + api + ", expose: all}\n"
}

// serve starts a gateway's HTTP server on loopback.
func serve(t testing.TB, s setup) (*Gateway, *httptest.Server) {
	t.Helper()
	g := newGateway(t, s)
	server := httptest.NewServer(g.Handler())
	t.Cleanup(server.Close)
	return g, server
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// answer is an HTTP response, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// result is the result in the answer's JSON-RPC response.
func (a answer) result(t testing.TB) json.RawMessage {
	t.Helper()
	var response struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal([]byte(a.body), &response); err != nil || response.Result == nil {
		t.Fatalf("no result in %d %s", a.status, a.body)
	}
	return response.Result
}

// do sends one request; headers are "Name: value".
func do(t testing.TB, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		} else {
			req.Header.Add(name, value)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(bytes.TrimSpace(text))}
}

// post sends one message to the MCP endpoint, as clients of 2025-11-25 do.
func post(t testing.TB, server *httptest.Server, message string, headers ...string) answer {
	t.Helper()
	return do(t, http.MethodPost, server.URL+"/mcp", message,
		append([]string{"Content-Type: application/json", "Accept: application/json, text/event-stream"}, headers...)...)
}

// modern is the _meta that every request of 2026-07-28 carries.
const modern = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// postModern sends one message with the headers of 2026-07-28.
func postModern(t testing.TB, server *httptest.Server, method, name, message string, headers ...string) answer {
	t.Helper()
	headers = append(headers, "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: "+method)
	if name != "" {
		headers = append(headers, "Mcp-Name: "+name)
	}
	return post(t, server, message, headers...)
}

// stopwatch adds up how long something took.
type stopwatch struct {
	total time.Duration
	laps  int
}

func (s *stopwatch) time(f func()) {
	started := time.Now()
	f()
	s.total += time.Since(started)
	s.laps++
}

func (s *stopwatch) mean() time.Duration { return s.total / time.Duration(s.laps) }
