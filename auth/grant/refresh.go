package grant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/singleflight"

	"mcpgate/auth"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
)

const (
	// leaseTTL is how long a process that died keeps the others from refreshing.
	leaseTTL = 10 * time.Second
	// turnTimeout bounds waiting for the lease, and the store before the provider is asked.
	turnTimeout = 30 * time.Second
	// refreshTimeout bounds the request to the provider.
	refreshTimeout = 30 * time.Second
	// answerGrace is how long a process whose store is back takes to write what it has, also where its first attempt hangs.
	answerGrace = 2 * (lastRewrite + writeTimeout)
	// conflictsTaken is how often a write is tried again because somebody else wrote.
	conflictsTaken = 8
)

// refreshed refreshes a grant, or waits for who does, and returns what holds then.
func (k *Keeper) refreshed(ctx context.Context, key Key, w want) (*held, error) {
	if f := k.failure(key.id(), false); f != nil {
		return nil, f
	}
	return wait(ctx, k.startRefresh(ctx, key, w))
}

// refreshBehind refreshes a grant without waiting. What comes of it shows in the log and at the next look.
func (k *Keeper) refreshBehind(ctx context.Context, key Key) {
	if k.failure(key.id(), true) == nil {
		k.startRefresh(ctx, key, want{})
	}
}

// startRefresh begins a refresh, one for all callers of this process. It goes on when they go away: a provider that rotates refresh tokens may
// have taken the old one back already.
func (k *Keeper) startRefresh(ctx context.Context, key Key, w want) <-chan singleflight.Result {
	return k.refreshes.DoChan(key.id(), func() (result any, err error) {
		if !k.begin() {
			return nil, passing("the gateway is shutting down", nil)
		}
		defer k.work.Done()
		defer func() {
			if defect := recover(); defect != nil { // singleflight would end the process
				err = fault.New(fault.Internal, "the gateway failed to refresh a login; this is a defect of it", fmt.Errorf("panic: %v", defect))
				k.log.LogAttrs(ctx, slog.LevelError, "refreshing a login panicked", append(key.attrs(), slog.Any("panic", defect), slog.String("stack", string(debug.Stack())))...)
			}
		}()
		h, err := k.takeTurn(context.WithoutCancel(ctx), key, w)
		if err != nil {
			k.log.LogAttrs(ctx, slog.LevelDebug, "a login was not refreshed", append(key.attrs(), causeAttr(fault.From(err)))...)
			return nil, err
		}
		return h, nil
	})
}

// takeTurn refreshes a grant as the only one among all processes, unless it is no longer needed when the turn comes.
func (k *Keeper) takeTurn(ctx context.Context, key Key, w want) (*held, error) {
	p, err := k.provider(key)
	if err != nil {
		return nil, err
	}
	id := key.id()
	if k.isUnsaved(id) { // its refresh token is spent, and the new one waits for the store
		return nil, passing("the login's new token is not stored yet", nil)
	}
	turn, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	go func() { // what was not begun is not waited for at the end; it ends with this turn
		select {
		case <-k.closed:
			cancel()
		case <-turn.Done():
		}
	}()
	lease, err := tokenstore.Acquire(turn, k.store, "grant-"+id, k.leaseTTL)
	if turn.Err() != nil && err != nil {
		return nil, elsewhere(err)
	}
	if err != nil {
		return nil, k.ofStore(ctx, key, err)
	}
	defer k.release(lease)
	for range conflictsTaken {
		r, version, err := k.table.Get(turn, id) // somebody else may have refreshed it meanwhile
		if err != nil {
			return nil, k.ofStore(ctx, key, err)
		}
		h := newHeld(r, p)
		if h.dead || !h.renewable || !w.asks(h, k.now()) {
			k.keepInMemory(id, h)
			return h, nil
		}
		came, err := k.awaitAnswer(turn, id, r, version, w.refused == "" && !h.isOver(k.now()))
		if err != nil {
			return nil, err
		}
		if came {
			continue
		}
		a, err := k.mark(turn, attempt{key, id, r, version}, lease)
		if errors.Is(err, tokenstore.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return k.ask(ctx, p, a, w)
	}
	return nil, passing("the login is being changed by others", tokenstore.ErrConflict)
}

// awaitAnswer gives a process that asked the provider, and lost its lease since, the time to write what it got: the store may have been gone. A
// process that died writes nothing, and then the same refresh token has to be shown again. With patience, while the access token still
// holds, that is put off until no answer can come any more. It reports whether something was written.
func (k *Keeper) awaitAnswer(ctx context.Context, id string, r record, version uint64, patience bool) (came bool, err error) {
	switch {
	case r.Asked.IsZero():
		return false, nil
	case patience && k.now().Sub(r.Asked).Abs() < refreshTimeout+k.answerGrace:
		return false, k.pause(id, firstPause, elsewhere(nil))
	}
	select {
	case <-ctx.Done():
		return false, elsewhere(ctx.Err())
	case <-time.After(k.answerGrace):
	}
	_, now, err := k.table.Get(ctx, id)
	return err != nil || now != version, nil // an error is met again by who reads next
}

// mark writes into the record that the provider is asked now. That tells others that an answer is under way. It also shows that the
// store can be written, before the provider gives out tokens that have to be. The error is tokenstore.ErrConflict, or a fault.
func (k *Keeper) mark(ctx context.Context, a attempt, lease *tokenstore.Lease) (attempt, error) {
	a.record = a.record.unanswered()
	a.record.Asked = k.now()
	version, err := k.table.Swap(ctx, a.id, a.version, a.record, a.record.TTL)
	switch {
	case errors.Is(err, tokenstore.ErrConflict):
		return a, err
	case err != nil:
		return a, k.ofStore(ctx, a.key, err)
	}
	a.version = version
	select {
	case <-lease.Lost():
		return a, elsewhere(nil)
	default:
	}
	if k.now().Sub(a.record.Asked) > k.leaseTTL/2 { // this process, or the store, stood still: others may be asking by now
		return a, elsewhere(nil)
	}
	return a, nil
}

// elsewhere is the fault of a refresh that is left to somebody else.
func elsewhere(cause error) *fault.Fault {
	return passing("the login is being refreshed elsewhere", cause)
}

// attempt is one refresh: what the store has when the provider is asked.
type attempt struct {
	key     Key
	id      string
	record  record
	version uint64
}

// release gives a lease back without letting anybody wait for it.
func (k *Keeper) release(lease *tokenstore.Lease) {
	k.work.Add(1) // it is not zero: the refresh is still counted
	go func() {
		defer k.work.Done()
		lease.Release()
	}()
}

// ask sends the request, once: a provider may have carried out what it did not answer.
func (k *Keeper) ask(ctx context.Context, p Refresher, a attempt, w want) (*held, error) {
	post, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	fresh, err := p.Refresh(post, a.record.Tokens)
	switch {
	case errors.Is(err, fault.TokenRefreshFailed):
		return k.bury(ctx, p, a, fault.From(err))
	case err != nil:
		return nil, k.failed(ctx, p, a, err)
	}
	now := k.now()
	if fresh.Obtained.IsZero() {
		fresh.Obtained = now
	}
	forced := 0
	if old := a.record.Tokens; w.refused == old.AccessToken && now.Sub(old.Obtained) < 2*lastAge {
		forced = a.record.Forced + 1
	}
	h, err := k.save(ctx, p, a, fresh, forced)
	if err != nil {
		return nil, err
	}
	k.failures.forget(a.id)
	k.audit(ctx, a.key, "upstream.refreshed", slog.Bool("refused", w.refused != ""), slog.Time("expires", fresh.Expires))
	return h, nil
}

// bury marks a grant as ended by the provider, so that no call asks it again, here or elsewhere.
func (k *Keeper) bury(ctx context.Context, p Refresher, a attempt, why *fault.Fault) (*held, error) {
	reason := "the provider ended it"
	if said, ok := errors.AsType[*provider.Error](why); ok && said.Code != "" {
		reason = said.Code
	}
	if !a.record.Unanswered.IsZero() {
		k.log.LogAttrs(ctx, slog.LevelWarn, "a provider refused a refresh token after a refresh whose answer was never stored: the process ended, or the provider failed, while it refreshed",
			append(a.key.attrs(), slog.Time("begun", a.record.Unanswered))...)
	}
	ctx, cancel := context.WithTimeout(ctx, buryTimeout)
	defer cancel()
	h, err := k.write(ctx, p, a, func(r record) record { return r.buried(reason) })
	switch {
	case errors.Is(err, tokenstore.ErrNotFound):
		return nil, missing(a.key, err)
	case err != nil: // others will ask the provider again, and hear the same
		k.log.LogAttrs(ctx, slog.LevelWarn, "that a login is over could not be stored", append(a.key.attrs(), errorAttr(err))...)
		h = newHeld(a.record.buried(reason), p)
		k.keepInMemory(a.id, h)
	}
	if h.dead {
		k.audit(ctx, a.key, "upstream.dead", slog.String("reason", reason), causeAttr(why))
	}
	return h, nil
}

const buryTimeout = 5 * time.Second

// failed remembers a refresh that may succeed later, and returns its fault.
func (k *Keeper) failed(ctx context.Context, p Refresher, a attempt, err error) error {
	f := fault.From(err)
	if !fault.CredentialsInvalid.Contains(f.Code) && !fault.Unavailable.Contains(f.Code) {
		f = passing("the login's provider could not be asked for a new token", err)
	}
	f = k.remember(a.id, f)
	// Nothing more is under way. Where that can't be written, whoever comes next waits a moment for an answer.
	once, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if _, err := k.write(once, p, a, record.unanswered); err != nil {
		k.log.LogAttrs(ctx, slog.LevelDebug, "that a refresh failed could not be stored", append(a.key.attrs(), errorAttr(err))...)
	}
	k.audit(ctx, a.key, "upstream.refresh_failed", slog.String("code", string(f.Code)), slog.Duration("retry_after", f.RetryAfter), causeAttr(f))
	return f
}

func (k *Keeper) audit(ctx context.Context, key Key, event string, attrs ...slog.Attr) {
	auth.Audit(ctx, k.log, event, append(key.attrs(), attrs...)...)
}

// causeAttr is what a log shows of why.
func causeAttr(f *fault.Fault) slog.Attr {
	if f.Cause == nil {
		return slog.String("error", f.Message)
	}
	return slog.String("error", f.Message+": "+f.Cause.Error())
}
