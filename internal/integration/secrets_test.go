package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpgate/internal/fakeclient"
	"mcpgate/internal/fakeidp"
)

// wire remembers every secret that crosses it: what a person's browser and a client send and get.
type wire struct {
	mu      sync.Mutex
	secrets map[string]string // value -> what it is
}

// secretFields are those of queries, forms and JSON answers that nobody else may know.
var secretFields = []string{"code", "state", "code_verifier", "nonce", "access_token", "refresh_token", "id_token", "token", "client_secret", "csrf", "tx"}

func (w *wire) note(what, value string) {
	if len(value) < 8 { // found in anything
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[value] = what
}

func (w *wire) noteForm(what string, form url.Values) {
	for _, name := range secretFields {
		for _, value := range form[name] {
			w.note(what+" "+name, value)
		}
	}
}

// RoundTrip sends, and takes note of both sides.
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.noteForm("query", req.URL.Query())
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil && strings.Contains(req.Header.Get("Content-Type"), "form") {
			w.noteForm("form", form)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	for _, cookie := range resp.Cookies() {
		w.note("cookie "+cookie.Name, cookie.Value)
	}
	if to, err := resp.Location(); err == nil {
		w.noteForm("redirect", to.Query())
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		for _, name := range secretFields {
			if text, ok := fields[name].(string); ok {
				w.note("answer "+name, text)
			}
		}
	}
	return resp, nil
}

// A whole life of a login at the most detailed log: no secret that crossed the wire, on either side of the gateway, is in what the
// gateway wrote.
func TestNoSecretInTheLog(t *testing.T) {
	const key, secret = "the-key-of-this-gateway-in-this-test", "the-client-secret-at-the-provider"
	w := &wire{secrets: map[string]string{key: "key", secret: "client secret"}}
	e := newEntrance(t)
	p := fakeidp.Start(t, fakeidp.Options{Clients: []fakeidp.Client{{ID: "mcpgate", Secret: secret, RedirectURIs: []string{e.url + "/auth/callback"}}}})
	api := httptest.NewServer(p.API())
	t.Cleanup(api.Close)
	yaml := strings.ReplaceAll(e.yaml(&idp{issuer: p.Issuer(), api: api.URL}, "    client_secret: "+secret, "    refresh_grace: 0s"),
		"a-key-for-tests-a-key-for-tests-a-key", key) + "telemetry: {log: {level: debug, format: json}}\n"
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	written := &log{}
	cmd := exec.Command(program, "serve", "-c", file, "--listen", e.url[len("http://"):])
	cmd.Stdout, cmd.Stderr = written, written
	ended := start(t, cmd)
	await(t, e.url+"/readyz", 20*time.Second, ended)

	ctx := t.Context()
	c, err := fakeclient.Discover(ctx, e.url+"/mcp")
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP = &http.Client{Transport: w}
	browse := func(button string, more url.Values) (*url.URL, error) {
		browser := fakeclient.NewBrowser(c.Redirect)
		browser.HTTP.Transport = w
		page, err := browser.Open(ctx, c.AuthorizeURL(more))
		if err == nil && page.Back == nil {
			page, err = browser.Press(ctx, page, button)
		}
		return page.Back, err
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	call := func(token string) {
		t.Helper()
		_, err := c.Call(ctx, token, "who_am_i", "{}")
		must("a call", err)
	}

	_, err = browse("deny", nil)
	must("declining", err)
	p.Fail("token", fakeidp.Status(http.StatusServiceUnavailable, "1"))
	_, err = browse("allow", nil)
	must("a provider that fails", err)
	p.Mend()
	back, err := browse("allow", nil)
	must("logging in", err)
	tokens, err := c.Redeem(ctx, back)
	must("the code", err)
	_, _, err = c.Token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {c.Redirect},
		"code_verifier": {strings.Repeat("x", 43)}}) // a second time: this ends the login
	must("the code again", err)
	call(tokens.AccessToken)
	back, err = browse("allow", nil)
	must("logging in again", err)
	tokens, err = c.Redeem(ctx, back)
	must("the second code", err)
	call(tokens.AccessToken)
	renewed, _, err := c.Refresh(ctx, tokens.RefreshToken)
	must("a refresh", err)
	p.ExpireAccessTokens()
	call(renewed.AccessToken)
	p.EndGrants()
	call(renewed.AccessToken)
	_, _, err = c.Refresh(ctx, tokens.RefreshToken) // a replaced one
	must("a reuse", err)
	call(renewed.AccessToken)
	_, _, err = c.Token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"made-up-made-up-made-up"}})
	must("a made-up token", err)
	form := url.Values{"token": {renewed.RefreshToken}, "client_id": {c.ID}}
	resp, err := c.HTTP.PostForm(c.Server.Revocation, form)
	must("revoking", err)
	_ = resp.Body.Close()
	_ = cmd.Process.Signal(os.Interrupt)
	<-ended

	for _, value := range p.Secrets() {
		w.note("the provider's", value)
	}
	text := written.String()
	if len(w.secrets) < 20 || !strings.Contains(text, `"level":"DEBUG"`) || !strings.Contains(text, "token.refreshed") {
		t.Fatalf("the test did not see enough: %d secrets in\n%s", len(w.secrets), tail(text, 4000))
	}
	for value, what := range w.secrets {
		for _, form := range []string{value, url.QueryEscape(value)} {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("the log has a secret (%s): %s", what, fmt.Sprintf("%.300s", text[max(0, i-200):]))
				break
			}
		}
	}
}
