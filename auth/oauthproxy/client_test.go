package oauthproxy

import (
	"encoding/json"
	"fmt"
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
	cfg.Auth.OAuth.RedirectPath = "/auth/callback"
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

func known(cfg *config.Config) {
	cfg.Auth.OAuth.Clients.Known = []config.KnownClient{
		{ClientID: "claude", ClientSecret: config.NewSecret("s3cret+with/odd%chars"), ClientName: "Claude",
			RedirectURIs: []string{"https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"}},
		{ClientID: "cli", RedirectURIs: []string{"http://localhost/cb", "com.example.cli:/cb"}},
	}
	cfg.Auth.OAuth.TrustedClients = []string{"cli", "https://claude.ai/x"}
}

func TestKnownClients(t *testing.T) {
	s := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { known(cfg) })
	claude, err := s.client(t.Context(), "claude")
	if err != nil || claude.Kind != kindKnown || claude.Name != "Claude" || claude.AuthMethod != methodBasic || claude.Trusted {
		t.Errorf("%+v %v", claude, err)
	}
	cli, err := s.client(t.Context(), "cli")
	if err != nil || cli.Name != "cli" || cli.AuthMethod != methodNone || !cli.Trusted || !s.allowsRedirect(cli, "com.example.cli:/cb") || !s.allowsRedirect(cli, "http://localhost:7777/cb") {
		t.Errorf("%+v %v", cli, err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", *claude, *claude, *claude), "s3cret") {
		t.Error("the secret prints")
	}
}

// An upstream's client id is nobody here, and neither is an empty one: RFC 6749 section 5.2, so that clients register anew.
func TestUnknownClients(t *testing.T) {
	s := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { known(cfg) })
	for _, id := range []string{"", "Claude", "claude ", "upstream-client", "d.", "d.AAAA", "d." + strings.Repeat("A", 1000), "https://claude.ai/x", "d." + strings.Repeat("A", 5000)} {
		_, err := s.client(t.Context(), id)
		if e := errorOf(t, err); e.Status != http.StatusUnauthorized || e.Code != "invalid_client" {
			t.Errorf("%q: %d %v", id, e.Status, e)
		}
	}
}

func TestKnownClientsThatAreWrong(t *testing.T) {
	for _, uri := range []string{"javascript:alert(1)", "http://app.example/cb", "https://app.example/cb#x", "https://app.example/../cb", "cb", ""} {
		cfg := &config.Config{}
		cfg.Auth.OAuth.Clients.Known = []config.KnownClient{{ClientID: "x", RedirectURIs: []string{uri}}}
		if _, err := New(Parts{Config: cfg}); err == nil || !strings.Contains(err.Error(), `client "x"`) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	const secret = "s3cret+with/odd%chars"
	s := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { known(cfg) })
	raw := tokenRequest(t, nil, "", "")
	raw.SetBasicAuth("claude", secret) // not encoded, as many clients do it
	twoIDs := tokenRequest(t, url.Values{"client_id": {"cli", "claude"}}, "", "")
	broken := tokenRequest(t, nil, "", "")
	broken.Header.Set("Authorization", "Basic !!!")
	inURL := httptest.NewRequest(http.MethodPost, "/token?client_id=claude&client_secret="+url.QueryEscape(secret), nil)
	_ = inURL.ParseForm()
	tests := []struct {
		name    string
		request *http.Request
		id      string
		status  int
		code    string
	}{
		{"Basic", tokenRequest(t, nil, "claude", secret), "claude", 0, ""},
		{"Basic as it is", raw, "claude", 0, ""},
		{"Basic and the same client_id", tokenRequest(t, form("client_id", "claude"), "claude", secret), "claude", 0, ""},
		{"in the body", tokenRequest(t, form("client_id", "claude", "client_secret", secret), "", ""), "claude", 0, ""},
		{"public", tokenRequest(t, form("client_id", "cli"), "", ""), "cli", 0, ""},
		{"public, with an empty secret", tokenRequest(t, url.Values{"client_id": {"cli"}, "client_secret": {""}}, "", ""), "cli", 0, ""},
		{"public, by Basic", tokenRequest(t, nil, "cli", ""), "cli", 0, ""},
		{"no secret", tokenRequest(t, form("client_id", "claude"), "", ""), "", 401, "invalid_client"},
		{"Basic without secret", tokenRequest(t, nil, "claude", ""), "", 401, "invalid_client"},
		{"a wrong secret", tokenRequest(t, form("client_id", "claude", "client_secret", "S3cret"), "", ""), "", 401, "invalid_client"},
		{"a wrong secret by Basic", tokenRequest(t, nil, "claude", "x"), "", 401, "invalid_client"},
		{"a secret of a client that has none", tokenRequest(t, form("client_id", "cli", "client_secret", "x"), "", ""), "", 401, "invalid_client"},
		{"an assertion of a client that has no keys", tokenRequest(t, url.Values{"client_id": {"cli"}, "client_assertion_type": {assertionType}, "client_assertion": {"a.b.c"}}, "", ""), "", 401, "invalid_client"},
		{"nobody", tokenRequest(t, nil, "", ""), "", 401, "invalid_client"},
		{"somebody unknown", tokenRequest(t, form("client_id", "x"), "", ""), "", 401, "invalid_client"},
		{"two kinds", tokenRequest(t, form("client_id", "claude", "client_secret", secret), "claude", secret), "", 400, "invalid_request"},
		{"two clients", tokenRequest(t, form("client_id", "cli"), "claude", secret), "", 400, "invalid_request"},
		{"two ids", twoIDs, "", 400, "invalid_request"},
		{"broken Basic", broken, "", 400, "invalid_request"},
		{"in the URL", inURL, "", 401, "invalid_client"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := s.authenticate(t.Context(), test.request)
			if test.code == "" {
				if err != nil || c.ID != test.id {
					t.Errorf("%v %v", c, err)
				}
				return
			}
			if e := errorOf(t, err); e.Status != test.status || e.Code != test.code || strings.Contains(e.Error(), "s3cret") {
				t.Errorf("%d %v", e.Status, e)
			}
		})
	}
}

// RFC 6749 section 5.2: JSON with 401, and a challenge for who tried with Authorization.
func TestAnUnknownClientAtToken(t *testing.T) {
	s := newDirectoryServer(t, nil)
	w := call(t, s, tokenRequest(t, form("grant_type", "authorization_code", "code", "x", "client_id", "gone"), "", ""))
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"error":"invalid_client"`) || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	w = call(t, s, tokenRequest(t, form("grant_type", "authorization_code", "code", "x"), "gone", "x"))
	if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
