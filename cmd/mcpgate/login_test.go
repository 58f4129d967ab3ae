package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/internal/fakeidp"
)

type idpKey struct{}

// idp starts a provider like Keycloak and puts its issuer into $ISSUER, or changes it: idp [down | refuse | mend | told N | secrets FILE...].
// told fails where the provider was not asked to revoke that often, and secrets where one of the files holds a token, a code, a
// state or a verifier that the provider saw.
func idp(ts *testscript.TestScript, neg bool, args []string) {
	held, _ := ts.Value(idpKey{}).(*fakeidpOfScript)
	switch {
	case neg:
		ts.Fatalf("usage: idp [down | refuse | mend | told N | secrets FILE...]")
	case len(args) == 0:
		held.start(ts)
	case args[0] == "down":
		held.Down()
	case args[0] == "refuse":
		held.Fail("token", fakeidp.Refuse("invalid_grant"))
	case args[0] == "mend":
		held.Mend()
	case args[0] == "told" && len(args) == 2:
		if got := fmt.Sprint(held.Requests()["revoke"]); got != args[1] {
			ts.Fatalf("the provider was told of %s logins that ended, want %s", got, args[1])
		}
	case args[0] == "secrets":
		for _, name := range args[1:] {
			text := ts.ReadFile(name)
			for _, secret := range held.Secrets() {
				if secret != "" && strings.Contains(text, secret) {
					ts.Fatalf("%s shows a secret", name)
				}
			}
		}
	default:
		ts.Fatalf("idp knows no %s", args[0])
	}
}

// fakeidpOfScript is the provider of one script.
type fakeidpOfScript struct{ *fakeidp.IdP }

func (f *fakeidpOfScript) start(ts *testscript.TestScript) {
	options := fakeidp.Keycloak()
	options.Form = true
	options.User = fakeidp.User{Subject: "anne-17", Claims: map[string]any{"email": "anne@example.com", "name": "Anne"}}
	options.OnRequest = func(endpoint string, r *http.Request) {
		// A native client's redirect URI may have any port (RFC 8252 section 7.3).
		if uri, err := url.Parse(r.URL.Query().Get("redirect_uri")); endpoint == "authorize" && err == nil && config.IsLoopback(uri.Hostname()) {
			f.Allow("mcpgate", uri.String())
		}
	}
	f.IdP = fakeidp.Start(cleanup{ts}, options)
	ts.Setenv("ISSUER", f.Issuer())
}

type cleanup struct{ ts *testscript.TestScript }

func (c cleanup) Cleanup(f func()) { c.ts.Defer(f) }

// browser is the program that opens a page for a person. $BROWSER_DOES says what the person does: logs in, denies, comes with another
// login's state first (stray), or nothing (sleeps). The last page is written to $WORK/page.html.
func browser() {
	if err := browse(os.Args[1], os.Getenv("BROWSER_DOES")); err != nil {
		_ = os.WriteFile(filepath.Join(os.Getenv("WORK"), "page.html"), []byte(err.Error()), 0o600)
		os.Exit(1)
	}
}

func browse(address, does string) error {
	target, err := url.Parse(address)
	if err != nil || does == "sleeps" {
		return err
	}
	if does == "stray" {
		stray := target.Query().Get("redirect_uri") + "?code=stolen&state=another"
		if _, err := http.Get(stray); err != nil {
			return err
		}
	}
	form := url.Values{"username": {"anne-17"}}
	if does == "denies" {
		form = url.Values{"deny": {"1"}}
	}
	answer, err := http.PostForm(address, form)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	name := filepath.Join(os.Getenv("WORK"), "page.html")
	if err := os.WriteFile(name+".new", page, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// page waits for the browser, which may outlive the command that opened it, to show a page with a text: page TEXT. The page is closed
// then.
func page(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: page TEXT")
	}
	tick, limit := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	name := ts.MkAbs("page.html")
	for {
		text, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(text), args[0]) {
			held, _ := ts.Value(idpKey{}).(*fakeidpOfScript)
			for _, secret := range held.Secrets() {
				if strings.Contains(string(text), secret) {
					ts.Fatalf("the page shows a secret")
				}
			}
			ts.Check(os.Remove(name))
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			ts.Fatalf("no page with %q came: %s, %v", args[0], text, err)
		}
	}
}

// member lets somebody log in to a gateway through a client, as people do over HTTP, and stops the gateway: member CONFIG CLIENT.
// The port is $PORT.
func member(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: member CONFIG CLIENT")
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv("PORT", port)
	cfg, err := config.Load(ts.MkAbs(args[0]), func(name string) (string, bool) { value := ts.Getenv(name); return value, value != "" })
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	gw, err := gateway.New(ctx, cfg, gateway.Options{})
	ts.Check(err)
	server := httptest.NewUnstartedServer(gw.Handler())
	_ = server.Listener.Close()
	server.Listener = l
	server.Start()
	err = ready(ctx, cfg.Server.PublicURL)
	if err == nil {
		err = connect(cfg.Server.PublicURL, args[1])
	}
	server.Close()
	ts.Check(gw.Close(ctx))
	ts.Check(err)
}

// ready waits until the gateway knows its provider.
func ready(ctx context.Context, base string) error {
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		answer, err := http.Get(base + "/readyz")
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			tick.Stop()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("/readyz says %d, %w", answer.StatusCode, ctx.Err())
		}
	}
}

// connect is a client that logs somebody in and redeems the code.
func connect(issuer, clientID string) error {
	const redirect, verifier, challenge = "http://localhost/cb", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	web := &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/cb" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	answer, err := web.Get(issuer + "/authorize?" + url.Values{"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}, "state": {"x"}}.Encode())
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.Request.URL.Path != "/cb" && answer.StatusCode == http.StatusOK { // the provider's form
		if answer, err = web.PostForm(answer.Request.URL.String(), url.Values{"username": {"anne-17"}}); err != nil {
			return err
		}
		answer.Body.Close()
	}
	back, err := answer.Location()
	if err != nil || back.Query().Get("code") == "" {
		return fmt.Errorf("no code: %d at %s, %w", answer.StatusCode, answer.Request.URL.Path, err)
	}
	answer, err = web.PostForm(issuer+"/token", url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "client_id": {clientID},
		"redirect_uri": {redirect}, "code_verifier": {verifier}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("/token: %d %s", answer.StatusCode, text)
	}
	return nil
}
