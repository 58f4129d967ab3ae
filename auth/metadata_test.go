package auth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProtectedResourceMetadata(t *testing.T) {
	m := &Metadata{Resource: "https://gw.example/mcp", AuthorizationServers: []string{"https://gw.example"}, Scopes: []string{"read", "offline_access", "write"}, Name: "shop"}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", nil))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, err)
	}
	want := map[string]any{"resource": "https://gw.example/mcp", "authorization_servers": []any{"https://gw.example"}, "scopes_supported": []any{"read", "write"},
		"bearer_methods_supported": []any{"header"}, "resource_name": "shop"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if len(m.Scopes) != 3 {
		t.Error("the scopes were changed")
	}
	w = httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/.well-known/oauth-protected-resource", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Error(w.Code, w.Header())
	}
}

func TestAPreflightIsAnswered(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/.well-known/oauth-protected-resource", nil)
	r.Header.Set("Origin", "http://localhost:6274")
	r.Header.Set("Access-Control-Request-Method", "GET")
	r.Header.Set("Access-Control-Request-Headers", "mcp-protocol-version")
	w := httptest.NewRecorder()
	(&Metadata{}).ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "GET") ||
		!strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "MCP-Protocol-Version") {
		t.Error(w.Code, w.Header())
	}
}

func TestWhereTheMetadataIs(t *testing.T) {
	const place = "/.well-known/oauth-protected-resource"
	tests := []struct {
		resource, base, url string
		paths               []string
	}{
		{"https://gw.example/mcp", "", "https://gw.example" + place + "/mcp", []string{place, place + "/mcp"}},
		{"https://gw.example:8443/shop/mcp", "/shop", "https://gw.example:8443" + place + "/shop/mcp", []string{place, place + "/mcp", place + "/shop/mcp", "/shop" + place}},
		{"http://localhost:8080/a/b", "", "http://localhost:8080" + place + "/a/b", []string{place, place + "/a/b"}},
	}
	for _, test := range tests {
		m := &Metadata{Resource: test.resource}
		if got := m.URL(); got != test.url {
			t.Errorf("%s: %s", test.resource, got)
		}
		got := map[string]bool{}
		for _, path := range m.Paths(test.base) {
			if got[path] {
				t.Errorf("%s twice", path)
			}
			got[path] = true
		}
		want := map[string]bool{}
		for _, path := range test.paths {
			want[path] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", test.resource, diff)
		}
	}
}

func TestChallenge(t *testing.T) {
	m := &Metadata{Resource: "https://gw.example/mcp", Scopes: []string{"read", "offline_access"}}
	const place = `Bearer resource_metadata="https://gw.example/.well-known/oauth-protected-resource/mcp"`
	tests := []struct {
		name, code, description string
		scopes                  []string
		want                    string
	}{
		{"no credentials", "", "", nil, place + `, scope="read"`},
		{"no credentials: an error would be wrong, whatever it says", "", "nothing was shown", nil, place + `, scope="read"`},
		{"no scopes", "", "", []string{}, place},
		{"a bad token", "invalid_token", "the token has expired", nil, place + `, scope="read", error="invalid_token", error_description="the token has expired"`},
		{"too little", "insufficient_scope", "", []string{"read", "write"}, place + `, scope="read write", error="insufficient_scope"`},
		{"quotes, backslashes, line ends and letters", "invalid_token", "a \"b\" c\\d\r\nX: y ü", []string{`a"b`}, place + `, scope="a'b", error="invalid_token", error_description="a 'b' c?d??X: y ?"`},
	}
	for _, test := range tests {
		if got := m.Challenge(test.code, test.description, test.scopes); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
	if got := (&Metadata{Resource: "https://gw.example/mcp"}).Challenge("", "", nil); got != place {
		t.Error(got)
	}
}
