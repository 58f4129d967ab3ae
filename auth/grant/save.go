package grant

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
)

const (
	// saveTimeout bounds how long callers wait for new tokens to be written.
	saveTimeout = 20 * time.Second
	// writeTimeout bounds one attempt: a store that hangs may answer the next one.
	writeTimeout = 3 * time.Second
	// How long it waits between attempts: at first, and at most.
	firstRewrite = 50 * time.Millisecond
	lastRewrite  = time.Second
)

// save writes new tokens before anybody gets them. The provider may have taken the old ones back, so that losing these loses the login: it
// tries hard, and behind the callers' backs until Close where that was not enough.
func (k *Keeper) save(ctx context.Context, p Refresher, a attempt, fresh provider.Tokens, forced int) (*held, error) {
	now := k.now()
	change := func(r record) record { return r.renewed(fresh, now, forced) }
	first, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	h, err := k.write(first, p, a, change)
	switch {
	case err == nil:
		return h, nil
	case errors.Is(err, tokenstore.ErrNotFound): // ended meanwhile: its owner wants none
		k.revoke(ctx, a.key, fresh)
		return nil, missing(a.key, err)
	}
	k.log.LogAttrs(ctx, slog.LevelError, "the renewed tokens of a login can't be stored; it is tried until the gateway stops, and then the login may be lost",
		append(a.key.attrs(), errorAttr(err))...)
	k.setUnsaved(a.id, true)
	k.work.Add(1) // it is not zero: the refresh is still counted
	go func() {
		defer k.work.Done()
		k.saveLater(ctx, p, a, fresh, change)
	}()
	return nil, passing("the gateway can't reach its store of logins", err)
}

// saveLater goes on writing, a last time when the keeper is closed.
func (k *Keeper) saveLater(ctx context.Context, p Refresher, a attempt, fresh provider.Tokens, change func(record) record) {
	for last := false; ; {
		select {
		case <-time.After(lastRewrite):
		case <-k.closed:
			last = true
		}
		attempt, cancel := context.WithTimeout(ctx, writeTimeout)
		_, err := k.write(attempt, p, a, change)
		cancel()
		switch {
		case err == nil:
			k.log.LogAttrs(ctx, slog.LevelInfo, "the renewed tokens of a login are stored at last", a.key.attrs()...)
		case errors.Is(err, tokenstore.ErrNotFound):
			k.revoke(ctx, a.key, fresh)
		case last:
			k.log.LogAttrs(ctx, slog.LevelError, "the renewed tokens of a login were never stored: the login may be lost",
				append(a.key.attrs(), errorAttr(err))...)
			return // it stays among the unsaved
		default:
			continue
		}
		k.setUnsaved(a.id, false)
		return
	}
}

// write changes the record of an attempt, again and again until ctx ends. Where somebody else changed it meanwhile, but not its tokens, the change is made to
// that; where it has other tokens they win, and are returned. The error is tokenstore.ErrNotFound where the grant was deleted, or the
// store's.
func (k *Keeper) write(ctx context.Context, p Refresher, a attempt, change func(record) record) (*held, error) {
	current, version := a.record, a.version
	for pause := firstRewrite; ; pause = min(2*pause, lastRewrite) {
		next := change(current)
		err := k.try(ctx, func(ctx context.Context) error {
			_, err := k.table.Swap(ctx, a.id, version, next, next.TTL)
			return err
		})
		if err == nil {
			h := newHeld(next, p)
			k.keepInMemory(a.id, h)
			return h, nil
		}
		if errors.Is(err, tokenstore.ErrConflict) {
			var other record
			var changed uint64
			err = k.try(ctx, func(ctx context.Context) error {
				other, changed, err = k.table.Get(ctx, a.id)
				return err
			})
			switch {
			case err == nil && !other.has(a.record.Tokens): // also where a Swap went through whose answer was lost
				h := newHeld(other, p)
				k.keepInMemory(a.id, h)
				return h, nil
			case err == nil:
				current, version = other, changed
				continue
			case errors.Is(err, tokenstore.ErrNotFound):
				k.cache.forget(a.id)
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			k.cache.forget(a.id)
			return nil, err
		case <-time.After(pause):
		}
	}
}

// try gives one attempt its time.
func (k *Keeper) try(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return do(ctx)
}

func (k *Keeper) setUnsaved(id string, unsaved bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if unsaved {
		k.unsaved[id] = struct{}{}
	} else {
		delete(k.unsaved, id)
	}
}

func (k *Keeper) isUnsaved(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.unsaved[id]
	return ok
}
