package gateway

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/config"
	"mcpgate/internal/fakeclient"
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

// newEntrance starts one, and waits until it is ready. more is more of auth.oauth, in one line of YAML each.
func newEntrance(t testing.TB, options fakeidp.Options, more string) *entrance {
	t.Helper()
	e := openEntrance(t, options, more)
	awaitReady(t, e.url)
	return e
}

// openEntrance starts one.
func openEntrance(t testing.TB, options fakeidp.Options, more string) *entrance {
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
	return e
}

// later lets time pass for the gateway.
func (e *entrance) later(d time.Duration) { e.ahead.Add(int64(d)) }

// discover returns a client that registered itself.
func (e *entrance) discover() *fakeclient.Client {
	e.t.Helper()
	c, err := fakeclient.Discover(e.t.Context(), e.url+"/mcp")
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// logIn lets a person log in with the client.
func (e *entrance) logIn(c *fakeclient.Client) fakeclient.Tokens {
	e.t.Helper()
	tokens, err := c.LogIn(e.t.Context())
	if err != nil {
		e.t.Fatal(err)
	}
	return tokens
}

// getPet calls the tool with a token.
func (e *entrance) getPet(c *fakeclient.Client, token string) fakeclient.Answer {
	e.t.Helper()
	a, err := c.Call(e.t.Context(), token, "getPet", `{"id":1}`)
	if err != nil {
		e.t.Fatal(err)
	}
	return a
}

// refresh exchanges a refresh token.
func (e *entrance) refresh(c *fakeclient.Client, token string) (fakeclient.Tokens, fakeclient.Answer) {
	e.t.Helper()
	tokens, a, err := c.Refresh(e.t.Context(), token)
	if err != nil {
		e.t.Fatal(err)
	}
	return tokens, a
}

// A client that knows nothing but the URL logs a person in and calls a tool with this person's own token, for as long as the
// provider lets the login live.
func TestLogin(t *testing.T) {
	e := newEntrance(t, fakeidp.Options{}, "")
	c := e.discover()
	tokens := e.logIn(c)
	if got := e.getPet(c, tokens.AccessToken); got.Status != http.StatusOK || !bytes.Contains(got.Body, []byte("alice")) {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	renewed, answered := e.refresh(c, tokens.RefreshToken)
	if renewed.AccessToken == "" || renewed.RefreshToken == tokens.RefreshToken {
		t.Fatalf("%d %s", answered.Status, answered.Body)
	}
	e.later(time.Minute) // a token of this moment is not taken for a spent one
	e.idp.ExpireAccessTokens()
	if got := e.getPet(c, renewed.AccessToken); got.Status != http.StatusOK || !bytes.Contains(got.Body, []byte("alice")) {
		t.Errorf("after the API's token ended: %d %s", got.Status, got.Body)
	}
	e.later(time.Minute)
	e.idp.EndGrants()
	e.idp.ExpireAccessTokens()
	e.getPet(c, renewed.AccessToken) // finds out that the login is over
	if got := e.getPet(c, renewed.AccessToken); got.Status != http.StatusUnauthorized {
		t.Errorf("after the provider ended the login: %d %s", got.Status, got.Body)
	}
	if _, got := e.refresh(c, renewed.RefreshToken); got.Status != http.StatusBadRequest || !bytes.Contains(got.Body, []byte("invalid_grant")) {
		t.Errorf("a refresh then: %d %s", got.Status, got.Body)
	}
}
