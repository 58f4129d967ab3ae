package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A load balancer drops a stream that is silent for long.
func TestIdleStreamsAreKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := httptest.NewRecorder()
		stream := newEventStream(recorder)
		stop := stream.keepAlive()
		time.Sleep(keepAlive + time.Second)
		synctest.Wait()
		if recorder.Body.Len() != 0 {
			t.Errorf("before the header: %q", recorder.Body)
		}
		stream.Header().Set("Content-Type", "text/event-stream")
		stream.WriteHeader(http.StatusOK)
		time.Sleep(2 * keepAlive)
		stop()
		if got := strings.Count(recorder.Body.String(), ": still here\n\n"); got != 2 {
			t.Errorf("%d comments: %q", got, recorder.Body)
		}
	})
}

// What is no stream gets no comments: they would break the JSON.
func TestOnlyStreamsAreKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := httptest.NewRecorder()
		stream := newEventStream(recorder)
		stop := stream.keepAlive()
		stream.Header().Set("Content-Type", "application/json")
		stream.WriteHeader(http.StatusOK)
		time.Sleep(10 * keepAlive)
		stop()
		if recorder.Body.Len() != 0 {
			t.Errorf("%q", recorder.Body)
		}
	})
}
