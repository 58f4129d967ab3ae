package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

// A token of the gateway's own from end to end: asked for at the first call, shared by all, never shown, and an address that comes with it.
func TestCallsWithATokenOfTheGatewaysOwn(t *testing.T) {
	var api *httptest.Server
	idp := fakeidp.Start(t, fakeidp.Options{Clients: []fakeidp.Client{{ID: "gw", Secret: "the-client-secret"}}})
	api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		if r.URL.Path == "/v1/pets/2" { // an API that tells what it should not
			replyJSON(w, http.StatusForbidden, map[string]string{"message": "no: " + r.Header.Get("Authorization")})
			return
		}
		idp.API().ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	idp.Change(func(o *fakeidp.Options) { o.Extra = map[string]any{"instance_url": api.URL} })
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pets.yaml"), petstore)
	write(t, filepath.Join(dir, "gateway.yaml"), `name: pets
upstreams:
  pets:
    spec: pets.yaml
    base_url: "{token.instance_url}/v1"
    allow_hosts: [127.0.0.1]
    expose: all
    credential: {type: client_credentials, token_url: "`+idp.URL("token")+`", client_id: gw, client_secret: "${SECRET}", keep: [instance_url]}
`)
	cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(key string) (string, bool) { return "the-client-secret", key == "SECRET" })
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(t.Context(), cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close(t.Context()) })
	for range 3 {
		if got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`)); !got.OK || !strings.Contains(string(got.Data), "gw") {
			t.Fatalf("%+v %s", got.Errors, got.Data)
		}
	}
	if asked := idp.Requests()["token"]; asked != 1 {
		t.Errorf("%d token requests, want one", asked)
	}
	got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":2}`))
	if got.OK || got.Errors[0].Code != fault.APIPermission || !strings.Contains(string(got.json()), "no: Bearer [secret]") {
		t.Errorf("%s", got.json())
	}
	for _, secret := range idp.Secrets() {
		if strings.Contains(string(got.json()), secret) {
			t.Errorf("a secret goes out: %s", got.json())
		}
	}
	shown, err := g.DryRun(t.Context(), "getPet", json.RawMessage(`{"id":1}`))
	if err != nil || !strings.Contains(shown, "Authorization: Bearer [secret]") {
		t.Errorf("%v %s", err, shown)
	}
}

// A secret that was left empty fails the upstream's calls, says which key, and asks nobody.
func TestEmptyClientSecret(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pets.yaml"), petstore)
	write(t, filepath.Join(dir, "gateway.yaml"), `upstreams:
  pets: {spec: pets.yaml, base_url: "https://pets.example", credential: {type: client_credentials, token_url: "https://id.example/token", client_id: gw, client_secret: "${SECRET:-}"}}
`)
	cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(t.Context(), cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close(t.Context()) })
	if got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`)); got.OK || got.Errors[0].Code != fault.ConfigurationMissing {
		t.Errorf("%+v", got)
	}
	if len(g.Report().Warnings) != 1 || !strings.Contains(g.Report().Warnings[0].Message, "client_secret is empty") {
		t.Errorf("%v", g.Report().Warnings)
	}
}
