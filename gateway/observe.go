package gateway

import (
	"log/slog"
	"net/http"
	"sync"

	"mcpgate/internal/fault"
)

// States of an upstream, as its calls have shown it. Nothing is probed: a health path that calls an API turns the API's
// bad day into a restart of the gateway.
const (
	stateIdle    = "idle"    // not called yet
	stateOK      = "ok"      // the last call got an answer
	stateFailing = "failing" // the last call got none, or a 5xx
)

// pulse is what the calls of one upstream came to. It is safe for concurrent use.
type pulse struct {
	mu     sync.Mutex
	counts pulseCounts
}

// pulseCounts is a pulse at one moment.
type pulseCounts struct {
	State    string     `json:"state"`
	Calls    int64      `json:"calls"`
	Failures int64      `json:"failures"`
	LastCode fault.Code `json:"last_failure,omitempty"` // the code of the last failure
}

// beat counts one outcome in.
func (p *pulse) beat(outcome *Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Calls++
	if outcome.OK {
		p.counts.State = stateOK
		return
	}
	p.counts.Failures++
	code := outcome.code()
	p.counts.LastCode = code
	switch {
	case fault.Connection.Contains(code), fault.Timeout.Contains(code), fault.Server.Contains(code):
		p.counts.State = stateFailing
	case fault.API.Contains(code), fault.Record.Contains(code), fault.TooLarge.Contains(code):
		p.counts.State = stateOK // it answered: what it said is the caller's affair
	}
}

// read returns the counts.
func (p *pulse) read() pulseCounts {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	if counts.State == "" {
		counts.State = stateIdle
	}
	return counts
}

// code is the code of a failure, "" where there is none.
func (o *Outcome) code() fault.Code {
	if len(o.Errors) == 0 {
		return ""
	}
	return o.Errors[0].Code
}

// logged writes a line for every HTTP request where the log is to be that detailed. The query is left out: it may hold
// what should not be there.
func (g *Gateway) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		started := g.now()
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		g.log.LogAttrs(r.Context(), slog.LevelDebug, "served",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", seen.status),
			slog.String("client", r.RemoteAddr), slog.Duration("duration", g.now().Sub(started)))
	})
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Flush keeps the writer an http.Flusher, and Unwrap what else the server's own writer can do.
func (w *statusWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the next write meets the same error
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
