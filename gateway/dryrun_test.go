package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// newTestGateway loads a gateway.yaml and opens it.
func newTestGateway(t testing.TB, cfg *config.Config) *Gateway {
	t.Helper()
	g, err := New(t.Context(), cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return g
}

const dryRunYAML = `
upstreams:
  up:
    base_url: https://api.example/v1
    credential: CREDENTIAL
    headers: {X-Tenant-Key: tenant-secret, Accept-Language: en, prefer: return=minimal}
    expose: none
    queries:
      ask: {request: POST /query, description: Asks., argument: q, headers: {X-Query-Key: query-secret, Prefer: transient}}
    tools:
      read: {request: "GET /things/{id}", description: Reads., arguments: {id: {in: path}, q: {in: query}, If-Match: {in: header}}}
      write: {request: POST /things, description: Writes., arguments: {name: {in: body}}}
`

func TestDryRun(t *testing.T) {
	tests := []struct{ name, credential, tool, arguments, want string }{
		{"bearer", "{type: bearer, token: hidden-token}", "read", `{"id": "a/b", "q": "x", "If-Match": "7"}`, `
GET https://api.example/v1/things/a%2Fb?q=x HTTP/1.1
Accept: application/json, */*;q=0.5
Accept-Language: en
Authorization: Bearer [secret]
If-Match: 7
Prefer: return=minimal
User-Agent: mcpgate
X-Tenant-Key: [secret]
`},
		{"basic", "{type: basic, username: hidden-user, password: hidden-password}", "write", `{"name": "n"}`, `
POST https://api.example/v1/things HTTP/1.1
Accept: application/json, */*;q=0.5
Accept-Language: en
Authorization: Basic [secret]
Content-Type: application/json
Prefer: return=minimal
User-Agent: mcpgate
X-Tenant-Key: [secret]

{"name":"n"}
`},
		{"query", "{type: api_key, in: query, name: key, value: hidden-key}", "read", `{"id": "1"}`, `
GET https://api.example/v1/things/1?key=[secret] HTTP/1.1
Accept: application/json, */*;q=0.5
Accept-Language: en
Prefer: return=minimal
User-Agent: mcpgate
X-Tenant-Key: [secret]
`},
		{"cookie", "{type: api_key, in: cookie, name: sid, value: hidden-key}", "ask", `{"q": "SELECT id FROM t"}`, `
POST https://api.example/v1/query HTTP/1.1
Accept: application/json, */*;q=0.5
Accept-Language: en
Content-Type: application/json
Cookie: sid=[secret]
Prefer: transient
User-Agent: mcpgate
X-Query-Key: [secret]
X-Tenant-Key: [secret]

{"q":"SELECT id FROM t"}
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newTestGateway(t, loadConfig(t, strings.ReplaceAll(dryRunYAML, "CREDENTIAL", test.credential)))
			got, err := g.DryRun(t.Context(), test.tool, json.RawMessage(test.arguments))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDryRunSendsNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	defer server.Close()
	text := strings.ReplaceAll(strings.ReplaceAll(dryRunYAML, "https://api.example", server.URL), "CREDENTIAL", "{}")
	g := newTestGateway(t, loadConfig(t, text))
	if _, err := g.DryRun(t.Context(), "write", json.RawMessage(`{"name": "n"}`)); err != nil {
		t.Error(err)
	}
	if _, err := g.DryRun(t.Context(), "write", json.RawMessage(`{"nam": "n"}`)); fault.CodeOf(err) != fault.Input {
		t.Error(err)
	}
	if _, err := g.DryRun(t.Context(), "wrote", nil); fault.CodeOf(err) != fault.Input || !strings.Contains(err.Error(), `"wrote"`) {
		t.Error(err)
	}
}
