package gateway

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

const (
	maxCallers  = 1024        // gates kept for limits.per_caller; beyond it the one idle for longest is forgotten
	unknownWait = time.Second // retry_after where nothing says when there will be room
)

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

// gate is one count of slots and tokens.
type gate struct {
	caller string
	inside int                 // requests in it or waiting for it; guarded by throttle.mu, counted with per_caller only
	slots  *semaphore.Weighted // nil without limits.concurrency
	tokens *rate.Limiter       // nil without limits.rate
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

func (t *throttle) newGate(caller string) *gate {
	g := &gate{caller: caller}
	if t.limits.Concurrency > 0 {
		g.slots = semaphore.NewWeighted(int64(t.limits.Concurrency))
	}
	if perSecond := t.limits.Rate.PerSecond(); perSecond > 0 {
		burst := t.limits.Burst
		if burst <= 0 {
			burst = max(t.limits.Rate.Events, 1)
		}
		g.tokens = rate.NewLimiter(rate.Limit(perSecond), burst)
	}
	return g
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

// waitFor is how long the rate alone keeps a request waiting behind those ahead. With a queue of several callers
// nobody knows whom they wait for, so it says 0.
func (g *gate) waitFor(ahead int64, perCaller bool) time.Duration {
	if g.tokens == nil || perCaller {
		return 0
	}
	tokens := g.tokens.Tokens()
	if tokens < 0 {
		tokens -= math.Floor(tokens) // those who reserved one are among those ahead; only the part of a token counts
	}
	missing := float64(ahead+1) - tokens
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(g.tokens.Limit()) * float64(time.Second))
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

// gateOf returns the gate of the caller, and what to call when the request has left it.
func (t *throttle) gateOf(ctx context.Context) (*gate, func()) {
	if t.shared != nil {
		return t.shared, func() {}
	}
	caller := ""
	if p := auth.FromContext(ctx); p != nil {
		caller = p.Issuer + " " + p.Subject // an issuer is a URL or a word: it holds no space
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	element, ok := t.callers[caller]
	if ok {
		t.recent.MoveToFront(element)
	} else {
		t.forgetOne()
		element = t.recent.PushFront(t.newGate(caller))
		t.callers[caller] = element
	}
	g := element.Value.(*gate)
	g.inside++
	return g, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		g.inside--
	}
}

// forgetOne makes room for another gate. One in use is kept, whatever the number: its slots are taken.
func (t *throttle) forgetOne() {
	if len(t.callers) < maxCallers {
		return
	}
	for element := t.recent.Back(); element != nil; element = element.Prev() {
		if g := element.Value.(*gate); g.inside == 0 {
			t.recent.Remove(element)
			delete(t.callers, g.caller)
			return
		}
	}
}
