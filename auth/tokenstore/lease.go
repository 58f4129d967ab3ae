package tokenstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// How long Acquire waits before it asks again: at first, and at most.
const (
	firstWait = 2 * time.Millisecond
	maxWait   = 100 * time.Millisecond
)

// Lease holds a name for this process alone, among all that share the store. It is renewed while it is held, and ends by itself soon after
// the process does. What is done under it is fenced by the version of the record that it is about: Swap fails where a lease was lost meanwhile.
type Lease struct {
	store   Store
	key     string
	ttl     time.Duration
	version uint64
	until   time.Time // by the monotonic clock of this process, counted from before the last renewal was sent

	lost    chan struct{}
	stop    chan struct{}
	done    chan struct{}
	release sync.Once
}

// Acquire waits until the name is free or ctx ends. ttl is how long a dead process keeps it. A name is up to 128 of
// A-Z a-z 0-9 - _. Release has to follow. The error is ctx's, or that the store can't be reached.
func Acquire(ctx context.Context, store Store, name string, ttl time.Duration) (*Lease, error) {
	if ttl <= 0 {
		return nil, fmt.Errorf("a lease needs a time: %v", ttl)
	}
	l := &Lease{store: store, key: "lease/" + name, ttl: ttl,
		lost: make(chan struct{}), stop: make(chan struct{}), done: make(chan struct{})}
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := l.claim(ctx)
		if err == nil {
			go l.hold()
			return l, nil
		}
		if !errors.Is(err, ErrConflict) {
			return nil, err
		}
		timer := time.NewTimer(wait/2 + rand.N(wait)) // not all that wait at the same instant
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// Lost is closed when the name is no longer held though Release was not called: the store could not be reached for as long
// as the lease holds, or somebody else took it after this process had stood still.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Release gives the name back, and waits until that is done or can't be; then the lease ends by itself.
func (l *Lease) Release() {
	l.release.Do(func() { close(l.stop) })
	<-l.done
}

// claim writes the lease's record, the first time or again.
func (l *Lease) claim(ctx context.Context) error {
	sent := time.Now()
	version, err := l.store.Swap(ctx, l.key, l.version, []byte("held"), l.ttl)
	if err != nil {
		return err
	}
	l.version, l.until = version, sent.Add(l.ttl)
	return nil
}

// hold renews the lease until it is released or lost: three times in its time, and more often while that fails.
func (l *Lease) hold() {
	defer close(l.done)
	next := time.NewTimer(l.ttl / 3)
	defer next.Stop()
	for {
		select {
		case <-l.stop:
			l.giveBack()
			return
		case <-next.C:
		}
		switch err := l.renew(); {
		case err == nil:
			next.Reset(l.ttl / 3)
		case errors.Is(err, ErrConflict) || time.Until(l.until) <= 0:
			close(l.lost)
			return
		default: // that the store can't be reached does not end the lease before its time
			next.Reset(min(l.ttl/12, time.Until(l.until)))
		}
	}
}

func (l *Lease) renew() error {
	ctx, cancel := context.WithDeadline(context.Background(), l.until)
	defer cancel()
	return l.claim(ctx)
}

// giveBack deletes the record. An error leaves it to its time.
func (l *Lease) giveBack() {
	ctx, cancel := context.WithDeadline(context.Background(), l.until)
	defer cancel()
	_, _ = l.store.Swap(ctx, l.key, l.version, nil, 0)
}
