package integration

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/internal/fakeclient"
	"mcpgate/internal/fakeidp"
)

// kills is how often TestKilledGateway kills: ten times, or as often as $MCPGATE_KILLS says.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("MCPGATE_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A gateway on the file store that is killed with -9 under load, again and again, while tokens that live a second are refreshed: no
// login is lost, and no refresh token is shown to the provider twice. One moment is left out: between the provider's answer and its
// being written, a killed process takes the only copy of a rotated token along, which nobody can undo.
func TestKilledGateway(t *testing.T) {
	t.Parallel()          // it waits most of its time
	var gate sync.RWMutex // held while nothing may be answered
	p := fakeidp.Start(t, fakeidp.Options{AccessTokenTTL: time.Second, OnRequest: func(endpoint string, r *http.Request) {
		if endpoint != "token" {
			return
		}
		_ = r.ParseForm() // net/http notices that a client is gone only once its request is read
		gate.RLock()
		defer gate.RUnlock()
		if r.Context().Err() != nil { // whoever asked was killed: the request never got here
			panic(http.ErrAbortHandler)
		}
	}})
	api := httptest.NewServer(p.API())
	t.Cleanup(api.Close)
	e := newEntrance(t)
	p.Allow("mcpgate", e.url+"/auth/callback")
	folder := t.TempDir()
	file := filepath.Join(folder, "gateway.yaml")
	if err := os.WriteFile(file, []byte(e.yaml(&idp{issuer: p.Issuer(), api: api.URL}, "", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func() (kill func()) {
		cmd := exec.Command(program, "serve", "-c", file, "--listen", e.url[len("http://"):])
		ended := start(t, cmd)
		await(t, e.url+"/readyz", 20*time.Second, ended)
		return func() {
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	kill := run()
	const people = 6
	var clients [people]*fakeclient.Client
	var tokens [people]fakeclient.Tokens
	for i := range people {
		c, err := fakeclient.Discover(t.Context(), e.url+"/mcp")
		if err == nil {
			tokens[i], err = c.LogIn(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		clients[i] = c
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	var good atomic.Int64
	for i := range people {
		load.Go(func() {
			for ctx.Err() == nil {
				a, err := clients[i].Call(ctx, tokens[i].AccessToken, "who_am_i", "{}")
				switch {
				case err != nil: // it was killed
				case a.Status == http.StatusUnauthorized || bytes.Contains(a.Body, []byte("login_required")):
					t.Errorf("person %d is logged out: %d %s", i, a.Status, a.Body)
					return
				case served(a):
					good.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	for range kills(t) {
		time.Sleep(700 * time.Millisecond)
		gate.Lock()
		time.Sleep(200 * time.Millisecond) // what was answered is written
		kill()
		time.Sleep(100 * time.Millisecond) // the provider sees the connections break
		gate.Unlock()
		kill = run()
	}
	time.Sleep(20 * time.Second) // a refresh that was cut off is waited for, then done again
	stop()
	load.Wait()
	for i := range people {
		renewed, a, err := clients[i].Refresh(t.Context(), tokens[i].RefreshToken)
		if err != nil || renewed.AccessToken == "" {
			t.Errorf("person %d can't refresh afterwards: %v %d %s", i, err, a.Status, a.Body)
			continue
		}
		if a, err := clients[i].Call(t.Context(), renewed.AccessToken, "who_am_i", "{}"); err != nil || !served(a) {
			t.Errorf("person %d can't call afterwards: %v %d %s", i, err, a.Status, a.Body)
		}
	}
	answered, reused := p.Refreshes()
	t.Logf("%d kills, %d calls served, %d refreshes", kills(t), good.Load(), answered)
	if reused != 0 {
		t.Errorf("%d refresh tokens were used twice", reused)
	}
	if good.Load() < 50 || answered < people {
		t.Errorf("the test did not see enough: %d calls, %d refreshes", good.Load(), answered)
	}
	kill()
}

// Access tokens that live ten seconds, at a provider that others wrote and that ends a login whose refresh token comes a second time:
// the person notices nothing.
func TestTokensOfTenSeconds(t *testing.T) {
	t.Parallel() // it waits most of its time
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{Lifetime: 10 * time.Second})
	e.run(t, e.yaml(p, "", ""))
	c, err := fakeclient.Discover(t.Context(), e.url+"/mcp")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := c.LogIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for over := time.After(22 * time.Second); ; {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if a, err := c.Call(t.Context(), tokens.AccessToken, "who_am_i", "{}"); err != nil || !served(a) {
					t.Errorf("%v %d %s", err, a.Status, a.Body)
				}
			})
		}
		all.Wait()
		select {
		case <-over:
			if seen := p.seen(); seen.Refreshes < 2 || seen.Refreshes > 4 || seen.Refused != 0 || seen.Codes != 1 {
				t.Errorf("the provider saw %+v", seen)
			}
			return
		case <-time.After(250 * time.Millisecond):
		}
	}
}
