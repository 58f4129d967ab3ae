package gateway

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// unknownWait is the retry_after where nothing says when there will be room.
const unknownWait = time.Second

// throttle keeps an upstream's limits. It is safe for concurrent use.
type throttle struct {
	upstream string
	limits   config.Limits
	waiting  atomic.Int64 // requests in the queue, of all callers
	shared   *gate        // nil with per_caller

	mu      sync.Mutex
	callers map[string]*list.Element // of *gate, by caller
	recent  *list.List               // the gates, the one used last in front
}

// newThrottle returns nil where limits limits nothing.
func newThrottle(upstream string, limits config.Limits) *throttle {
	if limits.Concurrency <= 0 && limits.Rate.PerSecond() <= 0 {
		return nil
	}
	t := &throttle{upstream: upstream, limits: limits}
	if limits.PerCaller {
		t.callers, t.recent = map[string]*list.Element{}, list.New()
	} else {
		t.shared = t.newGate("")
	}
	return t
}

// throttled is the RoundTripper around a throttle.
type throttled struct {
	throttle *throttle
	next     http.RoundTripper
}

// RoundTrip waits for a slot and a token, sends, and gives the slot back when next has returned, which is when the
// answer is read. Its own errors are faults.
func (t *throttled) RoundTrip(req *http.Request) (*http.Response, error) {
	leave, err := t.throttle.enter(req.Context())
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read from it
		}
		return nil, err
	}
	defer leave()
	return t.next.RoundTrip(req)
}

// enter waits until a request may go, and returns what has to be called after it. A slot comes first and the token
// second: a token taken before a long wait for a slot would let requests out in a bunch, faster than the rate.
func (t *throttle) enter(ctx context.Context) (leave func(), err error) {
	g, done := t.gateOf(ctx)
	if g.slots == nil || g.slots.TryAcquire(1) {
		if g.tokens == nil || g.tokens.Allow() {
			return t.leaver(g, done), nil
		}
		err = t.queue(ctx, g, true)
	} else {
		err = t.queue(ctx, g, false)
	}
	if err != nil {
		done()
		return nil, err
	}
	return t.leaver(g, done), nil
}

func (t *throttle) leaver(g *gate, done func()) func() {
	return func() {
		if g.slots != nil {
			g.slots.Release(1)
		}
		done()
	}
}

// queue waits for the slot, unless hasSlot, and then for the token. After an error no slot is held.
func (t *throttle) queue(ctx context.Context, g *gate, hasSlot bool) (err error) {
	defer func() {
		if err != nil && hasSlot && g.slots != nil {
			g.slots.Release(1)
		}
	}()
	ahead := t.waiting.Add(1) - 1
	defer t.waiting.Add(-1)
	if ahead >= int64(t.limits.Queue) {
		return t.full(g, ahead)
	}
	// Known at once: those ahead need a token each. To wait in vain would help nobody.
	if wait := g.waitFor(ahead, t.limits.PerCaller); !fits(ctx, wait) {
		return t.tooLong(wait)
	}
	if !hasSlot {
		if err := g.slots.Acquire(ctx, 1); err != nil {
			return t.noSlot(err)
		}
		hasSlot = true
	}
	return t.takeToken(ctx, g)
}

// takeToken waits for the rate. What does not fit into the deadline is given back unused.
func (t *throttle) takeToken(ctx context.Context, g *gate) error {
	if g.tokens == nil {
		return nil
	}
	now := time.Now()
	token := g.tokens.ReserveN(now, 1)
	wait := token.DelayFrom(now)
	if !fits(ctx, wait) {
		token.CancelAt(now)
		return t.tooLong(wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		token.Cancel()
		return ctx.Err()
	}
}

// fits reports whether a wait ends before the context does.
func fits(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Now().Add(wait).Before(deadline)
}

// full is the fault of a queue without room.
func (t *throttle) full(g *gate, ahead int64) error {
	f := fault.New(fault.Unavailable, fmt.Sprintf("%d calls wait for upstream %q already; no more are taken (limits.queue)",
		ahead, t.upstream), nil)
	f.Retryable, f.RetryAfter = true, max(g.waitFor(ahead, t.limits.PerCaller), unknownWait)
	return f
}

// noSlot is the error of a wait that the context ended. Where the client went away, that is all there is to say.
func (t *throttle) noSlot(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	f := fault.New(fault.Unavailable, fmt.Sprintf("upstream %q takes %d requests at once (limits.concurrency), and none of them ended within the call's time",
		t.upstream, t.limits.Concurrency), err)
	f.Retryable, f.RetryAfter = true, unknownWait
	return f
}

// tooLong is the fault of a wait that does not fit into the call's deadline.
func (t *throttle) tooLong(wait time.Duration) error {
	f := fault.New(fault.Unavailable, fmt.Sprintf("upstream %q takes %d requests per %s (limits.rate), and this one's turn would come after the call's time",
		t.upstream, t.limits.Rate.Events, perWord(t.limits.Rate.Per)), nil)
	f.Retryable, f.RetryAfter = true, wait
	return f
}

// perWord names the time of a rate.
func perWord(per time.Duration) string {
	switch per {
	case time.Second:
		return "second"
	case time.Minute:
		return "minute"
	case time.Hour:
		return "hour"
	}
	return per.String()
}
