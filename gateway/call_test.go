package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/internal/telemetry"
)

func TestCallReadsAndWrites(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		fmt.Fprintf(w, `{"method": %q, "url": %q, "agent": %q, "big": 9007199254740993, "body": %q}`,
			r.Method, r.URL, r.UserAgent(), body)
	}))
	got := asJSON(t, l.call("read", `{"id": "a/b", "q": "x y"}`))
	want := `{"ok":true,"status_code":200,"data":{"method":"GET","url":"/things/a%2Fb?q=x+y","agent":"mcpgate","big":9007199254740993,"body":""}}`
	if diff := cmp.Diff(strings.ReplaceAll(want, "x+y", "x%20y"), strings.ReplaceAll(got, "x+y", "x%20y")); diff != "" {
		t.Error(diff)
	}
	got = asJSON(t, l.call("write", `{"name": "n"}`))
	want = `{"ok":true,"status_code":201,"data":{"method":"POST","url":"/things","agent":"mcpgate","big":9007199254740993,"body":"{\"name\":\"n\"}"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCallWithBadArgumentsSendsNothing(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came") }))
	e := l.failed(l.call("read", `{"idd": 1}`))
	if e.Code != fault.Input || e.Retryable || len(e.Fields) == 0 || !strings.Contains(e.Message, "id") {
		t.Errorf("%+v", e)
	}
}

// The upstreams that are wrong on purpose: each has its message.
func TestCallOfUpstreamGoneWrong(t *testing.T) {
	down := httptest.NewServer(nil)
	down.Close()
	tests := []struct {
		name    string
		handler http.HandlerFunc
		base    string
		want    Error
	}{{
		name: "down", base: down.URL,
		want: Error{Code: fault.Connection, Retryable: true, Message: `upstream "up" refused the connection`,
			Hint: "it may be down, or at another address"},
	}, {
		name: "ten megabytes",
		handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `"`+strings.Repeat("x", 10<<20)+`"`)
		},
		want: Error{Code: fault.TooLarge},
	}, {
		name: "never",
		handler: func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		},
		want: Error{Code: fault.Timeout, Retryable: true, Message: `upstream "up" did not answer within 50ms`},
	}, {
		name: "never ends",
		handler: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[1,")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		want: Error{Code: fault.Timeout, Retryable: true, Message: `upstream "up" did not answer within 50ms`,
			Upstream: &fault.Upstream{Status: 200}},
	}, {
		name: "hangs up",
		handler: func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
		want: Error{Code: fault.Connection, Retryable: true, Message: `upstream "up" closed the connection before the answer was complete`},
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base := test.base
			if base == "" {
				server := httptest.NewServer(test.handler)
				defer server.Close()
				base = server.URL
			}
			l := newLabAt(t, base, "retry: {attempts: 1}", "response: {max_bytes: 1MiB}")
			if test.want.Code == fault.Timeout {
				l.tools["read"].Timeout = 50 * time.Millisecond
			}
			if test.want.Code == fault.TooLarge {
				if e := l.failed(l.call("read", `{"id": "1"}`)); e.Code != fault.TooLarge || e.Retryable {
					t.Errorf("%+v", e)
				}
				return
			}
			if diff := cmp.Diff(test.want, l.failed(l.call("read", `{"id": "1"}`))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCallOfUpstreamThatAnswersHTML(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>")
	}), "retry: {attempts: 1}")
	outcome := l.call("read", `{"id": "1"}`)
	e := l.failed(outcome)
	if e.Code != fault.Server || !e.Retryable || outcome.StatusCode != 502 || !strings.Contains(e.Message, "Bad Gateway") {
		t.Errorf("%+v", e)
	}
}

func TestCallEndsAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLabAt(t, "http://up.example", "timeout: 20s", "/server: {call_timeout: 55s}")
		l.inMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		start := time.Now()
		e := l.failed(l.call("read", `{"id": "1"}`))
		// 20 s and 20 s, with the pauses between; the third attempt is cut at 55 s.
		if took := time.Since(start); took != 55*time.Second {
			t.Errorf("it took %s", took)
		}
		want := `the call to upstream "up" did not end within 55s (server.call_timeout)`
		if e.Code != fault.Timeout || e.Message != want {
			t.Errorf("%+v", e)
		}
	})
}

// A transport may say no more than that its context is over; which limit that was is known here.
func TestAttemptTimeoutOfAnyTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLabAt(t, "http://up.example", "timeout: 3s", "retry: {attempts: 1}")
		l.upstream.base = roundTrip(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})
		if e := l.failed(l.call("read", arguments["read"])); e.Code != fault.Timeout || e.Message != `upstream "up" did not answer within 3s` {
			t.Errorf("%+v", e)
		}
	})
}

func TestCallThatTheClientLeavesEndsTheRequest(t *testing.T) {
	arrived, gone := make(chan struct{}), make(chan struct{})
	l := newLab(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	}))
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	if e := l.failed(l.callContext(ctx, "read", `{"id": "1"}`)); e.Code != fault.Cancelled || e.Retryable {
		t.Errorf("%+v", e)
	}
	<-gone // the upstream noticed
}

func TestCallEndedByTheGatewaySaysWhy(t *testing.T) {
	reason := fault.New(fault.Unavailable, "the gateway is shutting down", nil)
	ctx, end := context.WithCancelCause(t.Context())
	l := newLab(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end(reason)
		<-r.Context().Done()
	}))
	if e := l.failed(l.callContext(ctx, "read", `{"id": "1"}`)); e.Code != fault.Unavailable || e.Message != reason.Message {
		t.Errorf("%+v", e)
	}
}

func TestCallThatPanicsTellsOnlyItsID(t *testing.T) {
	l := newLabAt(t, "http://up.example")
	l.upstream.base = roundTrip(func(*http.Request) (*http.Response, error) { panic("the reason, with a secret") })
	outcome := l.call("read", `{"id": "1"}`)
	e := l.failed(outcome)
	id := e.Message[strings.LastIndex(e.Message, " ")+1:]
	if e.Code != fault.Internal || e.Retryable || strings.Contains(asJSON(t, outcome), "reason, with") || len(id) != 16 {
		t.Errorf("%+v", e)
	}
	if log := l.log.String(); !strings.Contains(log, id) || !strings.Contains(log, "the reason") || !strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log is %s", log)
	}
}

func TestFailureOfUnknownErrorIsInternal(t *testing.T) {
	e := failure(errors.New("dial tcp 10.0.0.1: secret"), "abc").Errors[0]
	want := Error{Code: fault.Internal, Message: "the gateway failed; its operator finds the reason in the log as call abc"}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
}

func TestFailureKeepsWhatTheFaultSays(t *testing.T) {
	f := fault.New(fault.RateLimit, "slow down", errors.New("the cause"))
	f.Retryable, f.RetryAfter, f.Hint = true, 1500*time.Millisecond, "wait"
	f.Fields = []fault.Field{{Path: "a", Message: "b"}}
	f.Upstream = &fault.Upstream{Status: 429, Code: "LIMIT", RequestID: "r1"}
	got := asJSON(t, failure(fmt.Errorf("wrapped: %w", f), ""))
	want := `{"ok":false,"status_code":429,"errors":[{"code":"api.rate_limit","message":"slow down","retryable":true,"retry_after":2,` +
		`"hint":"wait","fields":[{"path":"a","message":"b"}],"upstream":{"status":429,"code":"LIMIT","request_id":"r1"}}]}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestResultHoldsNoSecretThatTheUpstreamRepeats(t *testing.T) {
	const token = "s3cr3t/token+1"
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Fprintf(w, `{"message": "you sent %s and %s", "language": %q}`,
			r.Header.Get("Authorization"), r.Header.Get("X-Other-Key"), r.Header.Get("Accept-Language"))
	}), "credential: {type: bearer, token: "+token+"}", "headers: {X-Other-Key: another-secret, Accept-Language: en-GB-oxendict}")
	for _, outcome := range []*Outcome{l.call("read", `{"id": "1"}`), l.call("write", `{}`)} {
		text := asJSON(t, outcome)
		if strings.Contains(text, token) || strings.Contains(text, "another-secret") || !strings.Contains(text, "Bearer [secret] and [secret]") {
			t.Error(text)
		}
	}
	if text := asJSON(t, l.call("read", `{"id": "1"}`)); !strings.Contains(text, "en-GB-oxendict") {
		t.Errorf("a header that is no secret was masked: %s", text)
	}
}

// X-Acme says nothing of what it holds; the variable in gateway.yaml that it comes from does.
func TestResultHoldsNoSecretOfAVariable(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"acme": %q, "tenant": %q}`, r.Header.Get("X-Acme"), r.Header.Get("X-Tenant"))
	}), "headers: {X-Acme: '${ACME_SECRET:-acme-secret}', X-Tenant: '${TENANT:-tenant-seven}'}")
	want := `{"ok":true,"status_code":200,"data":{"acme":"[secret]","tenant":"tenant-seven"}}`
	if diff := cmp.Diff(want, asJSON(t, l.call("read", arguments["read"]))); diff != "" {
		t.Error(diff)
	}
}

func TestFailureHoldsNoSecretInAnyOfItsTexts(t *testing.T) {
	const token = "s3cr3t-token"
	f := fault.New(fault.Validation, token, nil)
	f.Hint, f.Fields = token, []fault.Field{{Path: token, Message: token}}
	f.Upstream = &fault.Upstream{Status: 400, Code: token, RequestID: token}
	outcome := failure(f, "")
	outcome.mask(telemetry.NewMasker([]config.Secret{config.NewSecret(token)}))
	if text := asJSON(t, outcome); strings.Contains(text, token) || strings.Count(text, "[secret]") != 6 {
		t.Error(text)
	}
	if f.Fields[0].Path != token || f.Upstream.Code != token {
		t.Error("the fault itself was changed, which others may hold")
	}
}

func TestSecretOfDigitsLeavesValidJSON(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"key": 1234567890, "text": "1234567890"}`)
	}), "credential: {type: api_key, in: header, name: X-Key, value: '1234567890'}")
	want := `{"ok":true,"status_code":200,"data":"{\"key\":[secret],\"text\":\"[secret]\"}"}`
	if diff := cmp.Diff(want, asJSON(t, l.call("read", arguments["read"]))); diff != "" {
		t.Error(diff)
	}
}

func TestLogHasALineForEachAttemptAndEachCall(t *testing.T) {
	failing := true
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failing {
			failing = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok")
	}), "credential: {type: api_key, in: query, name: key, value: top-secret-key}", "retry: {backoff: 1ms}")
	ctx := auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "ci"})
	l.callContext(ctx, "read", `{"id": "argument-value"}`)
	log := l.log.String()
	for _, want := range []string{
		`"msg":"request"`, `"path":"/things/{id}","attempt":1`, `"status":503`, `"attempt":2`,
		`"msg":"call"`, `"tool":"read","upstream":"up"`, `"ok":true,"status":200,"attempts":2`, `"caller":"ci"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s in %s", want, log)
		}
	}
	if n := strings.Count(log, "\n"); n != 3 {
		t.Errorf("%d lines", n)
	}
	for _, secret := range []string{"top-secret-key", "argument-value"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

// Some APIs refuse a request with a cookie of theirs, and one caller's session must never be another's.
func TestNoCookieIsKept(t *testing.T) {
	var cookies []string
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s", Path: "/"})
		if len(cookies) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}), "retry: {backoff: 1ms}")
	l.call("read", arguments["read"])
	l.call("read", arguments["read"])
	if diff := cmp.Diff([]string{"", "", ""}, cookies); diff != "" {
		t.Error(diff)
	}
}

func TestSandboxSaysThatItIsOne(t *testing.T) {
	l := newLabAt(t, "http://up.example")
	answer := http.StatusOK
	sandbox := roundTrip(func(req *http.Request) (*http.Response, error) {
		recorder := httptest.NewRecorder()
		recorder.WriteHeader(answer)
		return recorder.Result(), nil
	})
	up, err := newUpstream(&config.Config{}, l.upstream.config, upstreamOptions{Sandbox: sandbox})
	if err != nil {
		t.Fatal(err)
	}
	l.upstream = up
	if got := asJSON(t, l.call("read", arguments["read"])); got != `{"ok":true,"status_code":200,"sandbox":true}` {
		t.Error(got)
	}
	answer = http.StatusNotFound
	if outcome := l.call("read", arguments["read"]); outcome.OK || !outcome.Sandbox {
		t.Error(asJSON(t, outcome))
	}
}

// No message of a fault may name the upstream's host, which is the operator's to know.
func TestNoHostNameReachesTheClient(t *testing.T) {
	l := newLabAt(t, "http://127.0.0.1:1", "retry: {attempts: 1}")
	l.upstream.base = roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: "internal.host.example", IsNotFound: true}}
	})
	text := asJSON(t, l.call("read", `{"id": "1"}`))
	if strings.Contains(text, "internal.host") || strings.Contains(text, "127.0.0.1") {
		t.Error(text)
	}
	if !strings.Contains(l.log.String(), "internal.host.example") {
		t.Error("the log does not have the cause")
	}
}

// Whatever way a call ends, nothing of it stays: a bubble ends with an error where a goroutine is left behind.
func TestCallsLeaveNoGoroutineBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLabAt(t, "http://up.example", "limits: {concurrency: 2, rate: 5/s, queue: 10}", "timeout: 2s", "/server: {call_timeout: 8s}")
		l.inMemory(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch path.Base(r.URL.Path) {
			case "silent":
				<-r.Context().Done()
			case "drip":
				for r.Context().Err() == nil {
					_, _ = io.WriteString(w, " ")
					_ = http.NewResponseController(w).Flush()
					select {
					case <-time.After(100 * time.Millisecond):
					case <-r.Context().Done():
					}
				}
			case "hangup":
				panic(http.ErrAbortHandler)
			case "busy":
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(http.StatusTooManyRequests)
			case "large":
				_, _ = io.WriteString(w, strings.Repeat("x", 20<<20))
			}
		}))
		var calls sync.WaitGroup
		for i, id := range []string{"ok", "silent", "drip", "hangup", "busy", "large", "ok", "silent", "drip", "busy"} {
			calls.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Second)
				defer cancel()
				l.callContext(ctx, "read", `{"id": "`+id+`"}`)
			})
		}
		calls.Wait()
		if l.upstream.throttle.waiting.Load() != 0 || !l.upstream.throttle.shared.slots.TryAcquire(2) {
			t.Error("a slot or a place in the queue was not given back")
		}
	})
}
