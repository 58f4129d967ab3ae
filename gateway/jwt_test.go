package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// issuer is one whose tokens callers show.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := issuer{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		replyJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		replyJSON(w, http.StatusOK, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/jwks", "authorization_endpoint": i.URL + "/a",
			"token_endpoint": i.URL + "/t", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

// token signs claims; those that every token has are there.
func (i issuer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: "k1"}}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"iss": i.URL, "aud": "http://localhost:8080/mcp", "sub": "ada", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix()}
	for name, value := range claims {
		all[name] = value
	}
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// With auth.mode jwt an issuer's tokens say who calls: for whom, by when and with which scopes is looked at, roles are conditions over
// their claims, and clients are sent to that issuer.
func TestTokensOfAnIssuer(t *testing.T) {
	i := newIssuer(t)
	_, server := serve(t, setup{yaml: `    tools:
      get_pet: {operation: getPet, allow: [staff]}
      create_pet: {operation: createPet, scopes: [pets.write]}
auth:
  mode: jwt
  jwt: {issuer: "` + i.URL + `", required_scopes: [pets]}
  roles: {staff: 'claims.groups.exists(g, g == "staff")'}
`, inUpstream: true})
	awaitReady(t, server.URL)
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_pet","arguments":{"id":1}}}`
	create := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_pet","arguments":{"name":"Rex"}}}`
	good := map[string]any{"scope": "pets", "groups": []string{"staff"}}
	with := func(name string, value any) map[string]any {
		return map[string]any{"scope": "pets", "groups": []string{"staff"}, name: value}
	}
	tests := []struct {
		name, message string
		claims        map[string]any
		status        int
		contains      string // the challenge, or the body
	}{
		{"good", call, good, 200, `"ok":true`},
		{"no role", call, with("groups", []string{"guests"}), 200, `"code":"permission"`},
		{"a tool's scope", create, good, 403, `error="insufficient_scope"`},
		{"with it", create, with("scope", "pets pets.write"), 200, `"ok":true`},
		{"a required scope", call, with("scope", "other"), 403, `scope="pets"`},
		{"for somebody else", call, with("aud", "https://other.example/mcp"), 401, `error="invalid_token"`},
		{"too old", call, with("exp", time.Now().Add(-time.Hour).Unix()), 401, `error="invalid_token"`},
		{"of another issuer", call, with("iss", "https://evil.example"), 401, `error="invalid_token"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := post(t, server, test.message, "Authorization: Bearer "+i.token(t, test.claims))
			if text := got.body + strings.Join(got.header.Values("WWW-Authenticate"), ""); got.status != test.status || !strings.Contains(text, test.contains) &&
				!strings.Contains(strings.ReplaceAll(text, `\"`, `"`), test.contains) {
				t.Errorf("%d %s", got.status, text)
			}
		})
	}
	var metadata struct {
		Servers []string `json:"authorization_servers"`
	}
	got := do(t, http.MethodGet, server.URL+"/.well-known/oauth-protected-resource/mcp", "")
	if err := json.Unmarshal([]byte(got.body), &metadata); err != nil || len(metadata.Servers) != 1 || metadata.Servers[0] != i.URL {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// An issuer that can't be reached is 503, and not a bad token.
func TestIssuerThatIsDown(t *testing.T) {
	i := newIssuer(t)
	token := i.token(t, nil)
	i.Close()
	_, server := serve(t, setup{yaml: `auth: {mode: jwt, jwt: {issuer: "` + i.URL + `"}}` + "\n"})
	if got := post(t, server, callGetPet, "Authorization: Bearer "+token); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := do(t, http.MethodGet, server.URL+"/readyz", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("ready: %d", got.status)
	}
}

// awaitReady waits until a gateway is ready.
func awaitReady(t testing.TB, url string) {
	t.Helper()
	ctx, tick := t.Context(), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); ; {
		if do(t, http.MethodGet, url+"/readyz", "").status == http.StatusOK {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-deadline:
			t.Fatal("the gateway is never ready")
		}
	}
}
