package grant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// idp is a provider that rotates: each refresh token is taken once, and one that comes again ends the whole grant, as at
// Auth0, Okta, Keycloak and oidc-provider.
type idp struct {
	life time.Duration // of access tokens; 0 is for ever
	now  func() time.Time
	// Set before the refresh that they are about.
	takes   time.Duration // how long an answer takes, after the token was rotated
	thinks  time.Duration // how long it takes before
	failing func() error  // answered instead, before anything is rotated
	answers chan struct{} // where not nil, what is rotated is answered when this is closed

	mu        sync.Mutex
	made      int
	good      map[string]string // refresh token -> family
	spent     map[string]string
	ended     map[string]bool // families
	refreshes int
	reused    []string
	revoked   []string
}

func newIDP(life time.Duration) *idp {
	return &idp{life: life, now: time.Now, good: map[string]string{}, spent: map[string]string{}, ended: map[string]bool{}}
}

// login gives out the first tokens of a family.
func (p *idp) login(family string) provider.Tokens {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.make(family)
}

func (p *idp) make(family string) provider.Tokens {
	p.made++
	t := provider.Tokens{
		AccessToken: fmt.Sprintf("secret-access-%s-%d", family, p.made), RefreshToken: fmt.Sprintf("secret-refresh-%s-%d", family, p.made),
		Obtained: p.now(), Kept: map[string]string{"instance_url": "https://" + family + ".example"},
	}
	if p.life > 0 {
		t.Expires = t.Obtained.Add(p.life)
	}
	p.good[t.RefreshToken] = family
	return t
}

// Refresh rotates.
func (p *idp) Refresh(ctx context.Context, old provider.Tokens) (provider.Tokens, error) {
	thinks, takes := p.pace()
	if err := pass(ctx, thinks); err != nil {
		return provider.Tokens{}, err
	}
	fresh, err := p.rotate(old)
	if err != nil {
		return provider.Tokens{}, err
	}
	if p.answers != nil {
		select {
		case <-ctx.Done():
			return provider.Tokens{}, passing("no answer", ctx.Err())
		case <-p.answers:
		}
	}
	return fresh, pass(ctx, takes)
}

func pass(ctx context.Context, takes time.Duration) error {
	if takes == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return passing("no answer", ctx.Err())
	case <-time.After(takes):
		return nil
	}
}

func (p *idp) rotate(old provider.Tokens) (provider.Tokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refreshes++
	if p.failing != nil {
		if err := p.failing(); err != nil {
			return provider.Tokens{}, err
		}
	}
	if family, ok := p.spent[old.RefreshToken]; ok {
		p.reused = append(p.reused, old.RefreshToken)
		p.ended[family] = true
	}
	family, ok := p.good[old.RefreshToken]
	if !ok || p.ended[family] {
		return provider.Tokens{}, fault.New(fault.TokenRefreshFailed, "the login is over", &provider.Error{Endpoint: "token", Status: 400, Code: "invalid_grant"})
	}
	delete(p.good, old.RefreshToken)
	p.spent[old.RefreshToken] = family
	return p.make(family), nil
}

// RefreshAhead is a quarter of the life.
func (p *idp) RefreshAhead(t provider.Tokens) time.Duration {
	if t.Expires.IsZero() {
		return 0
	}
	return t.Expires.Sub(t.Obtained) / 4
}

// Revoke ends a family.
func (p *idp) Revoke(ctx context.Context, t provider.Tokens) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, t.RefreshToken)
	if family, ok := p.good[t.RefreshToken]; ok {
		p.ended[family] = true
	}
	return ctx.Err()
}

func (p *idp) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refreshes
}

func (p *idp) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = func() error { return err }
}

// slow makes the provider take its time, before and after it rotates.
func (p *idp) slow(thinks, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thinks, p.takes = thinks, takes
}

func (p *idp) pace() (thinks, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.thinks, p.takes
}

// wire stands between a process and a store, and can be cut: a process that was killed, or a store that is down.
type wire struct {
	tokenstore.Store
	cut      atomic.Bool // nothing goes through
	readOnly atomic.Bool // nothing is written
	deaf     atomic.Bool // what is written is not answered
	slow     time.Duration
	lag      func() time.Duration // before and after each call; nil is none
	reads    atomic.Int64
	writes   atomic.Int64
}

var errCut = errors.New("connection refused")

func (w *wire) Get(ctx context.Context, key string) (tokenstore.Record, error) {
	w.reads.Add(1)
	if w.cut.Load() {
		return tokenstore.Record{}, errCut
	}
	if err := w.wait(ctx); err != nil {
		return tokenstore.Record{}, err
	}
	record, err := w.Store.Get(ctx, key)
	return record, errors.Join(err, pass(ctx, w.slow), w.wait(ctx))
}

func (w *wire) wait(ctx context.Context) error {
	if w.lag == nil {
		return nil
	}
	return pass(ctx, w.lag())
}

func (w *wire) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	w.writes.Add(1)
	if w.cut.Load() || w.readOnly.Load() {
		return 0, errCut
	}
	if err := w.wait(ctx); err != nil {
		return 0, err
	}
	got, err := w.Store.Swap(ctx, key, version, value, ttl)
	if late := w.wait(ctx); late != nil {
		return 0, late
	}
	if strings.HasPrefix(key, "grant/") && w.deaf.CompareAndSwap(true, false) {
		return 0, errCut
	}
	return got, err
}

func (w *wire) Take(ctx context.Context, key string) (tokenstore.Record, error) {
	if w.cut.Load() || w.readOnly.Load() {
		return tokenstore.Record{}, errCut
	}
	return w.Store.Take(ctx, key)
}

func (w *wire) Keys(ctx context.Context, table string) iter.Seq2[string, error] {
	return w.Store.Keys(ctx, table)
}

// house is some processes on one store, with one provider.
type house struct {
	t     testing.TB
	idp   *idp
	store tokenstore.Store
	ring  *seal.Ring
	log   *lines
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

func newHouse(t testing.TB, life time.Duration) *house {
	h := &house{t: t, idp: newIDP(life), store: tokenstore.NewMemory(nil), ring: seal.NewRing(""), log: &lines{}}
	t.Cleanup(func() {
		if strings.Contains(h.log.String(), "secret-") {
			t.Errorf("the log shows tokens:\n%s", h.log)
		}
	})
	return h
}

// keeper is a process of the house.
func (h *house) keeper() (*Keeper, *wire) {
	w := &wire{Store: h.store}
	var log io.Writer = h.log
	k := New(w, h.ring, map[string]Refresher{"idp": h.idp}, Options{
		CacheSize: 1000, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return k, w
}

var anne = Key{Owner: "anne", Provider: "idp"}

// keep logs anne in.
func (h *house) keep(k *Keeper) provider.Tokens {
	h.t.Helper()
	tokens := h.idp.login("anne")
	if err := k.Keep(h.t.Context(), anne, provider.Identity{Issuer: "https://idp.example", Subject: "a"}, tokens, 30*24*time.Hour); err != nil {
		h.t.Fatal(err)
	}
	return tokens
}

// access returns the token of a key, which has to be there.
func (h *house) access(k *Keeper) string {
	h.t.Helper()
	tokens, err := k.Tokens(h.t.Context(), anne)
	if err != nil {
		h.t.Fatalf("%v: %v", fault.CodeOf(err), fault.From(err).Cause)
	}
	if tokens.RefreshToken != "" {
		h.t.Error("a refresh token left the keeper")
	}
	return tokens.AccessToken
}

func (h *house) wantCount(want int) {
	h.t.Helper()
	if got := h.idp.count(); got != want {
		h.t.Errorf("the provider was asked %d times, not %d", got, want)
	}
	if len(h.idp.reused) > 0 {
		h.t.Errorf("refresh tokens were used twice: %v", h.idp.reused)
	}
}

func (h *house) wantCode(err error, want fault.Code) *fault.Fault {
	h.t.Helper()
	if got := fault.CodeOf(err); got != want {
		h.t.Fatalf("%q (%v), not %q", got, err, want)
	}
	f := fault.From(err)
	if want == fault.Unavailable && (f.RetryAfter <= 0 || !f.Retryable) {
		h.t.Errorf("it does not say when to come again: %+v", f)
	}
	return f
}

// close stops a process as a shutdown does.
func (h *house) close(keepers ...*Keeper) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, k := range keepers {
		if err := k.Close(ctx); err != nil {
			h.t.Error(err)
		}
	}
}
