package grant

import (
	"time"

	"mcpgate/internal/fault"
)

// How long a provider is left alone after a refresh that failed: at first, at most, and at most where it says itself.
const (
	firstPause = time.Second
	lastPause  = 15 * time.Second
	toldPause  = 5 * time.Minute
)

// failure is a refresh that failed and may succeed later.
type failure struct {
	fault  *fault.Fault
	times  int // in a row
	until  time.Time
	behind bool // it concerns only refreshes that nobody waits for
}

// failure returns the fault of a grant whose provider is left alone for now, or nil. behind says that nobody waits for the refresh.
func (k *Keeper) failure(id string, behind bool) *fault.Fault {
	now := k.now()
	f, ok := k.failures.get(id, now)
	if !ok || !now.Before(f.until) || f.behind && !behind {
		return nil
	}
	told := *f.fault
	told.RetryAfter = f.until.Sub(now)
	return &told
}

// remember leaves the provider alone for a while, and returns the fault with that time.
func (k *Keeper) remember(id string, f *fault.Fault) *fault.Fault {
	now := k.now()
	last, _ := k.failures.get(id, now)
	pause := min(firstPause<<min(last.times, 10), lastPause)
	pause = max(pause, min(f.RetryAfter, toldPause))
	told := *f
	told.RetryAfter = pause
	told.Retryable = fault.Unavailable.Contains(f.Code) // the gateway's own credentials mend only by hand
	// How often it failed is known for a while after the pause, else the pauses would not grow.
	k.failures.put(id, failure{&told, last.times + 1, now.Add(pause), false}, now.Add(pause+2*lastPause))
	return &told
}

// pause puts off the next refresh that nobody waits for, without counting a failure.
func (k *Keeper) pause(id string, howLong time.Duration, f *fault.Fault) *fault.Fault {
	now := k.now()
	last, _ := k.failures.get(id, now)
	if now.Before(last.until) {
		return f
	}
	k.failures.put(id, failure{f, last.times, now.Add(howLong), true}, now.Add(howLong+2*lastPause))
	return f
}
