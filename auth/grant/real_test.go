package grant_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

const callback = "https://gateway.example/auth/callback"

// process is one gateway of several that share a folder.
type process struct {
	*grant.Keeper
	provider *provider.Provider
}

// site is what all processes see.
type site struct {
	t      *testing.T
	idp    *fakeidp.IdP
	folder string
	ring   *seal.Ring
	log    *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func newSite(t *testing.T, o fakeidp.Options) *site {
	o.Origin = "https://id.example"
	o.Clients = []fakeidp.Client{{ID: "mcpgate", RedirectURIs: []string{callback}}}
	return &site{t, fakeidp.New(o), t.TempDir(), seal.NewRing(strings.Repeat("k", 32)), &syncBuffer{}}
}

func (s *site) start() *process {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store, err := tokenstore.Open(s.t.Context(), config.Store{Type: "file", Path: s.folder}, tokenstore.Options{Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := provider.New(&config.Provider{
		Name: "idp", Issuer: s.idp.Issuer(), ClientID: "mcpgate", Subject: "sub", Refresh: config.ProviderRefresh{Buffer: config.Duration(5 * time.Minute)},
	}, provider.Options{Client: &http.Client{Transport: s.idp.Transport()}, Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.Discover(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	keeper := grant.New(store, s.ring, map[string]grant.Refresher{"idp": p}, grant.Options{CacheSize: 100, Logger: log})
	s.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return &process{keeper, p}
}

// login goes through the provider's pages.
func (s *site) login(p *process, key grant.Key) {
	s.t.Helper()
	verifier := strings.Repeat("v", 43)
	address, err := p.provider.AuthorizeURL(provider.AuthorizeRequest{State: "state-of-a-good-length", Nonce: "nonce", Verifier: verifier, RedirectURI: callback})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := s.idp.Transport().RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	target, err := answer.Location()
	if err != nil {
		s.t.Fatal(err)
	}
	tokens, who, err := p.provider.Exchange(s.t.Context(), provider.Callback{Query: target.Query(), Verifier: verifier, Nonce: "nonce", RedirectURI: callback})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.Keep(s.t.Context(), key, who, tokens, 24*time.Hour); err != nil {
		s.t.Fatal(err)
	}
}

// use shows a token to the provider's own API.
func (s *site) use(p *process, key grant.Key) {
	tokens, err := p.Tokens(context.Background(), key)
	if err != nil {
		s.t.Errorf("%v: %v", err, fault.From(err).Cause)
		return
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.idp.URL("userinfo"), nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	answer, err := s.idp.Transport().RoundTrip(req)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Errorf("the API refuses a token: %v %v", answer, err)
	}
}

func (s *site) wantRefreshes(want int) {
	s.t.Helper()
	if answered, reused := s.idp.Refreshes(); answered != want || reused != 0 {
		s.t.Errorf("%d refreshes, %d tokens used twice; want %d", answered, reused, want)
	}
}

// Three processes on one folder, and a provider that ends a grant whose refresh token comes twice: through many lives of a token, each is
// refreshed once, whoever asks.
func TestProcessesOnOneFolder(t *testing.T) {
	s := newSite(t, fakeidp.Options{AccessTokenTTL: time.Minute})
	synctest.Test(t, func(t *testing.T) {
		s.t = t
		processes := []*process{s.start(), s.start(), s.start()}
		key := grant.Key{Owner: "session-1", Provider: "idp"}
		s.login(processes[0], key)
		for life := range 5 {
			time.Sleep(time.Minute)
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() { s.use(processes[i%3], key) })
			}
			wg.Wait()
			s.wantRefreshes(life + 1)
		}
		// A restart finds what there is.
		processes = append(processes, s.start())
		s.use(processes[3], key)
		s.wantRefreshes(5)

		// A refused token is renewed once.
		time.Sleep(10 * time.Second)
		before, err := processes[1].Tokens(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		s.idp.ExpireAccessTokens()
		for i := range 10 {
			if _, err := processes[i%3].Renew(t.Context(), key, before.AccessToken); err != nil {
				t.Error(err)
			}
		}
		s.use(processes[1], key)
		s.wantRefreshes(6)

		// The provider's word, and nothing else, ends it: then it is not asked again.
		s.idp.Fail("token", fakeidp.BadGateway())
		time.Sleep(time.Minute)
		if _, err := processes[0].Tokens(t.Context(), key); fault.CodeOf(err) != fault.Unavailable {
			t.Error(err)
		}
		s.idp.Mend()
		s.idp.EndGrants()
		time.Sleep(time.Minute)
		asked := s.idp.Requests()["token"]
		for i := range 30 {
			if _, err := processes[i%3].Tokens(t.Context(), key); fault.CodeOf(err) != fault.LoginRequired || !strings.Contains(err.Error(), "invalid_grant") {
				t.Error(err)
			}
		}
		if got := s.idp.Requests()["token"] - asked; got != 1 {
			t.Errorf("it was asked %d times about a grant that is over", got)
		}
		for _, p := range processes {
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	for _, secret := range s.idp.Secrets() {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, s.log)
		}
	}
	if !strings.Contains(s.log.String(), "event=upstream.dead") {
		t.Errorf("the log:\n%s", s.log)
	}
}
