package oauthproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/seal"
)

// RFC 7636 appendix B.
const (
	testVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	testChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	testRedirect  = "https://claude.example/callback"
)

// lab is one store with several servers on it, a clock that stands still, and a provider that only counts.
type lab struct {
	t       testing.TB
	store   *fragile
	log     *lockedLog
	servers []*Server
	muxes   []*http.ServeMux
	idp     *counting

	mu  sync.Mutex
	now time.Time
}

// labSettings are those of newLab; what is left out is as usual.
type labSettings struct {
	servers int
	rings   []string // by server; the last one goes for those that follow
	config  func(*config.Config)
	files   bool // keeps them in a folder instead of memory
}

func newLab(t testing.TB, set labSettings) *lab {
	t.Helper()
	l := &lab{t: t, idp: &counting{}, now: time.Unix(1_800_000_000, 0), log: new(lockedLog)}
	l.store = &fragile{Store: tokenstore.NewMemory(l.clock)}
	if set.files {
		store, err := tokenstore.Open(t.Context(), config.Store{Type: "file", Path: t.TempDir()}, tokenstore.Options{Now: l.clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		l.store.Store = store
	}
	if len(set.rings) == 0 {
		set.rings = []string{testKey}
	}
	for i := range max(set.servers, 1) {
		l.add(set.rings[min(i, len(set.rings)-1)], set.config)
	}
	return l
}

// add puts another server on the store.
func (l *lab) add(key string, change func(*config.Config)) *Server {
	l.t.Helper()
	cfg := &config.Config{Name: "test"}
	cfg.Server.PublicURL, cfg.Server.Path = "https://gw.example", "/mcp"
	cfg.Auth.Mode = "oauth"
	o := &cfg.Auth.OAuth
	o.Scopes = []string{"read", "write"}
	o.AccessTokenTTL, o.RefreshTokenTTL = config.Duration(time.Hour), config.Duration(30*24*time.Hour)
	o.SessionTTL, o.RefreshGrace, o.CacheSize = config.Duration(365*24*time.Hour), config.Duration(30*time.Second), 10000
	for _, id := range []string{"claude", "cursor"} {
		o.Clients.Known = append(o.Clients.Known, config.KnownClient{ClientID: id, ClientName: strings.ToUpper(id), RedirectURIs: []string{testRedirect}})
	}
	if change != nil {
		change(cfg)
	}
	ring := seal.NewRing(key)
	log := slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keeper := grant.New(l.store, ring, map[string]grant.Refresher{"idp": l.idp}, grant.Options{CacheSize: 10, Now: l.clock, Logger: log})
	l.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := keeper.Close(ctx); err != nil {
			l.t.Error(err)
		}
	})
	s, err := New(Parts{Config: cfg, Store: l.store, Ring: ring, Grants: keeper, Provider: &provider.Provider{Name: "idp"}, Now: l.clock, Logger: log})
	if err != nil {
		l.t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Register(mux)
	l.servers, l.muxes = append(l.servers, s), append(l.muxes, mux)
	return s
}

func (l *lab) clock() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *lab) advance(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

// newCode is what the provider's callback leaves behind: a code for a person who logged in.
func (l *lab) newCode(change func(*code)) string {
	l.t.Helper()
	login := code{
		ClientID: "claude", RedirectURI: testRedirect, Challenge: testChallenge, Resource: "https://gw.example/mcp", Scopes: []string{"read", "write"},
		Identity: provider.Identity{Issuer: "https://idp.example", Subject: "anne-17", Claims: map[string]any{"email": "anne@example.com", "name": "Anne"}},
		Tokens:   provider.Tokens{AccessToken: "upstream-access", RefreshToken: "upstream-refresh", Expires: l.clock().Add(5 * time.Minute)},
	}
	if change != nil {
		change(&login)
	}
	shown := randomText(32)
	if err := l.servers[0].codes.Create(l.t.Context(), digest(shown), login, time.Minute); err != nil {
		l.t.Fatal(err)
	}
	return shown
}

// post sends a form to a path of the server of this number.
func (l *lab) post(server int, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	l.muxes[server].ServeHTTP(w, r)
	return w
}

// answered is what /token answered: the tokens, or the error.
type answered struct {
	status int
	tokenAnswer
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (l *lab) ask(server int, form url.Values) answered {
	w := l.post(server, "/token", form)
	got := answered{status: w.Code}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		l.t.Errorf("%d %q: %v", w.Code, w.Body, err)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		l.t.Errorf("headers of /token: %v", w.Header())
	}
	return got
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "client_id": {"claude"}, "code": {code}, "redirect_uri": {testRedirect},
		"code_verifier": {testVerifier}, "resource": {"https://gw.example/mcp"}}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {"claude"}, "refresh_token": {token}}
}

// with returns a form with one parameter changed, or taken out where the value is "".
func with(form url.Values, name, value string) url.Values {
	if form.Del(name); value != "" {
		form.Set(name, value)
	}
	return form
}

// login is a whole one: the tokens of a code at server 0.
func (l *lab) login(change func(*code)) answered {
	l.t.Helper()
	got := l.ask(0, codeForm(l.newCode(change)))
	if got.status != http.StatusOK {
		l.t.Fatalf("%d %s: %s", got.status, got.Error, got.Description)
	}
	return got
}

// refused holds an answer against an error and its status.
func (l *lab) refused(got answered, status int, code string) {
	l.t.Helper()
	if got.status != status || got.Error != code || got.AccessToken != "" {
		l.t.Errorf("got %d %q (%s), want %d %q", got.status, got.Error, got.Description, status, code)
	}
}

// events counts what the audit log has.
func (l *lab) events(event string) int { return strings.Count(l.log.String(), "event="+event) }

// sessionOf returns the session of an access token, which may be over.
func (l *lab) sessionOf(token string) string {
	l.t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		l.t.Fatal(err)
	}
	var c claims
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c); err != nil {
		l.t.Fatal(err)
	}
	return c.Session
}

// counting is a provider whose refreshes fail as they are told to, and that counts what is revoked.
type counting struct {
	revoked atomic.Int64
	fails   error
}

func (c *counting) Refresh(context.Context, provider.Tokens) (provider.Tokens, error) {
	return provider.Tokens{}, c.fails
}
func (c *counting) RefreshAhead(provider.Tokens) time.Duration { return 0 }
func (c *counting) Revoke(context.Context, provider.Tokens) error {
	c.revoked.Add(1)
	return nil
}

// fragile is a store that can be down, and counts and interrupts what is asked of it.
type fragile struct {
	tokenstore.Store
	down  atomic.Bool
	swaps atomic.Int64
	gets  atomic.Int64
	// before is called before each Swap, where it is set; its error is the Swap's.
	before atomic.Pointer[func(key string) error]
}

var errDown = errors.New("connection refused by redis.internal:6379")

func (f *fragile) Get(ctx context.Context, key string) (tokenstore.Record, error) {
	f.gets.Add(1)
	if f.down.Load() {
		return tokenstore.Record{}, errDown
	}
	return f.Store.Get(ctx, key)
}

func (f *fragile) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	f.swaps.Add(1)
	if f.down.Load() {
		return 0, errDown
	}
	if before := f.before.Load(); before != nil {
		if err := (*before)(key); err != nil {
			return 0, err
		}
	}
	return f.Store.Swap(ctx, key, version, value, ttl)
}

func (f *fragile) Take(ctx context.Context, key string) (tokenstore.Record, error) {
	if f.down.Load() {
		return tokenstore.Record{}, errDown
	}
	return f.Store.Take(ctx, key)
}

// interrupt calls fn before the next Swap of a key that begins with prefix, once.
func (f *fragile) interrupt(prefix string, fn func() error) {
	var done atomic.Bool
	before := func(key string) error {
		if strings.HasPrefix(key, prefix) && done.CompareAndSwap(false, true) {
			return fn()
		}
		return nil
	}
	f.before.Store(&before)
}

// lockedLog is what all servers of a lab log into.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
