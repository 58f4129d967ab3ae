package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
)

// entrance is a gateway with a login, in front of an API that takes its provider's tokens.
type entrance struct {
	t       testing.TB
	gateway *Gateway
	url     string
	idp     *fakeidp.IdP
	ahead   atomic.Int64 // of the gateway's clock before the true one, in ns
}

// newEntrance starts one. more is more of auth.oauth, in one line of YAML each.
func newEntrance(t testing.TB, options fakeidp.Options, more string) *entrance {
	t.Helper()
	idp := fakeidp.Start(t, options)
	api := httptest.NewServer(idp.API())
	t.Cleanup(api.Close)
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	idp.Allow("mcpgate", url+"/auth/callback")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pets.yaml"), petstore)
	write(t, filepath.Join(dir, "gateway.yaml"), `name: pets
key: a-key-for-tests-a-key-for-tests-a-key
server: {public_url: "`+url+`"}
providers:
  idp: {issuer: "`+idp.Issuer()+`", client_id: mcpgate, scopes: [openid, offline_access]}
auth:
  mode: oauth
  oauth:
    provider: idp
    scopes: [pets.read, pets.write]
    store: {type: memory}
`+more+`upstreams:
  pets:
    spec: pets.yaml
    base_url: `+api.URL+`
    expose: all
    credential: {type: login, provider: idp}
    tools:
      create_pet: {operation: createPet, scopes: [pets.write]}
`)
	cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	e := &entrance{t: t, url: url, idp: idp}
	g, err := New(t.Context(), cfg, Options{Now: func() time.Time { return time.Now().Add(time.Duration(e.ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	e.gateway = g
	server.Config.Handler = g.Handler()
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := g.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	e.await()
	return e
}

// await waits until the gateway is ready: the provider is discovered in the background.
func (e *entrance) await() {
	e.t.Helper()
	for range 1000 {
		if do(e.t, http.MethodGet, e.url+"/readyz", "").status == http.StatusOK {
			return
		}
	}
	e.t.Fatal("it never becomes ready")
}

// later lets time pass for the gateway.
func (e *entrance) later(d time.Duration) { e.ahead.Add(int64(d)) }

// get reads a JSON document.
func (e *entrance) get(url string, into any) {
	e.t.Helper()
	got := do(e.t, http.MethodGet, url, "")
	if err := json.Unmarshal([]byte(got.body), into); err != nil || got.status != http.StatusOK {
		e.t.Fatalf("%s: %d %s %v", url, got.status, got.body, err)
	}
}

// tokens are an answer of /token.
type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`
}

// serverMetadata is what a client reads of the authorization server.
type serverMetadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Registration  string `json:"registration_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// appClient is an MCP client that registered itself.
type appClient struct {
	*entrance
	id       string
	redirect string
	metadata serverMetadata
	verifier string
}

// discover goes the way of a client that knows nothing but the URL: 401, protected resource, authorization server, registration.
func (e *entrance) discover() *appClient {
	e.t.Helper()
	refused := do(e.t, http.MethodPost, e.url+"/mcp", callGetPet, "Content-Type: application/json")
	_, location, found := strings.Cut(refused.header.Get("WWW-Authenticate"), `resource_metadata="`)
	if location, _, _ = strings.Cut(location, `"`); refused.status != http.StatusUnauthorized || !found {
		e.t.Fatalf("%d %v", refused.status, refused.header)
	}
	var resource struct {
		Servers []string `json:"authorization_servers"`
	}
	e.get(location, &resource)
	c := &appClient{entrance: e, redirect: "http://127.0.0.1:9/callback", verifier: strings.Repeat("v", 43)}
	e.get(resource.Servers[0]+"/.well-known/oauth-authorization-server", &c.metadata)
	registered := do(e.t, http.MethodPost, c.metadata.Registration, `{"client_name":"test","redirect_uris":["`+c.redirect+`"]}`, "Content-Type: application/json")
	var made struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(registered.body), &made); err != nil || registered.status != http.StatusCreated {
		e.t.Fatalf("%d %s", registered.status, registered.body)
	}
	c.id = made.ID
	return c
}

// authorizeURL is where the client sends the person's browser.
func (c *appClient) authorizeURL() string {
	challenge := sha256.Sum256([]byte(c.verifier))
	return c.metadata.Authorization + "?" + url.Values{
		"response_type": {"code"}, "client_id": {c.id}, "redirect_uri": {c.redirect}, "state": {"s1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}, "resource": {c.url + "/mcp"},
	}.Encode()
}

// token asks the token endpoint.
func (c *appClient) token(form url.Values) (tokens, answer) {
	c.t.Helper()
	form.Set("client_id", c.id)
	got := do(c.t, http.MethodPost, c.metadata.Token, form.Encode(), "Content-Type: application/x-www-form-urlencoded")
	var t tokens
	if got.status == http.StatusOK {
		if err := json.Unmarshal([]byte(got.body), &t); err != nil {
			c.t.Fatal(err)
		}
	}
	return t, got
}

// logIn is the whole way: to tokens of the gateway's.
func (c *appClient) logIn() tokens {
	c.t.Helper()
	back, err := fakeidp.NewBrowser(c.redirect).Allow(c.t.Context(), c.authorizeURL())
	if err != nil {
		c.t.Fatal(err)
	}
	if back.Query().Get("code") == "" || back.Query().Get("state") != "s1" || back.Query().Get("iss") != c.metadata.Issuer {
		c.t.Fatalf("sent back with %s", back)
	}
	t, got := c.token(url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")},
		"redirect_uri": {c.redirect}, "code_verifier": {c.verifier}})
	if t.AccessToken == "" {
		c.t.Fatalf("%d %s", got.status, got.body)
	}
	return t
}

// call calls a tool as the person.
func (e *entrance) call(token, tool, arguments string) answer {
	e.t.Helper()
	return do(e.t, http.MethodPost, e.url+"/mcp",
		fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments),
		"Content-Type: application/json", "Accept: application/json, text/event-stream", "Authorization: Bearer "+token)
}

// A client that knows nothing but the URL logs a person in and calls a tool with this person's own token.
func TestLogin(t *testing.T) {
	e := newEntrance(t, fakeidp.Options{}, "")
	c := e.discover()
	tokens := c.logIn()
	got := e.call(tokens.AccessToken, "getPet", `{"id":1}`)
	if got.status != http.StatusOK || !strings.Contains(got.body, "alice") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	renewed, answered := c.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}})
	if renewed.AccessToken == "" || renewed.RefreshToken == tokens.RefreshToken {
		t.Fatalf("%d %s", answered.status, answered.body)
	}
	e.later(time.Minute) // a token of this moment is not taken for a spent one
	e.idp.ExpireAccessTokens()
	if got := e.call(renewed.AccessToken, "getPet", `{"id":1}`); got.status != http.StatusOK || !strings.Contains(got.body, "alice") {
		t.Errorf("after the API's token ended: %d %s", got.status, got.body)
	}
	e.later(time.Minute)
	e.idp.EndGrants()
	e.idp.ExpireAccessTokens()
	e.call(renewed.AccessToken, "getPet", `{"id":1}`) // finds out that the login is over
	if got := e.call(renewed.AccessToken, "getPet", `{"id":1}`); got.status != http.StatusUnauthorized {
		t.Errorf("after the provider ended the login: %d %s", got.status, got.body)
	}
	if _, got := c.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {renewed.RefreshToken}}); got.status != http.StatusBadRequest || !strings.Contains(got.body, "invalid_grant") {
		t.Errorf("a refresh then: %d %s", got.status, got.body)
	}
}
