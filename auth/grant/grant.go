// Package grant keeps people's upstream tokens, and keeps them fresh: refresh ahead, one at a time, never lost. It does not
// know who asks, nor why.
package grant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"mcpgate/auth"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// Key names a grant: whose, and at which provider.
type Key struct {
	Owner    string // auth.Principal.Login
	Provider string // its name in gateway.yaml
}

// attrs are what a log shows of a key.
func (k Key) attrs() []slog.Attr {
	return []slog.Attr{slog.String("owner", auth.Fingerprint(k.Owner)), slog.String("provider", k.Provider)}
}

const errorLevel = slog.LevelError

func errorAttr(err error) slog.Attr { return slog.String("error", err.Error()) }

// Grant is what is known of one, without its tokens: for lists.
type Grant struct {
	Key
	Identity  provider.Identity
	Created   time.Time
	Refreshed time.Time // the zero time where it never was
	Expires   time.Time // of the access token
	Dead      bool      // the provider ended it
	Reason    string    // of death: the provider's error code
}

// Refresher is the part of a provider that a Keeper needs.
type Refresher interface {
	Refresh(ctx context.Context, old provider.Tokens) (provider.Tokens, error)
	RefreshAhead(t provider.Tokens) time.Duration
	Revoke(ctx context.Context, t provider.Tokens) error
}

// Options are what New can do without.
type Options struct {
	CacheSize int // grants held in memory; 0 is none
	// Recheck is how long a grant in memory is used before the store is asked whether it still stands: somebody may have ended it
	// elsewhere. 0 is 5 s, less than 0 is never: for a store that only this process has.
	Recheck time.Duration
	Logger  *slog.Logger
	Now     func() time.Time
}

// Keeper keeps grants. It is safe for concurrent use, and with others on the same store.
type Keeper struct {
	store     tokenstore.Store
	table     *tokenstore.Table[record]
	providers map[string]Refresher
	recheck   time.Duration
	log       *slog.Logger
	now       func() time.Time
	// leaseTTL and answerGrace but in tests.
	leaseTTL, answerGrace time.Duration

	cache     *lru[*held]
	failures  *lru[failure]
	loads     singleflight.Group // by id: one reads for all
	refreshes singleflight.Group // by id: one refreshes for all
	revokes   chan struct{}      // a place for each that is under way

	mu      sync.Mutex
	closed  chan struct{}
	work    sync.WaitGroup      // what Close waits for
	unsaved map[string]struct{} // ids of grants whose new tokens could not be stored yet
}

const (
	defaultRecheck = 5 * time.Second
	// deadRecheck is how long it is remembered that a grant is dead: a person who logs in again must not meet it.
	deadRecheck = time.Second
	// failuresKept bounds how many failed refreshes are remembered.
	failuresKept = 4096
	// revokesAtOnce bounds how many grants are told to their providers at a time.
	revokesAtOnce = 8
	// revokeTimeout bounds how long one of them may take.
	revokeTimeout = 10 * time.Second
)

// New returns a keeper for these providers, by name.
func New(store tokenstore.Store, ring *seal.Ring, providers map[string]Refresher, opts Options) *Keeper {
	k := &Keeper{
		store: store, table: tokenstore.NewTable[record](store, ring, "grant"), providers: providers,
		recheck: cmp.Or(opts.Recheck, defaultRecheck), log: opts.Logger, now: opts.Now,
		cache: newLRU[*held](opts.CacheSize), failures: newLRU[failure](failuresKept),
		leaseTTL: leaseTTL, answerGrace: answerGrace,
		revokes: make(chan struct{}, revokesAtOnce), closed: make(chan struct{}), unsaved: map[string]struct{}{},
	}
	if k.recheck < 0 {
		k.recheck = 100 * 365 * 24 * time.Hour
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.now == nil {
		k.now = time.Now
	}
	return k
}

// Keep stores the tokens of a login, in the place of what the same key had. ttl is how long the record is kept after its
// last write; 0 is until it is deleted. What was there is not revoked: at some providers that would end the new login too.
func (k *Keeper) Keep(ctx context.Context, key Key, who provider.Identity, tokens provider.Tokens, ttl time.Duration) error {
	p, err := k.provider(key)
	if err != nil {
		return err
	}
	now := k.now()
	if tokens.Obtained.IsZero() {
		tokens.Obtained = now
	}
	id := key.id()
	r := record{Owner: key.Owner, Provider: key.Provider, Identity: who, Tokens: tokens, Created: now, TTL: ttl}
	if err := k.table.Put(ctx, id, r, ttl); err != nil {
		k.cache.forget(id)
		return k.ofStore(ctx, key, err)
	}
	k.loads.Forget(id) // whoever comes now must not get what was read before
	k.failures.forget(id)
	k.keepInMemory(id, newHeld(r, p))
	return nil
}

// Extend keeps a grant for another ttl, since its owner is about, whether its tokens are used or not; a provider is not asked. The error is a
// fault: fault.LoginRequired where there is no grant, or it gives no tokens any more; fault.Unavailable where the store can't be reached.
func (k *Keeper) Extend(ctx context.Context, key Key, ttl time.Duration) error {
	p, err := k.provider(key)
	if err != nil {
		return err
	}
	id := key.id()
	for range conflictsTaken {
		r, version, err := k.table.Get(ctx, id)
		if err != nil {
			return k.ofStore(ctx, key, err)
		}
		if _, err := newHeld(r, p).usable(key, k.now()); err != nil {
			return err
		}
		r.TTL = ttl
		if _, err = k.table.Swap(ctx, id, version, r, ttl); err == nil {
			return nil
		} else if !errors.Is(err, tokenstore.ErrConflict) {
			return k.ofStore(ctx, key, err)
		}
	}
	return passing("the login is being changed by others", tokenstore.ErrConflict)
}

// End deletes a grant, and tells the provider as far as that goes: not before End returns, but before Close does. That there is none
// is no error; an error is fault.Unavailable.
func (k *Keeper) End(ctx context.Context, key Key) error {
	id := key.id()
	defer k.cache.forget(id)
	k.failures.forget(id)
	r, err := k.table.Take(ctx, id)
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil
	case errors.Is(err, tokenstore.ErrSealed): // it is gone, and nobody can say what to revoke
		k.log.LogAttrs(ctx, slog.LevelWarn, "a stored login that can't be opened was deleted; its provider was not told", key.attrs()...)
		return nil
	case err != nil:
		return k.ofStore(ctx, key, err)
	}
	if !r.Dead {
		k.revoke(ctx, key, r.Tokens)
	}
	return nil
}

// revoke tells the provider in the background. It waits for a place, so that many at once neither flood a provider nor the memory.
func (k *Keeper) revoke(ctx context.Context, key Key, tokens provider.Tokens) {
	p := k.providers[key.Provider]
	if p == nil || !k.begin() {
		k.log.LogAttrs(ctx, slog.LevelWarn, "a login was ended and its provider was not told", key.attrs()...)
		return
	}
	select {
	case k.revokes <- struct{}{}:
	case <-ctx.Done():
		k.work.Done()
		k.log.LogAttrs(ctx, slog.LevelWarn, "a login was ended and its provider was not told", append(key.attrs(), errorAttr(ctx.Err()))...)
		return
	}
	go func() {
		defer k.work.Done()
		defer func() { <-k.revokes }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
		defer cancel()
		if err := p.Revoke(ctx, tokens); err != nil {
			k.log.LogAttrs(ctx, slog.LevelWarn, "a provider could not be told that a login was ended", append(key.attrs(), errorAttr(err))...)
		}
	}()
}

// All goes through the grants. One that can't be opened is yielded as its error, and the rest follow.
func (k *Keeper) All(ctx context.Context) iter.Seq2[Grant, error] {
	return func(yield func(Grant, error) bool) {
		for entry, err := range k.table.All(ctx) {
			if !yield(entry.Value.grant(), err) {
				return
			}
		}
	}
}

// Close waits for the refreshes and revocations under way, so that no rotated token is lost when the process ends; ctx bounds it. No new ones begin:
// tokens that still hold are given out.
func (k *Keeper) Close(ctx context.Context) error {
	k.mu.Lock()
	select {
	case <-k.closed:
	default:
		close(k.closed)
	}
	k.mu.Unlock()
	done := make(chan struct{})
	go func() {
		k.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("logins were still being refreshed or revoked: %w", ctx.Err())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.unsaved); n > 0 {
		return fmt.Errorf("the renewed tokens of %d logins could not be stored", n)
	}
	return nil
}

// begin counts work that Close waits for; it reports false once that is late. The caller ends it with k.work.Done.
func (k *Keeper) begin() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.closed:
		return false
	default:
		k.work.Add(1)
		return true
	}
}

func (k *Keeper) provider(key Key) (Refresher, error) {
	if p := k.providers[key.Provider]; p != nil {
		return p, nil
	}
	return nil, fault.New(fault.ConfigurationMissing, fmt.Sprintf("the gateway has no provider %q", key.Provider), nil)
}

// keepInMemory keeps what was written.
func (k *Keeper) keepInMemory(id string, h *held) {
	k.cache.put(id, h, k.now().Add(k.recheckOf(h)))
}

func (k *Keeper) recheckOf(h *held) time.Duration {
	if h.dead {
		return min(deadRecheck, k.recheck)
	}
	return k.recheck
}
