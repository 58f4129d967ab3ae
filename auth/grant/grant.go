// Package grant keeps people's upstream tokens, and keeps them fresh: refresh ahead, one at a time, never lost. It does not
// know who asks, nor why.
package grant

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/seal"
)

var errNotBuilt = errors.New("not built yet")

// Key names a grant: whose, and at which provider.
type Key struct {
	Owner    string // auth.Principal.Login
	Provider string // its name in gateway.yaml
}

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
	Logger    *slog.Logger
	Now       func() time.Time
}

// Keeper keeps grants. It is safe for concurrent use, and with others on the same store.
type Keeper struct{}

// New returns a keeper for these providers, by name.
func New(store tokenstore.Store, ring *seal.Ring, providers map[string]Refresher, opts Options) *Keeper {
	return &Keeper{}
}

// Keep stores the tokens of a login, in the place of what the same key had. ttl is how long the record is kept after its last write.
func (k *Keeper) Keep(ctx context.Context, key Key, who provider.Identity, tokens provider.Tokens, ttl time.Duration) error {
	return errNotBuilt
}

// Tokens returns tokens that hold for now: refreshed ahead of their end, by one caller for all, in this process and the others that
// share the store, and written back before anybody gets them. A caller that goes away does not stop a refresh. The error is a fault: fault.LoginRequired where there is no
// grant or the provider ended it; fault.Unavailable where the store or the provider can't be reached and the old token is over.
func (k *Keeper) Tokens(ctx context.Context, key Key) (provider.Tokens, error) {
	return provider.Tokens{}, errNotBuilt
}

// Renew is for an upstream that refused an access token: it refreshes once, unless somebody did meanwhile, and returns what holds now. What is refused
// may still be good elsewhere, so that a refused token alone never ends a grant.
func (k *Keeper) Renew(ctx context.Context, key Key, refused string) (provider.Tokens, error) {
	return provider.Tokens{}, errNotBuilt
}

// Extend keeps a grant for another ttl, since its owner is about, whether its tokens are used or not; a provider is not asked. The error is a
// fault: fault.LoginRequired where there is no grant or the provider ended it, fault.Unavailable where the store can't be reached.
func (k *Keeper) Extend(ctx context.Context, key Key, ttl time.Duration) error { return errNotBuilt }

// End deletes a grant, and tells the provider as far as that goes.
func (k *Keeper) End(ctx context.Context, key Key) error { return errNotBuilt }

// All goes through the grants.
func (k *Keeper) All(ctx context.Context) iter.Seq2[Grant, error] {
	return func(yield func(Grant, error) bool) { yield(Grant{}, errNotBuilt) }
}

// Close waits for the refreshes under way, so that no rotated token is lost when the process ends; ctx bounds it.
func (k *Keeper) Close(ctx context.Context) error { return nil }
