package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

// events returns the messages of an answer that is an event stream.
func events(t testing.TB, a answer) []map[string]any {
	t.Helper()
	var messages []map[string]any
	for line := range strings.SplitSeq(a.body, "\n") {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var message map[string]any
			if err := json.Unmarshal([]byte(data), &message); err != nil {
				t.Fatal(err)
			}
			messages = append(messages, message)
		}
	}
	return messages
}

// Row: the last notification before a tool returns is lost (200 of 200 calls).
func TestTheLastProgressArrivesBeforeTheResult(t *testing.T) {
	_, server := serve(t, setup{})
	call := strings.Replace(callGetPet, `"arguments"`, `"_meta":{"progressToken":"p"},"arguments"`, 1)
	for range 50 {
		got := post(t, server, call)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %v", got.status, got.header)
		}
		messages := events(t, got)
		if len(messages) != 3 {
			t.Fatalf("%d messages, want two of progress and the result: %s", len(messages), got.body)
		}
		last := -1.0
		for _, message := range messages[:2] {
			params := message["params"].(map[string]any)
			progress := params["progress"].(float64)
			if message["method"] != "notifications/progress" || params["progressToken"] != "p" || progress <= last {
				t.Fatalf("%v after %v", message, last)
			}
			last = progress
		}
		if messages[2]["result"] == nil || messages[2]["id"] != 1.0 {
			t.Fatalf("not the result: %v", messages[2])
		}
	}
}

func TestNoProgressUnlessAskedFor(t *testing.T) {
	_, server := serve(t, setup{})
	if got := post(t, server, callGetPet); got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s", got.header, got.body)
	}
}

// A slow call reports every two seconds, and always more.
func TestProgressOfASlowCall(t *testing.T) {
	g := newGateway(t, setup{})
	synctest.Test(t, func(t *testing.T) {
		s := newSession(g, "s")
		s.Initialize()
		req := mcp.CallToolRequest{}
		req.Params.Meta = &mcp.Meta{ProgressToken: 7}
		_, stop := g.reportProgress(g.core.WithContext(t.Context(), s), req)
		time.Sleep(5 * progressEvery / 2)
		synctest.Wait()
		stop()
		var got []float64
		for len(s.notifications) > 0 {
			got = append(got, (<-s.notifications).Params.AdditionalFields["progress"].(float64))
		}
		if len(got) != 4 || got[0] != 0 || got[1] != 2 || got[2] != 4 || got[3] != 5 {
			t.Errorf("progress: %v, want 0, 2, 4, 5", got)
		}
	})
}

// Each attempt but the first is told, with what the one before it came to.
func TestProgressTellsOfAttempts(t *testing.T) {
	var asked atomic.Int32
	_, server := serve(t, setup{
		yaml: "defaults: {retry: {attempts: 4, backoff: 1ms, on: [503, connect]}}\n",
		upstream: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			switch asked.Add(1) {
			case 1:
				w.WriteHeader(http.StatusServiceUnavailable)
			case 2: // an answer that breaks off; net/http itself repeats what got none at all
				_, _ = io.WriteString(w, `{"id`)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			default:
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"id":1}`)
			}
		}),
	})
	got := post(t, server, strings.Replace(callGetPet, `"arguments"`, `"_meta":{"progressToken":"p"},"arguments"`, 1))
	var told []string
	for _, message := range events(t, got) {
		if params, ok := message["params"].(map[string]any); ok {
			told = append(told, params["message"].(string))
		}
	}
	want := []string{"started", "attempt 2 of 4 after 503", "attempt 3 of 4 after a failed connection", "finished"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("%s\n%s", diff, got.body)
	}
}

// A client that doesn't read loses progress, not the call.
func TestProgressNeverBlocks(t *testing.T) {
	g := newGateway(t, setup{})
	s := newSession(g, "s")
	s.Initialize()
	s.notifications = make(chan mcp.JSONRPCNotification) // nobody reads
	req := mcp.CallToolRequest{}
	req.Params.Meta = &mcp.Meta{ProgressToken: 7}
	done := make(chan struct{})
	go func() {
		ctx, stop := g.reportProgress(g.core.WithContext(t.Context(), s), req)
		tell(ctx, "attempt 2")
		stop()
		close(done)
	}()
	within(t, done, "reportProgress")
}
