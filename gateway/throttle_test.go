package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

// load keeps when requests came and how many were there at once; each takes a while.
type load struct {
	takes time.Duration

	mu      sync.Mutex
	start   time.Time
	at      []time.Duration
	now     int
	highest int
}

func (l *load) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.at = append(l.at, time.Since(l.start))
	l.now++
	l.highest = max(l.highest, l.now)
	l.mu.Unlock()
	select {
	case <-time.After(l.takes):
	case <-r.Context().Done():
	}
	l.mu.Lock()
	l.now--
	l.mu.Unlock()
	_, _ = io.WriteString(w, "ok")
}

// storm makes n calls at once on a fake clock, each as one of the callers in turn.
func storm(t *testing.T, n, callers int, takes time.Duration, lines ...string) (outcomes []*Outcome, seen *load, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		l := newLabAt(t, "http://up.example", append(lines, "retry: {attempts: 1}")...)
		seen = &load{takes: takes, start: time.Now()}
		l.inMemory(seen)
		outcomes = make([]*Outcome, n)
		var calls sync.WaitGroup
		for i := range n {
			calls.Go(func() {
				caller := &auth.Principal{Subject: fmt.Sprint("caller", i%callers)}
				outcomes[i] = l.callContext(auth.WithPrincipal(t.Context(), caller), "read", `{"id": "1"}`)
			})
		}
		calls.Wait()
		took = time.Since(seen.start)
	})
	return outcomes, seen, took
}

// failures returns the errors among the outcomes.
func failures(outcomes []*Outcome) []Error {
	var errors []Error
	for _, outcome := range outcomes {
		errors = append(errors, outcome.Errors...)
	}
	return errors
}

func TestConcurrencyIsKept(t *testing.T) {
	outcomes, seen, took := storm(t, 10, 1, time.Second, "limits: {concurrency: 3}")
	if failed := failures(outcomes); len(failed) > 0 || seen.highest != 3 || took != 4*time.Second {
		t.Errorf("%d at once, %s, %v", seen.highest, took, failed)
	}
}

func TestConcurrencyPerCaller(t *testing.T) {
	outcomes, seen, took := storm(t, 12, 3, time.Second, "limits: {concurrency: 2, per_caller: true}")
	if failed := failures(outcomes); len(failed) > 0 || seen.highest != 6 || took != 2*time.Second {
		t.Errorf("%d at once, %s, %v", seen.highest, took, failed)
	}
}

func TestRateIsKept(t *testing.T) {
	outcomes, seen, took := storm(t, 30, 1, 0, "limits: {rate: 10/s, burst: 5}")
	if failed := failures(outcomes); len(failed) > 0 || took != 2500*time.Millisecond {
		t.Errorf("%s, %v", took, failed)
	}
	slices.Sort(seen.at)
	for i := range seen.at { // in no second more than the burst and the rate together
		window := slices.IndexFunc(seen.at[i:], func(at time.Duration) bool { return at >= seen.at[i]+time.Second })
		if window > 15 {
			t.Errorf("%d requests within a second of %s", window, seen.at[i])
		}
	}
}

// Slots come before tokens: a token that waited for a slot would let the rate be broken when many slots get free.
func TestRateIsKeptBehindConcurrency(t *testing.T) {
	outcomes, seen, _ := storm(t, 40, 1, 5*time.Second, "limits: {rate: 2/s, burst: 1, concurrency: 20, queue: 100}")
	if failed := failures(outcomes); len(failed) > 0 {
		t.Fatal(failed)
	}
	for i := 1; i < len(seen.at); i++ {
		if gap := seen.at[i] - seen.at[i-1]; gap < 499*time.Millisecond {
			t.Errorf("request %d came %s after the one before", i, gap)
		}
	}
}

func TestRateThatDoesNotFitIsSaidAtOnce(t *testing.T) {
	outcomes, seen, took := storm(t, 20, 1, 0, "limits: {rate: 1/s, burst: 1}", "/server: {call_timeout: 10s}", "timeout: 10s")
	failed := failures(outcomes)
	if len(seen.at) != 10 || len(failed) != 10 || took > 10*time.Second {
		t.Fatalf("%d went, %d failed, %s", len(seen.at), len(failed), took)
	}
	for _, e := range failed {
		if e.Code != fault.Unavailable || !e.Retryable || e.RetryAfter < 10 || !strings.Contains(e.Message, "1 requests per second") {
			t.Errorf("%+v", e)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	outcomes, seen, took := storm(t, 10, 1, time.Second, "limits: {concurrency: 2, queue: 3}")
	failed := failures(outcomes)
	if len(seen.at) != 5 || len(failed) != 5 || took != 3*time.Second {
		t.Fatalf("%d went, %d failed, %s", len(seen.at), len(failed), took)
	}
	for _, e := range failed {
		if e.Code != fault.Unavailable || !e.Retryable || e.RetryAfter != 1 || !strings.Contains(e.Message, "limits.queue") {
			t.Errorf("%+v", e)
		}
	}
}

func TestSlotThatNeverGetsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle("up", config.Limits{Concurrency: 1, Queue: 1})
		leave, err := throttle.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer leave()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err = throttle.enter(ctx)
		f := fault.From(err)
		if f.Code != fault.Unavailable || !f.Retryable || f.RetryAfter == 0 || !strings.Contains(f.Message, "limits.concurrency") ||
			time.Since(start) != 10*time.Second {
			t.Errorf("after %s: %+v", time.Since(start), f)
		}
	})
}

// A token that would come too late is given back: the next one who may wait longer gets it.
func TestTokenThatComesTooLateIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle("up", config.Limits{Rate: config.Rate{Events: 1, Per: time.Second}, Burst: 1, Queue: 1})
		if _, err := throttle.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 5 {
			if err := throttle.takeToken(short, throttle.shared); fault.CodeOf(err) != fault.Unavailable {
				t.Fatal(err)
			}
		}
		start := time.Now()
		if err := throttle.takeToken(t.Context(), throttle.shared); err != nil || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestWaitingCallerThatLeavesTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle("up", config.Limits{Concurrency: 1, Rate: config.Rate{Events: 1, Per: time.Second}, Burst: 1, Queue: 9})
		leave, err := throttle.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := throttle.enter(gone); err == nil {
			t.Fatal("it came in")
		}
		leave()
		second, cancelSecond := context.WithCancel(t.Context())
		go func() {
			time.Sleep(100 * time.Millisecond)
			cancelSecond()
		}()
		if _, err := throttle.enter(second); err == nil { // has the slot, waits for the token
			t.Fatal("it came in")
		}
		start := time.Now()
		leave, err = throttle.enter(t.Context())
		if err != nil || time.Since(start) > 900*time.Millisecond {
			t.Errorf("%v after %s: a token or a slot was lost", err, time.Since(start))
		}
		leave()
		if n := throttle.waiting.Load(); n != 0 {
			t.Errorf("%d wait", n)
		}
	})
}

// A slot is held while the answer is read, and given back when that fails.
func TestSlotIsHeldUntilTheAnswerIsRead(t *testing.T) {
	release := make(chan struct{})
	headers := make(chan struct{}, 2)
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		headers <- struct{}{}
		<-release
		panic(http.ErrAbortHandler)
	}), "limits: {concurrency: 1, queue: 0}", "retry: {attempts: 1}")
	first := make(chan *Outcome)
	go func() { first <- l.call("read", `{"id": "1"}`) }()
	<-headers
	if e := l.failed(l.call("read", `{"id": "2"}`)); e.Code != fault.Unavailable {
		t.Errorf("%+v", e)
	}
	close(release)
	if e := l.failed(<-first); e.Code != fault.Connection {
		t.Errorf("%+v", e)
	}
	if e := l.failed(l.call("read", `{"id": "3"}`)); e.Code != fault.Connection {
		t.Errorf("the slot was not given back: %+v", e)
	}
}

// A retry waits outside: what it waits for must not keep others out.
func TestRetryPauseHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLabAt(t, "http://up.example", "limits: {concurrency: 1}")
		l.inMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "slow") {
				w.Header().Set("Retry-After", "20")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}))
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.call("read", `{"id": "slow"}`)
		}()
		synctest.Wait()
		start := time.Now()
		if outcome := l.call("read", `{"id": "fast"}`); !outcome.OK || time.Since(start) != 0 {
			t.Errorf("after %s: %s", time.Since(start), asJSON(t, outcome))
		}
		<-done
	})
}

func TestCallersAreForgotten(t *testing.T) {
	throttle := newThrottle("up", config.Limits{Concurrency: 1, PerCaller: true})
	as := func(i int) context.Context {
		return auth.WithPrincipal(t.Context(), &auth.Principal{Subject: fmt.Sprint(i)})
	}
	stay, err := throttle.enter(as(-1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxCallers {
		leave, err := throttle.enter(as(i))
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	if n := len(throttle.callers); n != maxCallers || throttle.recent.Len() != n {
		t.Errorf("%d callers are kept, %d in the list", n, throttle.recent.Len())
	}
	if _, err := throttle.enter(as(-1)); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("the caller who is inside was forgotten: %v", err)
	}
	stay()
}
