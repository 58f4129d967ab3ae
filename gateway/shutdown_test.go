package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"mcpgate/internal/fault"
)

// While the gateway stops: /readyz fails first, /healthz doesn't, a call under way gets its answer, a new one is refused.
func TestShutdownWaitsForCallsUnderWay(t *testing.T) {
	upstream := newHanging()
	g, server := serve(t, setup{upstream: upstream})
	answers := make(chan answer, 1)
	go func() { answers <- post(t, server, callGetPet) }()
	within(t, upstream.called, "the call")

	closed := make(chan error, 1)
	go func() { closed <- g.Close(context.Background()) }()
	within(t, g.stopping.Done(), "stopping")
	for path, want := range map[string]int{"/readyz": 503, "/healthz": 200, "/health": 200} {
		if got := do(t, http.MethodGet, server.URL+path, ""); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	refused := outcomeOf(t, post(t, server, callGetPet).result(t))
	if refused.code() != fault.Unavailable || !refused.Errors[0].Retryable || refused.Errors[0].RetryAfter == 0 {
		t.Errorf("a new call: %+v", refused)
	}
	select {
	case err := <-closed:
		t.Fatalf("Close did not wait: %v", err)
	default:
	}
	close(upstream.release)
	if got := outcomeOf(t, within(t, answers, "the answer").result(t)); !got.OK {
		t.Errorf("the call under way: %+v", got)
	}
	if err := within(t, closed, "Close"); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// What takes longer than the grace is cancelled, and its client is told why.
func TestShutdownCancelsWhatTakesTooLong(t *testing.T) {
	upstream := newHanging()
	g, server := serve(t, setup{upstream: upstream})
	answers := make(chan answer, 1)
	go func() { answers <- post(t, server, callGetPet) }()
	within(t, upstream.called, "the call")

	grace, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Close(grace); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	within(t, upstream.gone, "the upstream's request ends")
	if got := outcomeOf(t, within(t, answers, "the answer").result(t)); got.code() != fault.Unavailable {
		t.Errorf("the call: %+v", got)
	}
}

func TestCloseTwice(t *testing.T) {
	g := newGateway(t, setup{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 2 {
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	if got := g.Call(ctx, "getPet", json.RawMessage(`{"id":1}`)); got.code() != fault.Unavailable {
		t.Errorf("a call afterwards: %+v", got)
	}
}
