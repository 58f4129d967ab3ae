package gateway

import (
	"context"
	"math"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"mcpgate/auth"
)

// maxCallers are the gates kept for limits.per_caller; beyond it the one idle for longest is forgotten.
const maxCallers = 1024

// gate is one count of slots and tokens.
type gate struct {
	caller string
	inside int                 // requests in it or waiting for it; guarded by throttle.mu, counted with per_caller only
	slots  *semaphore.Weighted // nil without limits.concurrency
	tokens *rate.Limiter       // nil without limits.rate
}

// newGate returns a gate with the throttle's limits, nobody in it.
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
