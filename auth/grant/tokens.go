package grant

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"

	"mcpgate/auth/provider"
	"mcpgate/internal/fault"
)

// readTimeout bounds reading a grant from the store, which goes on when the caller goes away: others wait for it too.
const readTimeout = 10 * time.Second

// Tokens returns tokens that hold for now, without the refresh token. They are refreshed ahead of their end, by one caller for all, in this process
// and the others that share the store, and written back before anybody gets them. As long as the old ones hold nobody waits for that,
// and that it fails hurts nobody. A caller that goes away does not stop a refresh. What is returned is shared: leave its fields as they are.
//
// The error is a fault: fault.LoginRequired where there is no grant or the provider ended it; fault.CredentialsInvalid where the provider refuses
// the gateway itself; fault.Unavailable where the store or the provider can't be reached and the old token is over.
func (k *Keeper) Tokens(ctx context.Context, key Key) (provider.Tokens, error) {
	h, err := k.look(ctx, key)
	if err != nil {
		return provider.Tokens{}, err
	}
	now := k.now()
	if h.dead || !h.renewable || !h.isDue(now) {
		return h.usable(key, now)
	}
	if !h.isOver(now) {
		k.refreshBehind(ctx, key)
		return h.tokens, nil
	}
	renewed, err := k.refreshed(ctx, key, want{})
	if err == nil {
		return renewed.usable(key, k.now())
	}
	if !h.hasEnded(k.now()) && !fault.LoginRequired.Contains(fault.CodeOf(err)) {
		return h.tokens, nil // its last moments
	}
	return provider.Tokens{}, err
}

// Renew is for an upstream that refused an access token: it refreshes once, unless somebody did meanwhile, and returns what holds now. What is refused
// may still be good elsewhere, so that a refused token alone never ends a grant, and what was obtained a moment ago is not refreshed again: an
// upstream that refuses each new token waits longer and longer for the next one. Then, and where there is nothing to refresh with, it returns
// the refused token. Errors are as those of Tokens.
func (k *Keeper) Renew(ctx context.Context, key Key, refused string) (provider.Tokens, error) {
	h, err := k.look(ctx, key)
	if err != nil {
		return provider.Tokens{}, err
	}
	w := want{refused: refused}
	switch {
	case h.dead || !h.renewable || h.tokens.AccessToken != refused:
		return k.Tokens(ctx, key)
	case !w.asks(h, k.now()):
		return h.tokens, nil
	}
	if h, err = k.refreshed(ctx, key, w); err != nil {
		return provider.Tokens{}, err
	}
	return h.usable(key, k.now())
}

// want says why a grant is refreshed: its time has come, or an upstream refused its token.
type want struct{ refused string }

// asks reports whether a refresh is still to be made.
func (w want) asks(h *held, now time.Time) bool {
	if h.isDue(now) {
		return true
	}
	// A token of the future comes from a process whose clock is ahead: the distance counts.
	return w.refused == h.tokens.AccessToken && now.Sub(h.tokens.Obtained).Abs() >= minAge(h.forced)
}

// How old a refused token has to be to be renewed for that: another one will not help an API that refuses them all, and each
// would cost a request to the provider.
const (
	firstAge = 5 * time.Second
	lastAge  = 5 * time.Minute
)

// minAge is that age, for tokens that were themselves made because others were refused: twice as long for each in a row.
func minAge(forced int) time.Duration { return min(firstAge<<min(forced, 10), lastAge) }

// look returns a grant from memory, or from the store.
func (k *Keeper) look(ctx context.Context, key Key) (*held, error) {
	id := key.id()
	if h, ok := k.cache.get(id, k.now()); ok {
		return h, nil
	}
	p, err := k.provider(key)
	if err != nil {
		return nil, err
	}
	return wait(ctx, k.loads.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		seen := k.cache.seen(id)
		r, _, err := k.table.Get(ctx, id)
		if err != nil {
			return nil, k.ofStore(ctx, key, err)
		}
		h := newHeld(r, p)
		k.cache.putRead(id, h, k.now().Add(k.recheckOf(h)), seen)
		return h, nil
	}))
}

// wait returns what a shared piece of work comes to, unless the caller goes away before.
func wait(ctx context.Context, result <-chan singleflight.Result) (*held, error) {
	select {
	case <-ctx.Done():
		return nil, interrupted(ctx.Err())
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*held), nil
	}
}
