package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// script answers one request after the other, the last answer again and again, and keeps when each came.
type script struct {
	answers []reply
	start   time.Time
	at      []time.Duration
	bodies  []string
	chunked bool // a body came without its length
}

// reply is a status with a Retry-After, or how the connection ends instead.
type reply struct {
	status     int
	retryAfter string
	broken     bool // the answer begins and does not end
	hangUp     bool // there is none
	silent     bool // there never is one
	body       string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.at = append(s.at, time.Since(s.start))
	s.bodies = append(s.bodies, string(body))
	if r.ContentLength != int64(len(body)) {
		s.chunked = true
	}
	a := s.answers[min(len(s.at), len(s.answers))-1]
	switch {
	case a.hangUp:
		panic(http.ErrAbortHandler)
	case a.silent:
		<-r.Context().Done()
		return
	case a.broken:
		w.Header().Set("Content-Length", "100")
	}
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, orElse(a.body, `{"n": 1}`))
}

// play calls a tool of an upstream that follows a script, on a fake clock.
func play(t *testing.T, tool string, answers []reply, lines ...string) (outcome *Outcome, s *script, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		l := newLabAt(t, "http://up.example", lines...)
		s = &script{answers: answers, start: time.Now()}
		l.inMemory(s)
		outcome = l.call(tool, arguments[tool])
		took = time.Since(s.start)
	})
	return outcome, s, took
}

var arguments = map[string]string{"read": `{"id": "1"}`, "write": `{"name": "n"}`, "ask": `{"q": "x"}`}

func status(code int) []reply { return []reply{{status: code}} }

// Which tool is tried again after which answer: four attempts, or one.
func TestRetryPolicy(t *testing.T) {
	tests := []struct {
		name   string
		tool   string
		answer reply
		lines  []string
		want   int // attempts
	}{
		{"read 429", "read", reply{status: 429}, nil, 4},
		{"read 500", "read", reply{status: 500}, nil, 4},
		{"read 502", "read", reply{status: 502}, nil, 4},
		{"read 503", "read", reply{status: 503}, nil, 4},
		{"read 504", "read", reply{status: 504}, nil, 4},
		{"read hang up", "read", reply{hangUp: true}, nil, 4},
		{"read broken off", "read", reply{status: 200, broken: true}, nil, 4},
		{"read never", "read", reply{silent: true}, []string{"timeout: 1s"}, 4},
		{"read 400", "read", reply{status: 400}, nil, 1},
		{"read 401", "read", reply{status: 401}, nil, 1},
		{"read 403", "read", reply{status: 403}, nil, 1},
		{"read 404", "read", reply{status: 404}, nil, 1},
		{"read 501", "read", reply{status: 501}, nil, 1},
		{"write 429", "write", reply{status: 429}, nil, 4},
		{"write 503 with Retry-After", "write", reply{status: 503, retryAfter: "1"}, nil, 4},
		{"write 503", "write", reply{status: 503}, nil, 1},
		{"write 500", "write", reply{status: 500}, nil, 1},
		{"write 500 with Retry-After", "write", reply{status: 500, retryAfter: "1"}, nil, 1},
		{"write 504", "write", reply{status: 504}, nil, 1},
		{"write hang up", "write", reply{hangUp: true}, nil, 1},
		{"write broken off", "write", reply{status: 201, broken: true}, nil, 1},
		{"write never", "write", reply{silent: true}, []string{"timeout: 1s"}, 1},
		{"idempotent write 500", "ask", reply{status: 500}, nil, 4},
		{"idempotent write hang up", "ask", reply{hangUp: true}, nil, 4},
		{"unsafe write 500", "write", reply{status: 500}, []string{"retry: {unsafe: true}"}, 4},
		{"attempts", "read", reply{status: 500}, []string{"retry: {attempts: 2}"}, 2},
		{"never again", "read", reply{status: 500}, []string{"retry: {attempts: 1}"}, 1},
		{"on, status", "read", reply{status: 500}, []string{"retry: {on: [429, connect]}"}, 1},
		{"on, connect", "read", reply{hangUp: true}, []string{"retry: {on: [timeout]}"}, 1},
		{"on, timeout", "read", reply{silent: true}, []string{"retry: {on: [connect]}", "timeout: 1s"}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			outcome, s, _ := play(t, test.tool, []reply{test.answer}, test.lines...)
			if outcome.OK || len(s.at) != test.want {
				t.Errorf("%d attempts, want %d; %s", len(s.at), test.want, asJSON(t, outcome))
			}
			for _, body := range s.bodies {
				if s.chunked || body != s.bodies[0] || (test.tool != "read") == (body == "") {
					t.Errorf("the bodies are %q, chunked: %v", s.bodies, s.chunked)
				}
			}
		})
	}
}

func TestRetryUntilItWorks(t *testing.T) {
	for _, tool := range []string{"read", "ask"} {
		outcome, s, _ := play(t, tool, []reply{{status: 200, broken: true}, {hangUp: true}, {status: 502}, {status: 200}})
		if !outcome.OK || len(s.at) != 4 || string(outcome.Data) != `{"n":1}` {
			t.Errorf("%s: %d attempts, %s", tool, len(s.at), asJSON(t, outcome))
		}
	}
}

func TestRetryPausesDouble(t *testing.T) {
	_, s, _ := play(t, "read", status(500))
	within := func(name string, got, base time.Duration) {
		t.Helper()
		if got < base*8/10 || got > base*12/10 {
			t.Errorf("the %s pause is %s, not about %s", name, got, base)
		}
	}
	within("first", s.at[1]-s.at[0], 500*time.Millisecond)
	within("second", s.at[2]-s.at[1], time.Second)
	within("third", s.at[3]-s.at[2], 2*time.Second)

	_, s, _ = play(t, "read", status(500), "retry: {attempts: 6, backoff: 4s, max_backoff: 5s}")
	for i := 2; i < len(s.at); i++ {
		if pause := s.at[i] - s.at[i-1]; pause != 5*time.Second {
			t.Errorf("pause %d is %s although max_backoff is 5s", i, pause)
		}
	}
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	for _, code := range []int{429, 503} {
		outcome, s, _ := play(t, "write", []reply{{status: code, retryAfter: "7"}, {status: 201}})
		if !outcome.OK || s.at[1] != 7*time.Second {
			t.Errorf("%d: %v %s", code, s.at, asJSON(t, outcome))
		}
	}
}

// A Retry-After of nothing is no reason to come back at once.
func TestRetryAfterIsNoShorterThanThePause(t *testing.T) {
	for _, text := range []string{"0", "Fri, 31 Dec 1999 23:59:59 GMT"} {
		_, s, _ := play(t, "read", []reply{{status: 429, retryAfter: text}, {status: 200}})
		if len(s.at) != 2 || s.at[1] < 400*time.Millisecond {
			t.Errorf("%s: %v", text, s.at)
		}
	}
}

// What does not fit into the call's time is said at once, and nobody waits for it.
func TestRetryAfterThatDoesNotFit(t *testing.T) {
	tests := []struct {
		answer reply
		want   Error
	}{
		{reply{status: 429, retryAfter: "60"}, Error{Code: fault.RateLimit, RetryAfter: 60}},
		{reply{status: 503, retryAfter: "55"}, Error{Code: fault.Server, RetryAfter: 55}},
		{reply{status: 429, retryAfter: "99999999999999999999999"}, Error{Code: fault.RateLimit, RetryAfter: 365 * 24 * 3600}},
	}
	for _, test := range tests {
		for _, tool := range []string{"read", "write"} {
			outcome, s, took := play(t, tool, []reply{test.answer}, "/server: {call_timeout: 55s}")
			e := outcome.Errors[0]
			if e.Code != test.want.Code || e.RetryAfter != test.want.RetryAfter || !e.Retryable || len(s.at) != 1 || took != 0 {
				t.Errorf("%s %+v: %s after %s: %+v", tool, test.answer, s.at, took, e)
			}
		}
	}
}

func TestRetryStopsWhereTheNextPauseDoesNotFit(t *testing.T) {
	outcome, s, took := play(t, "read", status(500), "/server: {call_timeout: 1s}")
	if e := outcome.Errors[0]; e.Code != fault.Server || !e.Retryable || len(s.at) != 2 || took >= time.Second {
		t.Errorf("%v after %s: %+v", s.at, took, e)
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"", 0, false},
		{"0", 0, true},
		{"120", 2 * time.Minute, true},
		{" 3 ", 3 * time.Second, true},
		{"1.5", 1500 * time.Millisecond, true},
		{"-5", 0, false},
		{"soon", 0, false},
		{"NaN", 0, false},
		{"Inf", 0, false},
		{"1e9", 0, false},
		{"0x10", 0, false},
		{"1.2.3", 0, false},
		{".", 0, false},
		{"31536001", maxRetryAfter, true},
		{strings.Repeat("9", 400), maxRetryAfter, true},
		{now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, true},
		{now.Add(90 * time.Second).Format(time.RFC850), 90 * time.Second, true},
		{now.Add(90 * time.Second).Format(time.ANSIC), 90 * time.Second, true},
		{"Fri, 31 Dec 1999 23:59:59 GMT", 0, true},
		{"Fri, 31 Dec 9999 23:59:59 GMT", maxRetryAfter, true},
		{"2026-11-22T20:01:00Z", 0, false},
	}
	for _, test := range tests {
		got, ok := retryAfter(http.Header{"Retry-After": {test.text}}, now)
		if got != test.want || ok != test.ok {
			t.Errorf("%q: %s %v, want %s %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Fri, 31 Dec 1999 23:59:59 GMT")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, text string) {
		wait, ok := retryAfter(http.Header{"Retry-After": {text}}, time.Now())
		if wait < 0 || wait > maxRetryAfter || (!ok && wait != 0) {
			t.Errorf("%q: %s %v", text, wait, ok)
		}
	})
}

// Before anything was written, even a POST may be repeated.
func TestWriteIsRepeatedWhereNothingWasSent(t *testing.T) {
	refusals := map[string]error{
		"refused": &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		"dns":     &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}},
		"proxy":   &net.OpError{Op: "proxyconnect", Net: "tcp", Err: syscall.ECONNREFUSED},
	}
	for name, refusal := range refusals {
		synctest.Test(t, func(t *testing.T) {
			l := newLabAt(t, "http://up.example")
			tries := 0
			l.upstream.base = roundTrip(func(*http.Request) (*http.Response, error) {
				tries++
				return nil, refusal
			})
			e := l.failed(l.call("write", `{"name": "n"}`))
			if tries != 4 || !e.Retryable || e.Code != fault.Connection || !strings.HasSuffix(e.Message, "(tried 4 times)") {
				t.Errorf("%s: %d tries: %+v", name, tries, e)
			}
		})
	}
}

func TestWriteThatMayHaveBeenCarriedOutSaysSo(t *testing.T) {
	for _, a := range []reply{{hangUp: true}, {status: 500}, {status: 201, broken: true}, {silent: true}} {
		outcome, _, _ := play(t, "write", []reply{a}, "timeout: 1s")
		e := outcome.Errors[0]
		if e.Retryable || !strings.Contains(e.Hint, "may have been carried out") {
			t.Errorf("%+v: %+v", a, e)
		}
	}
}

func TestRetryOn(t *testing.T) {
	p := newRetryPolicy(config.Retry{On: []string{"429", "connect"}})
	if !p.statuses[429] || !p.causes["connect"] || p.causes["timeout"] || p.attempts != 1 {
		t.Errorf("%+v", p)
	}
}

// Every attempt takes a credential of its own, and a source that has none ends the call.
func TestEachAttemptAsksForACredential(t *testing.T) {
	var seen []string
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusServiceUnavailable)
	}), "retry: {backoff: 1ms}")
	asked := 0
	l.upstream.source = sourceFunc(func(_ context.Context, req *http.Request) error {
		asked++
		if asked == 3 {
			return fault.New(fault.TokenRefreshFailed, "no token", nil)
		}
		req.Header.Set("Authorization", "token "+strconv.Itoa(asked))
		return nil
	})
	e := l.failed(l.call("read", `{"id": "1"}`))
	if diff := cmp.Diff([]string{"token 1", "token 2"}, seen); diff != "" || e.Code != fault.TokenRefreshFailed {
		t.Errorf("%s %+v", diff, e)
	}
}

type sourceFunc func(context.Context, *http.Request) error

func (f sourceFunc) Authorize(ctx context.Context, req *http.Request) error { return f(ctx, req) }

// go-retryablehttp closes all idle connections when it gives up; those of other calls must live on.
func TestFailedCallLeavesThePoolAlone(t *testing.T) {
	var conns []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conns = append(conns, r.RemoteAddr)
		if strings.HasSuffix(r.URL.Path, "bad") {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, "ok")
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	l := newLabAt(t, server.URL, "retry: {attempts: 2, backoff: 1ms}")
	for _, id := range []string{"good", "bad", "good"} {
		l.call("read", `{"id": "`+id+`"}`)
	}
	for _, conn := range conns {
		if conn != conns[0] {
			t.Fatalf("the connections are %v", conns)
		}
	}
}
