package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"mcpgate/auth"
	"mcpgate/config"
)

// Row: no Origin check (the specification's MUST), and a Host check only on loopback connections. The test's own
// connections are loopback ones.
func TestHostAndOrigin(t *testing.T) {
	_, server := serve(t, setup{yaml: "server: {public_url: 'https://mcp.example.com/base', allowed_origins: ['https://app.example.com:8443', 'http://plain.example.com:80']}\n"})
	local := strings.TrimPrefix(server.URL, "http://")
	tests := []struct {
		name, host, origin string
		want               int
	}{
		{"neither", local, "", 200},
		{"localhost", "localhost:1", "", 200},
		{"a name below localhost", "gw.localhost", "", 200},
		{"IPv6", "[::1]:80", "", 200},
		{"public_url's host, kept by a proxy on this machine", "mcp.example.com", "", 200},
		{"its case", "MCP.Example.COM:443", "", 200},
		{"rebinding", "evil.example", "", 403},
		{"rebinding, with its origin", "evil.example:80", "http://evil.example", 403},
		{"a name that begins right", "localhost.evil.example", "", 403},
		{"a name that ends right", "evil-mcp.example.com", "", 403},
		{"public_url's origin", local, "https://mcp.example.com", 200},
		{"its port", local, "https://mcp.example.com:443", 200},
		{"another scheme", local, "http://mcp.example.com", 403},
		{"another port", local, "https://mcp.example.com:444", 403},
		{"an allowed origin", local, "https://app.example.com:8443", 200},
		{"an allowed origin's usual port", local, "http://plain.example.com", 200},
		{"a page of this machine, as the Inspector", local, "http://localhost:6274", 200},
		{"another site", local, "https://evil.example", 403},
		{"a site that begins right", local, "https://mcp.example.com.evil.example", 403},
		{"a sandboxed frame", local, "null", 403},
		{"garbage", local, "%%%", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Host: " + tt.host}
			if tt.origin != "" {
				headers = append(headers, "Origin: "+tt.origin)
			}
			got := post(t, server, callGetPet, headers...)
			if got.status != tt.want {
				t.Errorf("%d %s, want %d", got.status, got.body, tt.want)
			}
			allowed := got.header.Get("Access-Control-Allow-Origin")
			if tt.want == 200 && allowed != tt.origin || tt.want != 200 && allowed != "" {
				t.Errorf("Access-Control-Allow-Origin %q", allowed)
			}
			if tt.want == 200 && got.header.Get("Vary") == "" {
				t.Error("no Vary: a cache would mix origins up")
			}
		})
	}
}

func TestEveryOriginWhereTheAuthorSaysSo(t *testing.T) {
	_, server := serve(t, setup{yaml: "server: {allowed_origins: ['*']}\n"})
	for _, origin := range []string{"https://anything.example", "null"} {
		if got := post(t, server, callGetPet, "Origin: "+origin); got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("%s: %d", origin, got.status)
		}
	}
}

// On an address that isn't loopback the gateway can't know its names, and pages of the visitor's own machine are strangers.
func TestOriginsBeyondLoopback(t *testing.T) {
	o := newOrigins(config.Server{PublicURL: "https://mcp.example.com"})
	r, err := http.NewRequest(http.MethodPost, "/mcp", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "10.1.2.3:8080"
	if !o.allowsHost(r) || o.allowsOrigin(r, "http://localhost:6274") || !o.allowsOrigin(r, "https://mcp.example.com") {
		t.Error("judged as if it came over loopback")
	}
	inAContainer := newOrigins(config.Server{PublicURL: "http://localhost:8080"})
	if !inAContainer.allowsOrigin(r, "http://localhost:6274") || inAContainer.allowsOrigin(r, "https://evil.example") {
		t.Error("public_url says that it is on the reader's machine")
	}
}

func TestPreflight(t *testing.T) {
	_, server := serve(t, setup{yaml: keys})
	ask := []string{"Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: authorization, content-type, mcp-protocol-version, mcp-param-region, x-evil"}
	got := do(t, http.MethodOptions, server.URL+"/mcp", "", append(ask, "Origin: http://localhost:6274")...)
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "http://localhost:6274" ||
		got.header.Get("Access-Control-Allow-Methods") != "POST, OPTIONS" {
		t.Errorf("%d %v", got.status, got.header)
	}
	allowed := strings.ToLower(got.header.Get("Access-Control-Allow-Headers"))
	for _, name := range []string{"authorization", "x-api-key", "content-type", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name", "mcp-param-region", "last-event-id"} {
		if !strings.Contains(allowed, name) {
			t.Errorf("%s is not allowed: %s", name, allowed)
		}
	}
	if strings.Contains(allowed, "x-evil") {
		t.Errorf("too much is allowed: %s", allowed)
	}
	if got := do(t, http.MethodOptions, server.URL+"/mcp", "", append(ask, "Origin: https://evil.example")...); got.status != http.StatusForbidden {
		t.Errorf("another site: %d", got.status)
	}
	if got := do(t, http.MethodOptions, server.URL+"/mcp", ""); got.status != http.StatusNoContent || got.header.Get("Allow") != "POST, OPTIONS" {
		t.Errorf("no browser: %d %v", got.status, got.header)
	}
}

// A browser has to be able to read why it was refused.
func TestBrowsersSeeTheChallenge(t *testing.T) {
	_, server := serve(t, setup{yaml: keys})
	got := post(t, server, callGetPet, "Origin: http://localhost:6274")
	exposed := got.header.Get("Access-Control-Expose-Headers")
	if got.status != http.StatusUnauthorized || got.header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("%d %v", got.status, got.header)
	}
	for _, name := range []string{"WWW-Authenticate", "Mcp-Session-Id", "Mcp-Protocol-Version"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("%s is not exposed: %s", name, exposed)
		}
	}
}

// keys lets in whoever shows "sesame".
var keys = func() string {
	hash := sha256.Sum256([]byte("sesame"))
	return "auth: {mode: api_key, api_key: {keys: [{name: ci, sha256: " + hex.EncodeToString(hash[:]) + "}]}}\n"
}()

// Row: no bearer check, no 401, no WWW-Authenticate.
func TestAPIKeysAtTheEdge(t *testing.T) {
	_, server := serve(t, setup{yaml: keys + "server: {sse: true}\n"})
	const bare = `Bearer realm="mcpgate"`
	tests := []struct {
		name, method, path string
		headers            []string
		want               int
		challenge          string
	}{
		{"no key", http.MethodPost, "/mcp", nil, 401, bare},
		{"no key on GET", http.MethodGet, "/mcp", nil, 401, bare},
		{"no key on DELETE", http.MethodDelete, "/mcp", nil, 401, bare},
		{"no key on SSE", http.MethodGet, "/sse", nil, 401, bare},
		{"no key on messages", http.MethodPost, "/messages?sessionId=x", nil, 401, bare},
		{"another scheme", http.MethodPost, "/mcp", []string{"Authorization: Basic c2VzYW1l"}, 401, bare},
		{"a wrong key", http.MethodPost, "/mcp", []string{"Authorization: Bearer simsalabim"}, 401, bare + `, error="invalid_token", error_description="no such API key"`},
		{"a wrong X-API-Key", http.MethodPost, "/mcp", []string{"X-API-Key: simsalabim"}, 401, bare + `, error="invalid_token", error_description="no such API key"`},
		{"the key", http.MethodPost, "/mcp", []string{"Authorization: Bearer sesame"}, 200, ""},
		{"the key, in its own header", http.MethodPost, "/mcp", []string{"X-API-Key: sesame"}, 200, ""},
		{"the key, on GET", http.MethodGet, "/mcp", []string{"X-API-Key: sesame"}, 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := do(t, tt.method, server.URL+tt.path, callGetPet, append(tt.headers, "Content-Type: application/json")...)
			if got.status != tt.want || got.header.Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("%d, challenge %q; want %d, %q", got.status, got.header.Get("WWW-Authenticate"), tt.want, tt.challenge)
			}
			if tt.want == 401 && (got.header.Get("Content-Type") != "application/json" || !strings.Contains(got.body, `"error"`)) {
				t.Errorf("the body: %s", got.body)
			}
			if strings.Contains(got.body, "simsalabim") {
				t.Errorf("the key comes back: %s", got.body)
			}
		})
	}
	for _, path := range []string{"/mcp?access_token=sesame", "/mcp?api_key=sesame"} {
		got := do(t, http.MethodPost, server.URL+path, callGetPet, "Content-Type: application/json")
		if got.status != http.StatusBadRequest || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="invalid_request"`) {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
	for _, path := range []string{"/", "/health", "/healthz", "/readyz"} {
		if got := do(t, http.MethodGet, server.URL+path, ""); got.status != http.StatusOK {
			t.Errorf("%s needs no key: %d", path, got.status)
		}
	}
}

// A mode that this package does not know lets nobody in, whatever config thinks of it.
func TestUnknownModeIsRefused(t *testing.T) {
	if _, err := newAccess(&config.Config{Auth: config.Auth{Mode: "oauth"}}, nil, Options{}); err == nil {
		t.Error("a gateway without a lock")
	}
}

func TestCallerIsInTheContext(t *testing.T) {
	for yaml, want := range map[string]auth.Principal{"": {Subject: "anonymous"}, keys: {Subject: "ci", Issuer: "api_key"}} {
		g := newGateway(t, setup{yaml: yaml})
		access, err := newAccess(g.cfg, nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "/mcp", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", "sesame")
		var got *auth.Principal
		access.guard(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = auth.FromContext(r.Context()) })).ServeHTTP(&counter{}, r)
		if got == nil || got.Subject != want.Subject || got.Issuer != want.Issuer {
			t.Errorf("%q: %+v", yaml, got)
		}
	}
}
