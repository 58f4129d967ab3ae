package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// readTimeout bounds how long a client may take to send its message.
const readTimeout = 30 * time.Second

// edge is what stands between the network and mcp-go on the MCP endpoint: mcp-go is the protocol, not a safe HTTP
// server for many tenants. Whoever gets here has passed access.
type edge struct {
	gateway *Gateway
	next    http.Handler // mcp-go
	maxBody int64
}

// newEdge wraps mcp-go's Streamable HTTP. It keeps no session, so that nothing of one client can reach another, and
// has no GET stream, on which a stateless client would see other clients' progress. Host is access's to judge.
func newEdge(g *Gateway) *edge {
	return &edge{
		gateway: g,
		maxBody: int64(g.cfg.Server.MaxBody),
		next: server.NewStreamableHTTPServer(g.core,
			server.WithStateLess(true),
			server.WithDisableStreaming(true),
			server.WithDisableLocalhostProtection(true),
			server.WithStreamableHTTPLogger(g.log),
		),
	}
}

// ServeHTTP answers one POST.
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		(&rpcError{code: mcp.INVALID_REQUEST, message: "POST one JSON-RPC message; there is no GET stream and no session to DELETE"}).
			write(w, http.StatusMethodNotAllowed)
		return
	}
	body, ok := readMessage(w, r, e.maxBody)
	if !ok {
		return
	}
	msg, bad := parseMessage(body)
	if bad != nil {
		bad.write(w, http.StatusBadRequest)
		return
	}
	if e.gateway.challenged(w, r, msg) {
		return
	}
	switch mcp.MCPMethod(msg.Method) {
	case mcp.MethodNotificationCancelled:
		// Without sessions mcp-go knows a call by its request id alone, so this would cancel another client's. Closing
		// the stream is the cancellation here.
		w.WriteHeader(http.StatusAccepted)
		return
	case mcp.MethodToolsList:
		if answer, ok := e.gateway.snapshot.Load().lists.of(r.Context()).answer(msg, r.Header); ok {
			writeJSON(w, http.StatusOK, answer...)
			return
		}
	case mcp.MethodSubscriptionsListen:
		// A listen has no end of its own: the gateway's is its. mcp-go would keep a shutdown waiting for it.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(e.gateway.stopping, cancel)()
		stream := newEventStream(w)
		defer stream.keepAlive()()
		w, r = stream, r.WithContext(ctx)
	}
	if bad := e.gateway.snapshot.Load().refusal(msg, r.Header); bad != nil {
		status := http.StatusOK
		if bad.code == mcp.INVALID_REQUEST {
			status = http.StatusBadRequest
		}
		bad.write(w, status)
		return
	}
	body, restore := keepID(msg, body)
	e.pass(idWriter{w, restore}, r, body)
}

// pass hands the message on to mcp-go.
func (e *edge) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Del(mcp.HeaderSessionID) // there are none: a client's would only be echoed into mcp-go's tables
	if !accepts(r.Header, "text/event-stream") {
		w = plainWriter{w}
	}
	e.next.ServeHTTP(w, r)
}

// plainWriter can't flush, so mcp-go doesn't turn the answer into a stream that the client did not ask for.
type plainWriter struct{ http.ResponseWriter }

// readMessage reads a request's body, or answers the request. A body that says how large it is, is refused unread.
func readMessage(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, bool) {
	refuse := func(status int, reason string) ([]byte, bool) {
		(&rpcError{code: mcp.INVALID_REQUEST, message: reason}).write(w, status)
		return nil, false
	}
	if !isJSON(r.Header.Get("Content-Type")) || r.Header.Get("Content-Encoding") != "" {
		return refuse(http.StatusUnsupportedMediaType, "send the message as application/json, not compressed")
	}
	if limit > 0 && r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return refuse(http.StatusRequestEntityTooLarge, "the message is larger than server.max_body")
	}
	source := r.Body
	if limit > 0 {
		source = http.MaxBytesReader(w, source, limit)
	}
	// A client that sends a byte now and then is not waited for. Once the message is here, the connection's reads only
	// watch for the client to go, and a deadline would end the call.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(readTimeout)) // fails where a test has no connection
	body, err := io.ReadAll(source)
	_ = control.SetReadDeadline(time.Time{})
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refuse(http.StatusRequestEntityTooLarge, "the message is larger than server.max_body")
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the message broke off")
	}
	return body, true
}

// isJSON is lenient where clients differ: no type at all, a charset, application/json-rpc. It is not lenient about the
// types that a web page can send without a preflight (text/plain, forms).
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil && mediaType == "" {
		return false
	}
	return mediaType == "application/json" || mediaType == "application/json-rpc" ||
		(strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json"))
}

// accepts reports whether the client takes the media type; no Accept header takes everything (RFC 9110 section 12.5.1).
func accepts(header http.Header, mediaType string) bool {
	values := header.Values("Accept")
	if len(values) == 0 {
		return true
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	for element := range strings.SplitSeq(strings.Join(values, ","), ",") {
		accepted, parameters, _ := strings.Cut(element, ";")
		accepted = strings.ToLower(strings.TrimSpace(accepted))
		if (accepted == mediaType || accepted == kind+"/*" || accepted == "*/*") && strings.ReplaceAll(parameters, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
