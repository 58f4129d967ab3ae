package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// keepAlive is the time between two comments on a stream that has nothing to say: Azure's front end, for one, drops a
// connection that is silent for 230 s.
const keepAlive = 25 * time.Second

// eventStream is a response that stays open for server-sent events, and that several goroutines may write to.
type eventStream struct {
	http.ResponseWriter
	control *http.ResponseController

	mu   sync.Mutex
	open bool // the header is out, and says that events follow
}

func newEventStream(w http.ResponseWriter) *eventStream {
	return &eventStream{ResponseWriter: w, control: http.NewResponseController(w)}
}

// WriteHeader sends the header.
func (e *eventStream) WriteHeader(status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open = status == http.StatusOK && strings.HasPrefix(e.Header().Get("Content-Type"), "text/event-stream")
	e.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body, whole.
func (e *eventStream) Write(text []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ResponseWriter.Write(text)
}

// Flush brings to the client what was written. It makes eventStream an http.Flusher, by which mcp-go knows that it can
// stream.
func (e *eventStream) Flush() {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.control.Flush() // the next write meets the same error
}

// send writes one event. The text is one line: JSON, or a URL.
func (e *eventStream) send(event string, text []byte) error {
	return e.flush(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, text))
}

func (e *eventStream) flush(text []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.ResponseWriter.Write(text); err != nil {
		return err
	}
	return e.control.Flush()
}

// keepAlive writes a comment now and then, once the stream is open, until the returned function is called.
func (e *eventStream) keepAlive() (stop func()) {
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		ticker := time.NewTicker(keepAlive)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				if e.isOpen() {
					_ = e.flush([]byte(": still here\n\n")) // the next event meets the same error
				}
			case <-done:
				return
			}
		}
	})
	return func() { close(done); writer.Wait() }
}

func (e *eventStream) isOpen() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open
}

// Unwrap is how http.ResponseController gets at the rest of the server's own writer.
func (e *eventStream) Unwrap() http.ResponseWriter { return e.ResponseWriter }
