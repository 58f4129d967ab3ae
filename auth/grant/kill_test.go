package grant

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

var kills = flag.Int("kills", 2, "how many processes TestKillLosesNoLogin kills")

// What a child process is told: the folder, and the provider.
const (
	killFolder = "MCPGATE_TEST_GRANT_FOLDER"
	killIssuer = "MCPGATE_TEST_GRANT_ISSUER"
)

const killGrants = 8

func TestMain(m *testing.M) {
	if dir := os.Getenv(killFolder); dir != "" {
		callUntilKilled(dir, os.Getenv(killIssuer))
	}
	os.Exit(m.Run())
}

func killProvider(issuer string) (*provider.Provider, error) {
	return provider.New(&config.Provider{
		Name: "idp", ClientID: "mcpgate", Subject: "sub", Scopes: []string{"openid"},
		AuthorizationURL: issuer + "/authorize", TokenURL: issuer + "/token", UserinfoURL: issuer + "/userinfo",
	}, provider.Options{})
}

// killKeeper opens the folder as a gateway does, with shorter times.
func killKeeper(dir, issuer string) (*Keeper, error) {
	store, err := tokenstore.Open(context.Background(), config.Store{Type: "file", Path: dir}, tokenstore.Options{})
	if err != nil {
		return nil, err
	}
	p, err := killProvider(issuer)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	k := New(store, seal.NewRing(strings.Repeat("k", 32)), map[string]Refresher{"idp": p}, Options{CacheSize: 100, Logger: log})
	k.leaseTTL, k.answerGrace = 300*time.Millisecond, 200*time.Millisecond
	return k, nil
}

func killKey(i int) Key { return Key{fmt.Sprint("session-", i), "idp"} }

// callUntilKilled asks for tokens without end: each lives a second.
func callUntilKilled(dir, issuer string) {
	k, err := killKeeper(dir, issuer)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := range killGrants {
		go func() {
			for {
				_, _ = k.Tokens(context.Background(), killKey(i))
				time.Sleep(time.Millisecond)
			}
		}()
	}
	select {}
}

// gate stands before the provider, so that a test can kill a process at any moment but one: after the provider took a refresh
// token back and before the process wrote the new one. In that moment nobody can save the login.
type gate struct {
	idp *fakeidp.IdP

	mu    sync.RWMutex
	count atomic.Int64 // of processes that were killed
}

// ServeHTTP lets no request of a killed process through.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	count := g.count.Load()
	time.Sleep(rand.N(400 * time.Millisecond))
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.count.Load() != count {
		panic(http.ErrAbortHandler)
	}
	g.idp.ServeHTTP(w, r)
}

// kill stops a process while no answer is on its way to it.
func (g *gate) kill(process *exec.Cmd) {
	g.mu.Lock()
	defer g.mu.Unlock()
	time.Sleep(300 * time.Millisecond) // what was answered is written
	_ = process.Process.Kill()
	_ = process.Wait()
	time.Sleep(50 * time.Millisecond) // what it sent has arrived
	g.count.Add(1)
}

const killCallback = "https://gateway.example/callback"

// killLogin goes through the provider's pages.
func killLogin(t *testing.T, idp *fakeidp.IdP) (provider.Tokens, provider.Identity) {
	t.Helper()
	p, err := killProvider(idp.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	verifier := strings.Repeat("v", 43)
	address, err := p.AuthorizeURL(provider.AuthorizeRequest{State: "a-state", Verifier: verifier, RedirectURI: killCallback})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := idp.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	target, err := answer.Location()
	if err != nil {
		t.Fatal(err)
	}
	tokens, who, err := p.Exchange(t.Context(), provider.Callback{Query: target.Query(), Verifier: verifier, RedirectURI: killCallback})
	if err != nil {
		t.Fatal(err)
	}
	return tokens, who
}

// A process that refreshes eight grants each second is killed again and again: while it waits for a lease, while it marks a record, while the provider
// has not heard of it yet. No login is lost, and no refresh token is used twice.
func TestKillLosesNoLogin(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	t.Parallel()
	g := &gate{}
	server := httptest.NewUnstartedServer(g)
	g.idp = fakeidp.New(fakeidp.Options{
		Origin: "http://" + server.Listener.Addr().String(), AccessTokenTTL: time.Second,
		Clients: []fakeidp.Client{{ID: "mcpgate", RedirectURIs: []string{killCallback}}},
	})
	server.Start()
	defer server.Close()
	dir := t.TempDir()
	issuer := g.idp.Issuer()
	k, err := killKeeper(dir, issuer)
	if err != nil {
		t.Fatal(err)
	}
	for i := range killGrants {
		tokens, who := killLogin(t, g.idp)
		if err := k.Keep(t.Context(), killKey(i), who, tokens, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for range *kills {
		var log bytes.Buffer
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), killFolder+"="+dir, killIssuer+"="+issuer)
		child.Stderr = &log
		before, _ := g.idp.Refreshes()
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for after, began := before, time.Now(); after < before+killGrants; after, _ = g.idp.Refreshes() {
			if time.Sleep(10 * time.Millisecond); time.Since(began) > 20*time.Second {
				t.Errorf("only %d refreshes", after-before)
				break
			}
		}
		time.Sleep(rand.N(time.Second))
		g.kill(child)
		if log.Len() > 0 {
			t.Fatalf("the log:\n%s", &log)
		}
	}
	marked := 0 // at the last kill
	for i := range killGrants {
		if r, _, err := k.table.Get(t.Context(), killKey(i).id()); err == nil && !r.Asked.IsZero() {
			marked++
		}
		tokens, err := k.Tokens(t.Context(), killKey(i))
		for began := time.Now(); errors.Is(err, fault.Unavailable) && time.Since(began) < 30*time.Second; {
			time.Sleep(100 * time.Millisecond) // the lease is so short that a slow disk outlasts it
			tokens, err = k.Tokens(t.Context(), killKey(i))
		}
		if err != nil || tokens.AccessToken == "" {
			t.Errorf("login %d: %v", i, err)
		}
	}
	answered, reused := g.idp.Refreshes()
	if reused > 0 {
		t.Errorf("%d refresh tokens were used twice", reused)
	}
	if err := k.Close(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d refreshes, %d kills, the last one in the middle of %d refreshes", answered, *kills, marked)
}
