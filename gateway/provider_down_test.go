package gateway

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/internal/fakeidp"
)

// A provider that is down when the gateway starts delays readiness and nothing else; one that goes down later does not turn it back.
func TestProviderThatIsDownAtStart(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	e := openEntrance(t, fakeidp.Options{OnRequest: func(string, *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler) // net/http closes the connection
		}
	}}, "")
	for path, want := range map[string]int{
		"/readyz": http.StatusServiceUnavailable, "/healthz": http.StatusOK, "/.well-known/oauth-authorization-server": http.StatusOK,
		"/.well-known/oauth-protected-resource/mcp": http.StatusOK,
	} {
		if got := do(t, http.MethodGet, e.url+path, ""); got.status != want {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	c := e.discover() // registers
	if got := do(t, http.MethodGet, c.AuthorizeURL(nil), ""); got.status != http.StatusServiceUnavailable && !strings.Contains(got.header.Get("Location"), "error=temporarily_unavailable") {
		t.Errorf("a login: %d %s %s", got.status, got.header, got.body)
	}
	down.Store(false)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); do(t, http.MethodGet, e.url+"/readyz", "").status != http.StatusOK; {
		select {
		case <-end:
			t.Fatal("it never becomes ready")
		case <-tick.C:
		}
	}
	tokens := e.logIn(c)
	down.Store(true)
	if got := do(t, http.MethodGet, e.url+"/readyz", ""); got.status != http.StatusOK {
		t.Errorf("not ready any more: %d %s", got.status, got.body)
	}
	if got := e.getPet(c, tokens.AccessToken); got.Status != http.StatusOK || !bytes.Contains(got.Body, []byte("alice")) {
		t.Errorf("a call while the provider is down: %d %s", got.Status, got.Body)
	}
}
