package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAdmin(t *testing.T) {
	g := newGateway(t, setup{yaml: "server: {admin_key: '0123456789abcdef0123456789abcdef'}\n"})
	server := httptest.NewServer(g.AdminHandler())
	t.Cleanup(server.Close)
	const key = "Authorization: Bearer 0123456789abcdef0123456789abcdef"
	for path, want := range map[string]int{
		"/": 200, "/debug/vars": 200, "/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200,
		"/debug/pprof/cmdline": 403, "/metrics": 404, "/nope": 404,
	} {
		if got := do(t, http.MethodGet, server.URL+path, ""); got.status != http.StatusUnauthorized {
			t.Errorf("%s without the key: %d", path, got.status)
		}
		if got := do(t, http.MethodGet, server.URL+path, "", key); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if got := do(t, http.MethodGet, server.URL+"/metrics", "", key); !strings.Contains(got.body, "not available yet") {
		t.Errorf("/metrics: %s", got.body)
	}
	if got := do(t, http.MethodGet, server.URL+"/", "", key, "Host: evil.example"); got.status != http.StatusForbidden {
		t.Errorf("rebinding: %d", got.status)
	}
	if got := do(t, http.MethodGet, server.URL+"/", "", key, "Origin: https://evil.example"); got.status != http.StatusForbidden {
		t.Errorf("another site: %d", got.status)
	}
}

func TestConsole(t *testing.T) {
	g := newGateway(t, setup{})
	server := httptest.NewServer(g.AdminHandler())
	t.Cleanup(server.Close)
	var got console
	text := do(t, http.MethodGet, server.URL+"/", "").body
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Tools) != 3 || got.Tools[1].Name != "getPet" || got.Tools[1].Request != "GET /pets/{id}" || got.Tools[1].Tokens == 0 || got.Tools[1].Upstream != "pets" {
		t.Errorf("%s", text)
	}
	if got.Status != "ok" || got.Upstreams["pets"].Tools != 3 {
		t.Errorf("%s", text)
	}
}
