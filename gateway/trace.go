package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"
)

// traced writes one debug line for each request that goes out. It names the path as the document writes it, so that no
// argument and no credential is in the log.
type traced struct {
	log      *slog.Logger
	path     string
	attempts *int // counted for the call; its attempts follow each other
	next     http.RoundTripper
}

// RoundTrip sends req. The duration is that until the answer's headers.
func (t *traced) RoundTrip(req *http.Request) (*http.Response, error) {
	*t.attempts++
	ctx := req.Context()
	if !t.log.Enabled(ctx, slog.LevelDebug) {
		return t.next.RoundTrip(req)
	}
	attempt, start := *t.attempts, time.Now()
	resp, err := t.next.RoundTrip(req)
	line := []slog.Attr{
		slog.String("method", req.Method), slog.String("path", t.path), slog.Int("attempt", attempt),
		slog.Duration("duration", time.Since(start)),
	}
	if err != nil {
		line = append(line, slog.Any("error", withoutURL(err)))
	} else {
		line = append(line, slog.Int("status", resp.StatusCode), slog.String("protocol", resp.Proto))
	}
	t.log.LogAttrs(ctx, slog.LevelDebug, "request", line...)
	return resp, err
}

// newCallID returns what tells one call's lines in the log from another's.
func newCallID() string {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // it never fails (crypto/rand)
	return hex.EncodeToString(id)
}
