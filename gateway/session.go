package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// lastWords is how long a client may take to read what is left to say when its time is over.
const lastWords = time.Second

// maxUnderway bounds the requests of one session that are answered at once.
const maxUnderway = 256

// session is one client on a transport that stays open: stdio, and HTTP+SSE. mcp-go's own two are not used: its stdio
// cancels the calls under way at the end of the input and keeps its state in a global, its SSE goes on with a call whose
// client is gone, and both can send a response before the call's last notification.
type session struct {
	gateway       *Gateway
	id            string
	notifications chan mcp.JSONRPCNotification // from mcp-go
	out           chan []byte                  // responses
	broken        chan struct{}                // closed when nothing more can be written
	unread        chan struct{}                // closed when the client is not waited for any longer
	requests      sync.WaitGroup
	initialized   atomic.Bool

	mu        sync.Mutex
	underway  map[string]*request // by the id as the client wrote it
	filter    mcp.SubscriptionFilter
	filtering bool
}

// request is one that has no answer yet.
type request struct {
	cancel  context.CancelFunc
	listens bool // it lasts as long as the session
	dropped bool // the client cancelled it and wants no answer
}

func newSession(g *Gateway, id string) *session {
	return &session{
		gateway: g, id: id,
		notifications: make(chan mcp.JSONRPCNotification, 64),
		out:           make(chan []byte),
		broken:        make(chan struct{}),
		unread:        make(chan struct{}),
		underway:      make(map[string]*request),
	}
}

// What mcp-go wants to know of a session.
func (s *session) SessionID() string                                   { return s.id }
func (s *session) NotificationChannel() chan<- mcp.JSONRPCNotification { return s.notifications }
func (s *session) Initialize()                                         { s.initialized.Store(true) }
func (s *session) Initialized() bool                                   { return s.initialized.Load() }

// SetSubscriptionFilter keeps what a subscriptions/listen asked for.
func (s *session) SetSubscriptionFilter(filter mcp.SubscriptionFilter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter, s.filtering = filter, true
}

// SubscriptionFilter returns it, and whether there ever was one.
func (s *session) SubscriptionFilter() (mcp.SubscriptionFilter, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.filter, s.filtering
}

// write sends what there is to send until done is closed, in the one order that is right: a call's notifications
// before its response.
func (s *session) write(send func([]byte) error, done <-chan struct{}) error {
	defer close(s.broken)
	notify := func(n mcp.JSONRPCNotification) error {
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		return send(text)
	}
	for {
		select {
		case n := <-s.notifications:
			if err := notify(n); err != nil {
				return err
			}
		case response := <-s.out:
			for len(s.notifications) > 0 {
				if err := notify(<-s.notifications); err != nil {
					return err
				}
			}
			if err := send(response); err != nil {
				return err
			}
		case <-done:
			return nil
		}
	}
}

// reply hands a response to write.
func (s *session) reply(response []byte) {
	select {
	case s.out <- response:
	case <-s.broken:
	case <-s.unread:
	}
}

// handle takes one message. Requests are answered on goroutines of their own, which finish waits for; ctx is theirs.
func (s *session) handle(ctx context.Context, raw []byte) {
	msg, bad := parseMessage(raw)
	if bad != nil {
		s.reply(bad.json())
		return
	}
	ctx = s.gateway.core.WithContext(ctx, s)
	switch {
	case msg.isResponse(): // to a request of ours; there are none
	case msg.ID != nil:
		s.start(ctx, msg, raw)
	case msg.Method == string(mcp.MethodNotificationCancelled):
		s.drop(msg)
	default:
		s.respond(ctx, msg, raw)
	}
}

// start answers a request on a goroutine. It is known by its id before handle returns, so that a cancellation that
// follows at once finds it.
func (s *session) start(ctx context.Context, msg message, raw []byte) {
	id := string(msg.ID)
	ctx, cancel := context.WithCancel(ctx)
	req := &request{cancel: cancel, listens: msg.Method == string(mcp.MethodSubscriptionsListen)}
	if refusal := s.register(id, req); refusal != "" {
		cancel()
		s.reply((&rpcError{id: msg.ID, code: mcp.INVALID_REQUEST, message: refusal}).json())
		return
	}
	s.requests.Go(func() {
		defer cancel()
		response := s.respond(ctx, msg, raw)
		s.mu.Lock()
		delete(s.underway, id)
		dropped := req.dropped
		s.mu.Unlock()
		if response != nil && !dropped {
			s.reply(response)
		}
	})
}

// register returns why a request can't be taken, or "".
func (s *session) register(id string, req *request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.underway[id]; taken {
		return "a request with this id is under way"
	}
	if len(s.underway) >= maxUnderway {
		return "too many requests are under way"
	}
	s.underway[id] = req
	return ""
}

// respond returns the answer as one line of JSON, nil where there is none.
func (s *session) respond(ctx context.Context, msg message, raw []byte) (response []byte) {
	defer func() {
		if p := recover(); p != nil {
			s.gateway.log.Error("panic while a message was answered", "method", msg.Method, "panic", p, "stack", string(debug.Stack()))
			response = (&rpcError{id: msg.ID, code: mcp.INTERNAL_ERROR, message: "internal error"}).json()
		}
	}()
	if answer, ok := s.gateway.snapshot.Load().lists.of(ctx).answer(msg, nil); ok {
		return bytes.TrimSuffix(slices.Concat(answer...), []byte("\n"))
	}
	if bad := s.gateway.snapshot.Load().refusal(msg, nil); bad != nil {
		return bad.json()
	}
	raw, restore := keepID(msg, raw)
	answer := s.gateway.core.HandleMessage(ctx, raw)
	if answer == nil {
		return nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		s.gateway.log.Error("an answer could not be written", "method", msg.Method, "error", err)
		return (&rpcError{id: msg.ID, code: mcp.INTERNAL_ERROR, message: "internal error"}).json()
	}
	return restore(text)
}

// drop cancels a request; the client wants no answer to it any more.
func (s *session) drop(msg message) {
	var params struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	if json.Unmarshal(msg.Params, &params) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if req, ok := s.underway[string(params.RequestID)]; ok {
		req.dropped = true
		req.cancel()
	}
}

// finish waits for the requests under way until ctx is done, then cancels them and waits for them to notice. Listens
// have no end of their own, and end at once. The last answers are lost to a client that doesn't read them.
func (s *session) finish(ctx context.Context) {
	s.cancelWhere(func(r *request) bool { return r.listens })
	answered := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		s.cancelWhere(func(*request) bool { return true })
		select {
		case <-answered:
		case <-time.After(lastWords):
			close(s.unread)
		}
	})()
	s.requests.Wait()
	close(answered)
}

func (s *session) cancelWhere(holds func(*request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, req := range s.underway {
		if holds(req) {
			req.cancel()
		}
	}
}

var (
	_ server.ClientSession                 = (*session)(nil)
	_ server.SessionWithSubscriptionFilter = (*session)(nil)
)
