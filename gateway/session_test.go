package gateway

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

// Whatever the scheduler does, what a call had to say comes before its response.
func TestNotificationsComeBeforeTheResponse(t *testing.T) {
	g := newGateway(t, setup{})
	for range 100 {
		s := newSession(g, "s")
		for i := range 3 {
			s.notifications <- mcp.JSONRPCNotification{JSONRPC: "2.0", Notification: mcp.Notification{Method: fmt.Sprintf("n%d", i)}}
		}
		done, waiting := make(chan struct{}), make(chan struct{})
		go func() {
			close(waiting)
			s.reply([]byte("response"))
			close(done)
		}()
		<-waiting
		var got []string
		if err := s.write(func(text []byte) error {
			got = append(got, string(text))
			return nil
		}, done); err != nil {
			t.Fatal(err)
		}
		if len(got) != 4 || got[3] != "response" {
			t.Fatalf("%v", got)
		}
	}
}

func TestSessionBoundsWhatIsUnderWay(t *testing.T) {
	s := newSession(newGateway(t, setup{}), "s")
	ended := 0
	for i := range maxUnderway {
		if refusal := s.register(fmt.Sprint(i), &request{cancel: func() { ended++ }}); refusal != "" {
			t.Fatalf("request %d: %s", i, refusal)
		}
	}
	if refusal := s.register("more", &request{}); !strings.Contains(refusal, "too many") {
		t.Errorf("one more: %q", refusal)
	}
	if refusal := s.register("7", &request{}); !strings.Contains(refusal, "id") {
		t.Errorf("an id that is in use: %q", refusal)
	}
	s.cancelWhere(func(*request) bool { return true })
	if ended != maxUnderway {
		t.Errorf("%d of %d were cancelled", ended, maxUnderway)
	}
}

func TestReplyDoesNotBlockWhereNothingCanBeWritten(t *testing.T) {
	s := newSession(newGateway(t, setup{}), "s")
	broken := errors.New("broken")
	written := make(chan error, 1)
	go func() { written <- s.write(func([]byte) error { return broken }, nil) }()
	for range 3 {
		s.reply([]byte("x"))
	}
	if diff := cmp.Diff(broken.Error(), within(t, written, "write").Error()); diff != "" {
		t.Error(diff)
	}
}
