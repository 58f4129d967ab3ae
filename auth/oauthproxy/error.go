package oauthproxy

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
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
