package oauthproxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func from(address string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/register", nil)
	r.RemoteAddr = address
	return r
}

func TestACallerHasSoManyAMinute(t *testing.T) {
	clock := newFakeClock()
	l := newLimiter(10, 100, clock.now)
	for i := range 10 {
		if err := l.take(from("192.0.2.1:1000")); err != nil {
			t.Fatal(i, err)
		}
	}
	err := l.take(from("192.0.2.1:2000"))
	if err == nil || err.Status != http.StatusTooManyRequests || err.RetryAfter != 6*time.Second {
		t.Fatalf("%+v", err)
	}
	if err := l.take(from("192.0.2.2:1000")); err != nil {
		t.Error("another caller is refused", err)
	}
	clock.advance(err.RetryAfter)
	if err := l.take(from("192.0.2.1:2000")); err != nil {
		t.Error("after Retry-After:", err)
	}
	if err := l.take(from("192.0.2.1:2000")); err == nil {
		t.Error("two after the time of one")
	}
}

func TestAllTogetherHaveSoManyAMinute(t *testing.T) {
	clock := newFakeClock()
	l := newLimiter(10, 100, clock.now)
	passed := 0
	for i := range 200 {
		if l.take(from(fmt.Sprintf("192.0.2.%d:1", i))) == nil {
			passed++
		}
	}
	if passed != 100 {
		t.Errorf("%d of 200", passed)
	}
	// Who was refused because of the others lost nothing of its own.
	clock.advance(time.Minute)
	for i := range 10 {
		if err := l.take(from("192.0.2.199:1")); err != nil {
			t.Fatal(i, err)
		}
	}
}

func TestWhoTheCallerIs(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:1": "192.0.2.1", "[::ffff:192.0.2.1]:1": "192.0.2.1", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::/64", "[2001:db8:1:2::9]:7": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "@": "@", "": "",
	} {
		if got := callerOf(from(address)); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

func TestCallersAreForgottenBeforeMemoryGrows(t *testing.T) {
	l := newLimiter(1, 1_000_000, newFakeClock().now)
	for i := range maxLimited + 100 {
		_ = l.take(from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)))
	}
	if n := len(l.callers.entries); n != maxLimited || l.callers.order.Len() != maxLimited {
		t.Errorf("%d callers", n)
	}
}

func TestTheEleventhRegistrationIsTold(t *testing.T) {
	s := newDirectoryServer(t, nil)
	mux := http.NewServeMux()
	s.Register(mux)
	for i := range 11 {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(`{"redirect_uris":["https://app.example/cb"]}`))
		mux.ServeHTTP(w, r)
		want := http.StatusCreated
		if i == 10 {
			want = http.StatusTooManyRequests
		}
		if w.Code != want || (w.Header().Get("Retry-After") != "") != (i == 10) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%d: %d %v", i, w.Code, w.Header())
		}
	}
}

func TestRecentForgetsWhatWasNotUsedForLongest(t *testing.T) {
	r := newRecent[string, int](2)
	r.put("a", 1)
	r.put("b", 2)
	r.put("a", 3)
	r.put("c", 4)
	if _, ok := r.get("b"); ok {
		t.Error("b is there")
	}
	if a, ok := r.get("a"); !ok || a != 3 {
		t.Error("a is", a, ok)
	}
	r.put("d", 5) // a was used after c
	if _, ok := r.get("c"); ok {
		t.Error("c is there")
	}
	r.remove("a")
	r.remove("a")
	if _, ok := r.get("a"); ok || r.order.Len() != 1 {
		t.Error("a is there")
	}
}
