package oauthproxy

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"mcpgate/auth/tokenstore"
)

// Error is an OAuth error answer (RFC 6749 section 5.2). Description is fixed ASCII text: never what a provider, a client or a
// library wrote.
type Error struct {
	Status      int
	Code        string
	Description string
	RetryAfter  time.Duration
	Cause       error // for the log alone
}

// Error returns the code and the description.
func (e *Error) Error() string { return e.Code + ": " + e.Description }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// bad is an Error with status 400.
func bad(code, description string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Description: description}
}

// unavailable is the answer where the store or the provider can't be reached: clients keep their tokens and come again.
// server_error, or an answer that is no JSON, makes some of them begin a new login.
func unavailable(cause error) *Error {
	return &Error{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", Description: "try again in a few seconds",
		RetryAfter: 5 * time.Second, Cause: cause}
}

// stored makes an error of the store the answer that it is to a client: gone where the record is not there, or can't be opened any more, and
// temporarily_unavailable for everything else, since an outage must never cost anybody a token.
func (s *Server) stored(ctx context.Context, err error, gone *Error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tokenstore.ErrSealed):
		// Not the same as a record that was never there: a key that left the ring too early logs everybody out.
		s.parts.Logger.ErrorContext(ctx, "a record of a login can't be opened: was a key taken out of the ring?", "error", err)
		return gone
	case errors.Is(err, tokenstore.ErrNotFound):
		return gone
	}
	return unavailable(err)
}

// fail answers with an error and logs its cause. What is no *Error is a defect of ours: the client gets an id to find it in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		id := rand.Text()[:10]
		e = &Error{Status: http.StatusInternalServerError, Code: "server_error", Description: "the gateway failed; its log has the reason under " + id}
		s.parts.Logger.ErrorContext(r.Context(), "an OAuth endpoint failed", "path", r.URL.Path, "id", id, "error", err)
	} else if e.Status >= http.StatusInternalServerError || e.Cause != nil {
		s.parts.Logger.WarnContext(r.Context(), "an OAuth request was refused", "path", r.URL.Path, "code", e.Code, "error", e.Cause)
	}
	// RFC 6749 section 5.2: who tried with the Authorization header is told which scheme is taken.
	if e.Status == http.StatusUnauthorized && r.Header.Get("Authorization") != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="mcpgate"`)
	}
	e.write(w)
}

// write sends the error as JSON.
func (e *Error) write(w http.ResponseWriter) {
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	reply(w, e.Status, map[string]string{"error": e.Code, "error_description": e.Description})
}

// reply sends a value as JSON that nobody may keep (RFC 6749 section 5.1).
func reply(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
