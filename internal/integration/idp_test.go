package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// idpClient is a client that a provider knows, in the words of its metadata (RFC 7591).
type idpClient map[string]any

// publicClient proves itself by PKCE alone, as at Keycloak.
func publicClient() idpClient { return idpClient{"token_endpoint_auth_method": "none"} }

// idpOptions are what an out-of-process provider can do without.
type idpOptions struct {
	Client   idpClient     // default: publicClient
	Lifetime time.Duration // of access tokens; default: ten minutes
	JWT      bool          // access tokens are JWTs, else opaque
}

// idp is an OpenID provider that others wrote, and an API that takes its tokens.
type idp struct {
	t      *testing.T
	issuer string
	api    string
}

// idpSeen is what a provider counted.
type idpSeen struct{ Refreshes, Refused, Codes, Revoked int }

// startIDP starts one whose client "mcpgate" is sent back to gateway's callback.
func startIDP(t *testing.T, gateway string, options idpOptions) *idp {
	t.Helper()
	client := options.Client
	if client == nil {
		client = publicClient()
	}
	client["client_id"] = "mcpgate"
	client["redirect_uris"] = []string{gateway + "/auth/callback"}
	client["grant_types"] = []string{"authorization_code", "refresh_token"}
	client["response_types"] = []string{"code"}
	if options.Lifetime == 0 {
		options.Lifetime = 10 * time.Minute
	}
	port := freePort(t)
	told, err := json.Marshal(map[string]any{
		"port": port, "clients": []idpClient{client}, "lifetime": int(options.Lifetime.Seconds()), "jwt": options.JWT,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "idp.mjs")
	cmd.Dir = filepath.Dir(modules)
	cmd.Env = append(os.Environ(), "IDP="+string(told), "NODE_NO_WARNINGS=1")
	ended := start(t, cmd)
	p := &idp{t: t, issuer: fmt.Sprintf("http://127.0.0.1:%d", port)}
	p.api = p.issuer + "/api"
	await(t, p.issuer+"/seen", 30*time.Second, ended)
	return p
}

// seen asks the provider what it counted.
func (p *idp) seen() idpSeen {
	p.t.Helper()
	var s idpSeen
	getJSON(p.t, p.issuer+"/seen", &s)
	return s
}

// getJSON reads a document.
func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
}

// entranceYAML is a gateway whose one tool says who calls the provider's API. %s: public_url, issuer, more of the provider, more
// of auth.oauth, API.
const entranceYAML = `
name: entrance
key: a-key-for-tests-a-key-for-tests-a-key
server: {public_url: %q}
providers:
  idp:
    issuer: %q
    client_id: mcpgate
    scopes: [openid, profile, email, offline_access]
    authorize_params: {prompt: consent}
%s
auth:
  mode: oauth
  oauth:
    provider: idp
    scopes: [me.read]
    store: {path: logins}
%s
upstreams:
  api:
    base_url: %q
    credential: {type: login, provider: idp}
    tools:
      who_am_i: {request: GET /me, description: Says who is calling., scopes: [me.read]}
`

// entrance is a gateway with a login, at an address that is known before anything runs.
type entrance struct {
	url  string // its root
	port int
}

func newEntrance(t *testing.T) entrance {
	t.Helper()
	port := freePort(t)
	return entrance{fmt.Sprintf("http://127.0.0.1:%d", port), port}
}

// yaml is its gateway.yaml in front of a provider. more are lines of YAML, indented by four.
func (e entrance) yaml(p *idp, providerMore, oauthMore string) string {
	return fmt.Sprintf(entranceYAML, e.url, p.issuer, providerMore, oauthMore, p.api)
}

// run serves it until the test ends.
func (e entrance) run(t *testing.T, yaml string, env ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "-c", file, "--listen", e.url[len("http://"):])
	cmd.Env = append(os.Environ(), env...)
	ended := start(t, cmd)
	await(t, e.url+"/readyz", 20*time.Second, ended)
}
