package integration

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"mcpgate/internal/fakeclient"
)

// startZitadel starts zitadel's example provider in this process, with a confidential client "mcpgate", and an API that takes
// its tokens.
func startZitadel(t *testing.T, gateway string) *idp {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	storage.RegisterClients(storage.WebClient("mcpgate", "a-secret", gateway+"/auth/callback"))
	server.Config.Handler = exampleop.SetupServer(issuer, storage.NewStorage(storage.NewUserStore(issuer)), slog.New(slog.DiscardHandler), false, op.WithAllowInsecure())
	server.Start()
	t.Cleanup(server.Close)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, issuer+"/userinfo", nil)
		if err != nil {
			t.Error(err)
			return
		}
		ask.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(ask)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(api.Close)
	return &idp{t: t, issuer: issuer, api: api.URL}
}

// The whole way at zitadel's provider, where a person types a name and a password.
func TestLoginAtZitadel(t *testing.T) {
	e := newEntrance(t)
	p := startZitadel(t, e.url)
	e.run(t, e.yaml(p, "    client_secret: a-secret", ""))
	c, err := fakeclient.Discover(t.Context(), e.url+"/mcp")
	if err != nil {
		t.Fatal(err)
	}
	browser := fakeclient.NewBrowser(c.Redirect)
	page, err := browser.Open(t.Context(), c.AuthorizeURL(nil))
	if err == nil {
		page, err = browser.Press(t.Context(), page, "allow")
	}
	if err == nil {
		page, err = browser.Submit(t.Context(), page, "", map[string]string{"username": "test-user@127.0.0.1", "password": "verysecure"})
	}
	if err != nil || page.Back == nil {
		t.Fatalf("%v: %d %s", err, page.Status, page.Text)
	}
	tokens, err := c.Redeem(t.Context(), page.Back)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Call(t.Context(), tokens.AccessToken, "who_am_i", "{}")
	if err != nil || answer.Status != http.StatusOK || !strings.Contains(string(answer.Body), "test-user@") {
		t.Errorf("%v %d %s", err, answer.Status, answer.Body)
	}
	if renewed, answer, err := c.Refresh(t.Context(), tokens.RefreshToken); err != nil || renewed.AccessToken == "" {
		t.Errorf("%v %d %s", err, answer.Status, answer.Body)
	}
}
