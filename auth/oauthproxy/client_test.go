package oauthproxy

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/seal"
)

const testKey = "a key of 32 bytes for tests only"

// newDirectoryServer returns a server of which the clients are tested; change edits gateway.yaml's settings.
func newDirectoryServer(t testing.TB, change func(*config.Config, *Parts)) *Server {
	t.Helper()
	cfg := &config.Config{Name: "test"}
	cfg.Server.PublicURL, cfg.Server.Path = "https://gw.example/", "/mcp"
	cfg.Auth.Mode = "oauth"
	cfg.Auth.OAuth.Scopes = []string{"read", "write"}
	parts := Parts{Config: cfg, Ring: seal.NewRing(testKey), Now: time.Now}
	if change != nil {
		change(cfg, &parts)
	}
	if parts.Store == nil {
		parts.Store = tokenstore.NewMemory(parts.Now)
	}
	s, err := New(parts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// call sends a request to the server's own paths.
func call(t testing.TB, s *Server, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	s.Register(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func register(t testing.TB, s *Server, metadata string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(metadata))
	r.Header.Set("Content-Type", "application/json")
	w := call(t, s, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return w.Code, answer
}

// tokenRequest is a request to /token with this form, and with Authorization where id is not empty.
func tokenRequest(t testing.TB, form url.Values, id, secret string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARegisteredClientIsItsID(t *testing.T) {
	s := newDirectoryServer(t, nil)
	status, answer := register(t, s, `{"client_name":"Claude","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],"token_endpoint_auth_method":"client_secret_post"}`)
	if status != http.StatusCreated {
		t.Fatal(status, answer)
	}
	id, secret := answer["client_id"].(string), answer["client_secret"].(string)
	another := newDirectoryServer(t, nil) // a replica with the same key
	c, err := another.client(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !another.allowsRedirect(c, "https://claude.ai/api/mcp/auth_callback") || another.allowsRedirect(c, "https://claude.ai/api/mcp/auth_callback/") {
		t.Error("the redirect URI is not compared exactly")
	}
	if _, err := another.authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {id}, "client_secret": {secret}}, "", "")); err != nil {
		t.Error(err)
	}
	if _, err := another.authenticate(t.Context(), tokenRequest(t, url.Values{}, id, secret)); err != nil {
		t.Error(err)
	}
	if _, err := another.authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {id}}, "", "")); err == nil {
		t.Error("a client with a secret came in without")
	}
	if _, err := another.authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {id}, "client_secret": {secret + "A"}}, "", "")); err == nil {
		t.Error("a wrong secret was taken")
	}
}
