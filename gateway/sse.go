package gateway

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"mcpgate/auth"
)

// sse serves the HTTP+SSE transport of 2024-11-05, which is deprecated: one GET stays open and carries every answer,
// messages are POSTed beside it.
type sse struct {
	gateway *Gateway
	prefix  string // of the path, where public_url has one

	mu       sync.Mutex
	sessions map[string]sseSession
}

// sseSession is an open stream and whose it is.
type sseSession struct {
	*session
	ctx   context.Context // of the stream: the calls end with it
	owner string
}

func newSSE(g *Gateway) *sse {
	s := &sse{gateway: g, sessions: make(map[string]sseSession)}
	if u, err := url.Parse(g.cfg.Server.PublicURL); err == nil {
		s.prefix = strings.TrimSuffix(u.Path, "/")
	}
	return s
}

// serveStream opens a session and writes to it until the client goes or the gateway has ended.
func (s *sse) serveStream(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, OPTIONS")
		replyJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "method_not_allowed"})
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	session := newSession(s.gateway, rand.Text())
	s.add(sseSession{session, ctx, owner(ctx)})
	defer s.remove(session.id)
	if err := s.gateway.core.RegisterSession(ctx, session); err != nil {
		replyJSON(w, http.StatusInternalServerError, map[string]string{"error": "internal_error"})
		return
	}
	defer s.gateway.core.UnregisterSession(ctx, session.id)

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	stream := newEventStream(w)
	stream.WriteHeader(http.StatusOK)
	if err := stream.send("endpoint", fmt.Appendf(nil, "%s/messages?sessionId=%s", s.prefix, session.id)); err != nil {
		return
	}

	done := make(chan struct{})
	go s.wait(ctx, session, done)
	stop := stream.keepAlive()
	_ = session.write(func(text []byte) error { return stream.send("message", text) }, done)
	stop()
	cancel() // the client is gone where done isn't closed yet: so are its calls
	<-done
}

// wait closes done when the stream may end: the client is gone, or the gateway stops and has answered.
func (s *sse) wait(ctx context.Context, session *session, done chan<- struct{}) {
	defer close(done)
	select {
	case <-ctx.Done():
	case <-s.gateway.stopping.Done():
		s.remove(session.id)
	}
	session.finish(ctx)
}

// serveMessage takes one message of a session; the answer goes to its stream.
func (s *sse) serveMessage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		replyJSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "method_not_allowed"})
		return
	}
	session, ok := s.find(r.URL.Query().Get("sessionId"), owner(r.Context()))
	if !ok {
		replyJSON(w, http.StatusNotFound, map[string]string{"error": "not_found", "error_description": "no such session; open /sse anew"})
		return
	}
	body, ok := readMessage(w, r, int64(s.gateway.cfg.Server.MaxBody))
	if !ok {
		return
	}
	if _, bad := parseMessage(body); bad != nil {
		bad.write(w, http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	session.handle(session.ctx, body)
}

// owner is who calls, and with which client, as one comparable text.
func owner(ctx context.Context) string {
	p := auth.FromContext(ctx)
	return p.Issuer + "\x00" + p.Subject + "\x00" + p.ClientID
}

func (s *sse) add(session sseSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[session.id] = session
}

func (s *sse) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, id)
}

// find returns a session to the caller who opened it; for anybody else there is none.
func (s *sse) find(id, owner string) (sseSession, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.sessions[id]
	return session, ok && session.owner == owner
}
