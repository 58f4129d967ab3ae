package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		stop := g.reportProgress(g.core.WithContext(t.Context(), s), req)
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
		g.reportProgress(g.core.WithContext(t.Context(), s), req)()
		close(done)
	}()
	within(t, done, "reportProgress")
}
