package oauthproxy

import (
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// How many clients may register themselves, a minute. A hosted client registers anew for each connection.
	registrationsPerCaller = 10
	registrationsInAll     = 100

	// How many documents may be fetched for clients that only name one, a minute: who names many makes us ask others for them.
	fetchesPerCaller = 30
	fetchesInAll     = 300

	maxLimited = 4096 // callers that are counted; beyond it the one not seen for longest is forgotten
)

// limiter bounds how often a caller, and all of them together, may do something. It is safe for concurrent use.
type limiter struct {
	perMinute int
	now       func() time.Time

	mu      sync.Mutex
	all     *rate.Limiter
	callers *recent[string, *rate.Limiter]
}

// newLimiter allows each caller and all together so many in a minute, all at once if need be.
func newLimiter(perCaller, inAll int, now func() time.Time) *limiter {
	return &limiter{perMinute: perCaller, now: now, all: newRate(inAll), callers: newRecent[string, *rate.Limiter](maxLimited)}
}

func newRate(perMinute int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
}

// take counts one request, or answers 429 with the time after which another may be let through. A caller that is refused takes
// nothing from the others.
func (l *limiter) take(r *http.Request) *Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	caller, now := callerOf(r), l.now()
	own, ok := l.callers.get(caller)
	if !ok {
		own = newRate(l.perMinute)
		l.callers.put(caller, own)
	}
	for _, each := range []*rate.Limiter{own, l.all} {
		if tokens := each.TokensAt(now); tokens < 1 {
			return &Error{
				Status: http.StatusTooManyRequests, Code: "temporarily_unavailable", Description: "too many requests: try again later",
				RetryAfter: time.Duration(math.Ceil((1-tokens)/float64(each.Limit()))) * time.Second,
			}
		}
	}
	own.AllowN(now, 1)
	l.all.AllowN(now, 1)
	return nil
}

// callerOf is the address that a request counts for. Of IPv6 it is the /64, which is what one subscriber gets.
func callerOf(r *http.Request) string {
	end, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := end.Addr().Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	network, _ := address.Prefix(64)
	return network.String()
}
