package oauthproxy

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func get(t *testing.T, s *Server, path string) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	w := call(t, s, httptest.NewRequest(http.MethodGet, path, nil))
	var got map[string]any
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v: %s", path, err, w.Body)
		}
	}
	return w, got
}

func TestAuthorizationServerMetadata(t *testing.T) {
	s := newDocumentsServer(t, newDocumentServer(t, document(claudeCode)), nil, nil)
	algorithms := []any{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	methods := []any{"none", "client_secret_basic", "client_secret_post", "private_key_jwt"}
	want := map[string]any{
		"issuer":                                                "https://gw.example",
		"authorization_endpoint":                                "https://gw.example/authorize",
		"token_endpoint":                                        "https://gw.example/token",
		"registration_endpoint":                                 "https://gw.example/register",
		"revocation_endpoint":                                   "https://gw.example/revoke",
		"jwks_uri":                                              "https://gw.example/jwks",
		"scopes_supported":                                      []any{"read", "write"},
		"response_types_supported":                              []any{"code"},
		"response_modes_supported":                              []any{"query"},
		"grant_types_supported":                                 []any{"authorization_code", "refresh_token"},
		"code_challenge_methods_supported":                      []any{"S256"},
		"token_endpoint_auth_methods_supported":                 methods,
		"token_endpoint_auth_signing_alg_values_supported":      algorithms,
		"revocation_endpoint_auth_methods_supported":            methods,
		"revocation_endpoint_auth_signing_alg_values_supported": algorithms,
		"client_id_metadata_document_supported":                 true,
		"authorization_response_iss_parameter_supported":        true,
		"protected_resources":                                   []any{"https://gw.example/mcp"},
	}
	w, got := get(t, s, "/.well-known/oauth-authorization-server")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Header().Get("Cache-Control") != "public, max-age=300" || w.Header().Get("Content-Type") != "application/json" {
		t.Error(w.Header())
	}
	_, got = get(t, s, "/.well-known/openid-configuration")
	want["subject_types_supported"], want["id_token_signing_alg_values_supported"] = []any{"public"}, []any{"EdDSA"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is told is what there is: each endpoint of the metadata answers on its path, and nothing is told that is off.
func TestWhatIsToldIsThere(t *testing.T) {
	off := false
	for _, issuer := range []string{"https://gw.example", "https://gw.example/shop"} {
		s := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { cfg.Server.PublicURL = issuer })
		mux := http.NewServeMux()
		s.Register(mux)
		_, got := get(t, s, "/.well-known/oauth-authorization-server"+strings.TrimPrefix(issuer, "https://gw.example"))
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "jwks_uri"} {
			path, ok := strings.CutPrefix(got[name].(string), "https://gw.example")
			if _, pattern := mux.Handler(httptest.NewRequest(http.MethodPost, path, nil)); !ok || pattern != path {
				t.Errorf("%s: %s is answered by %q", name, path, pattern)
			}
		}
	}
	s := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) {
		cfg.Auth.OAuth.IssParameter, cfg.Auth.OAuth.Clients.Registration = &off, &off
		cfg.Auth.OAuth.Scopes = nil
	})
	_, got := get(t, s, "/.well-known/oauth-authorization-server")
	for name, want := range map[string]any{"authorization_response_iss_parameter_supported": false, "client_id_metadata_document_supported": false,
		"registration_endpoint": nil, "scopes_supported": nil, "token_endpoint_auth_signing_alg_values_supported": nil} {
		if got[name] != want {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	if diff := cmp.Diff([]any{"none"}, got["token_endpoint_auth_methods_supported"]); diff != "" {
		t.Error(diff)
	}
	// A known client with a secret is one that proves itself.
	s = newDirectoryServer(t, func(cfg *config.Config, _ *Parts) {
		cfg.Auth.OAuth.Clients.Registration = &off
		cfg.Auth.OAuth.Clients.Known = []config.KnownClient{{ClientID: "a", ClientSecret: config.NewSecret("s"), RedirectURIs: []string{"https://a.example/cb"}}}
	})
	if diff := cmp.Diff([]string{"none", "client_secret_basic", "client_secret_post"}, s.metadata().TokenMethods); diff != "" {
		t.Error(diff)
	}
}

func TestMetadataOfAnIssuerWithAPath(t *testing.T) {
	s := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { cfg.Server.PublicURL = "https://gw.example/shop/" })
	for _, path := range []string{
		"/.well-known/oauth-authorization-server/shop", "/.well-known/openid-configuration/shop", "/shop/.well-known/openid-configuration",
		"/shop/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server", // where a proxy takes /shop away
	} {
		w, got := get(t, s, path)
		if w.Code != http.StatusOK || got["issuer"] != "https://gw.example/shop" || got["token_endpoint"] != "https://gw.example/shop/token" {
			t.Errorf("%s: %d %v", path, w.Code, got)
		}
		w = call(t, s, httptest.NewRequest(http.MethodOptions, path, nil))
		if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("OPTIONS %s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server/other", "/.well-known/oauth-authorization-server/shop/x", "/.well-known/jwks.json"} {
		if w, _ := get(t, s, path); w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) ||
			w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
}

// Nothing that a request says of its host gets into the metadata.
func TestMetadataKnowsNoHostHeader(t *testing.T) {
	s := newDirectoryServer(t, nil)
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/.well-known/oauth-authorization-server", nil)
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("Forwarded", "host=evil.example")
	if w := call(t, s, r); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "evil") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
