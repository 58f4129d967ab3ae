package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth"
	"mcpgate/internal/fault"
)

// callers is a verifier for tests: the token is the name of one of these.
type callers map[string]auth.Principal

func (c callers) Verify(_ context.Context, token string) (*auth.Principal, error) {
	switch p, ok := c[token]; {
	case ok:
		return &p, nil
	case token == "down":
		return nil, fault.New(fault.Unavailable, "the store can't be reached", nil)
	default:
		return nil, fault.New(fault.TokenInvalid, "not a token of this gateway", nil)
	}
}

var people = callers{
	"reader": {Subject: "r", Scopes: []string{"pets.read"}, Claims: map[string]any{"groups": []any{"staff"}}},
	"writer": {Subject: "w", Scopes: []string{"pets.write"}, Claims: map[string]any{}},
	"admin":  {Subject: "a", Scopes: []string{"pets.write", "pets.admin"}, Claims: map[string]any{"groups": []any{"staff", "admins"}}},
	"nobody": {Subject: "n"},
	"local":  {Subject: "local", Issuer: "elsewhere", Login: "x"},
}

// ruled is a gateway whose tools ask for scopes and a role, and people who call it.
func ruled(t *testing.T, mode string) (*Gateway, *httptest.Server) {
	t.Helper()
	g := newGateway(t, setup{yaml: `    tools:
      get_pet: {operation: getPet, scopes: [pets.read]}
      create_pet: {operation: createPet, scopes: [pets.write, pets.admin], allow: [admin]}
      list_pets: {operation: listPets, allow: [admin, staff]}
discovery: {mode: ` + mode + `}
auth:
  implies: {pets.write: [pets.read]}
  roles:
    admin: '"admins" in claims.groups'
    staff: 'claims.groups.exists(g, g == "staff")'
`, inUpstream: true})
	g.access.verifier = people
	g.access.metadata = newMetadata(g.cfg, []string{"https://id.example"}, []string{"pets.read"})
	g.access.scopes = []string{"pets.read"}
	handler, err := g.newHandler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return g, server
}

func namesListed(t *testing.T, server *httptest.Server, token string) []string {
	t.Helper()
	got := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, "Authorization: Bearer "+token)
	var result struct{ Tools []struct{ Name string } }
	if err := json.Unmarshal(got.result(t), &result); err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, tool := range result.Tools {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	return names
}

// Who lacks a scope or a role is not shown the tool: every caller has a list of their own, twice the same.
func TestListsShowWhatTheCallerMayCall(t *testing.T) {
	_, server := ruled(t, "direct")
	want := map[string][]string{
		"reader": {"get_pet", "list_pets"},
		"writer": {"get_pet"},
		"admin":  {"create_pet", "get_pet", "list_pets"},
		"nobody": {},
		"local":  {},
	}
	for range 2 {
		for token, names := range want {
			if diff := cmp.Diff(names, namesListed(t, server, token)); diff != "" {
				t.Errorf("%s: %s", token, diff)
			}
		}
	}
}

// A missing scope is 403 with all that the call needs at once, before anything else looks at the message: by the tool's name,
// and through call_tool.
func TestMissingScopesAreOneChallenge(t *testing.T) {
	for _, mode := range []string{"direct", "search"} {
		_, server := ruled(t, mode)
		call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_pet","arguments":{"name":"Rex"}}}`
		if mode == "search" {
			call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"call_tool","arguments":{"name":"create_pet","arguments":{"name":"Rex"}}}}`
		}
		got := post(t, server, call, "Authorization: Bearer reader")
		if got.status != http.StatusForbidden {
			t.Fatalf("%s: %d %s", mode, got.status, got.body)
		}
		header := got.header.Get("WWW-Authenticate")
		for _, part := range []string{`error="insufficient_scope"`, `scope="pets.write pets.admin pets.read"`, `resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp"`} {
			if !strings.Contains(header, part) {
				t.Errorf("%s: no %s in %s", mode, part, header)
			}
		}
		if got := post(t, server, call, "Authorization: Bearer admin"); got.status != http.StatusOK || !strings.Contains(got.body, `"isError":false`) && strings.Contains(got.body, `"isError":true`) {
			t.Errorf("%s: %d %s", mode, got.status, got.body)
		}
	}
}

// A missing role is told to the model: no token mends it.
func TestMissingRole(t *testing.T) {
	_, server := ruled(t, "search")
	for _, call := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_pets","arguments":{}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"call_tool","arguments":{"name":"list_pets"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"describe_tool","arguments":{"name":"list_pets"}}}`,
	} {
		got := post(t, server, call, "Authorization: Bearer writer")
		if got.status != http.StatusOK || !strings.Contains(got.body, `"code":"permission"`) || !strings.Contains(got.body, "admin, staff") {
			t.Errorf("%s: %d %s", call, got.status, got.body)
		}
	}
	search := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_tools","arguments":{"query":"pets"}}}`
	if got := post(t, server, search, "Authorization: Bearer writer"); strings.Contains(got.body, "list_pets") || !strings.Contains(got.body, "get_pet") {
		t.Error(got.body)
	}
}

// The person at whose terminal the gateway runs may do all, and a caller from elsewhere with the same name may not.
func TestWhoRunsTheGatewayMayDoAll(t *testing.T) {
	g, _ := ruled(t, "direct")
	ctx := auth.WithPrincipal(t.Context(), auth.Local())
	if got := g.Call(ctx, "create_pet", json.RawMessage(`{"name":"Rex"}`)); !got.OK {
		t.Error(got.Errors)
	}
	local := people["local"]
	if got := g.Call(auth.WithPrincipal(t.Context(), &local), "create_pet", json.RawMessage(`{"name":"Rex"}`)); got.OK || got.Errors[0].Code != fault.Permission {
		t.Errorf("%+v", got)
	}
	if got := g.Call(t.Context(), "create_pet", nil); got.OK {
		t.Error("without a caller")
	}
}

// A token that can't be judged now is 503 and not 401, at which clients throw good tokens away.
func TestWhoIsCalling(t *testing.T) {
	_, server := ruled(t, "direct")
	tests := []struct {
		name, header string
		want         int
		contains     string
	}{
		{"no token", "", http.StatusUnauthorized, `Bearer resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource/mcp", scope="pets.read"`},
		{"a bad token", "Authorization: Bearer altered", http.StatusUnauthorized, `error="invalid_token"`},
		{"the store is down", "Authorization: Bearer down", http.StatusServiceUnavailable, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			headers := []string{}
			if test.header != "" {
				headers = append(headers, test.header)
			}
			got := post(t, server, callGetPet, headers...)
			challenge := got.header.Get("WWW-Authenticate")
			if got.status != test.want || !strings.Contains(challenge, test.contains) || (test.contains == "") != (challenge == "") {
				t.Errorf("%d %s %s", got.status, challenge, got.body)
			}
			if test.want == http.StatusServiceUnavailable && (got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "temporarily_unavailable")) {
				t.Errorf("%v %s", got.header, got.body)
			}
			if test.name == "no token" && strings.Contains(challenge, "error") {
				t.Error("an error code, though no credentials were shown:", challenge)
			}
		})
	}
	if got := do(t, http.MethodPost, server.URL+"/mcp?access_token=reader", callGetPet, "Content-Type: application/json"); got.status != http.StatusBadRequest {
		t.Errorf("a token in the URL: %d", got.status)
	}
}

// The metadata is where the challenge says, readable by any page, and what else is asked below /.well-known/ is a plain JSON 404.
func TestProtectedResourceMetadata(t *testing.T) {
	_, server := ruled(t, "direct")
	for _, path := range []string{"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"} {
		got := do(t, http.MethodGet, server.URL+path, "")
		var m struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
		}
		if err := json.Unmarshal([]byte(got.body), &m); err != nil || m.Resource != "http://localhost:8080/mcp" || !slices.Equal(m.Servers, []string{"https://id.example"}) ||
			got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := do(t, http.MethodGet, server.URL+"/.well-known/openid-federation", ""); got.status != http.StatusNotFound || !json.Valid([]byte(got.body)) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// A role that is no condition is a problem with its line, and nobody has it.
func TestBadRole(t *testing.T) {
	g := newGateway(t, setup{yaml: "auth: {roles: {admin: 'claims.groups.exist('}}\n"})
	problems := g.Report().Problems
	if len(problems) != 1 || problems[0].Path.String() != "auth.roles.admin" || problems[0].Message != "the condition ends too early" || problems[0].Pos.Column == 0 {
		t.Errorf("%v", problems)
	}
}
