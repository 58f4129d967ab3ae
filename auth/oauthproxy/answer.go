package oauthproxy

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mcpgate/auth"
	"mcpgate/internal/fault"
)

// answerParameters are the names that an answer to a client may have; of the registered redirect URI's own query they are taken out.
var answerParameters = []string{"code", "state", "iss", "error", "error_description", "error_uri"}

// sendError answers the client through the browser (RFC 6749 section 4.1.2.1).
func (s *Server) sendError(w http.ResponseWriter, r *http.Request, tx *transaction, err error) {
	e := asError(err)
	s.auditStep(r, "login.failed", tx, failure(e)...)
	s.sendBack(w, tx, url.Values{"error": {e.Code}, "error_description": {e.Description}})
}

// failure is what the log says of an error.
func failure(e *Error) []slog.Attr {
	attrs := []slog.Attr{slog.String("error", e.Code), slog.String("reason", e.Description)}
	if e.Cause != nil {
		attrs = append(attrs, slog.String("cause", causes(e.Cause)))
	}
	return attrs
}

// causes writes out an error with what is behind a fault, which shows its message alone.
func causes(err error) string {
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Cause != nil {
		return f.Message + ": " + causes(f.Cause)
	}
	return err.Error()
}

// sendBack sends the browser to the client with an answer. The state is what the client sent, or not there; the issuer is there once
// (RFC 9207), whatever the registered redirect URI says.
func (s *Server) sendBack(w http.ResponseWriter, tx *transaction, answer url.Values) {
	if len(tx.State) > 0 {
		answer.Set("state", string(tx.State))
	}
	if isOn(s.parts.Config.Auth.OAuth.IssParameter) { // as the metadata says
		answer.Set("iss", s.issuer)
	}
	seeOther(w, withAnswer(tx.RedirectURI, answer))
}

// withAnswer puts an answer on a redirect URI and leaves the rest of it as it was registered, byte for byte.
func withAnswer(uri string, answer url.Values) string {
	before, query, _ := strings.Cut(uri, "?")
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); err == nil {
			name = decoded
		}
		return pair == "" || slices.Contains(answerParameters, name)
	})
	return before + "?" + strings.Join(append(kept, answer.Encode()), "&")
}

// seeOther makes the browser GET a URL, whatever it did before (RFC 9110 section 15.4.4). There is no page with it: a private-use scheme
// opens its app from a bare redirect.
func seeOther(w http.ResponseWriter, location string) {
	header := w.Header()
	header.Set("Location", location)
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// refuse answers where nobody can be sent back: a page for people, JSON where no page is wanted.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := *asError(err)
	if e.Status == http.StatusUnauthorized { // which is for /token alone: here are no credentials to ask for
		e.Status = http.StatusBadRequest
	}
	reference := auth.Fingerprint(newSecret())
	s.audit(r.Context(), "login.refused", append(failure(&e), slog.String("reference", reference), slog.String("path", r.URL.Path),
		addressAttr(r))...)
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		e.write(w)
		return
	}
	s.writeRefusal(w, &e, reference)
}

// asError returns err as the answer it is; what is none is a defect of ours, or a part that can't be reached.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return unavailable(err)
}

// allowMethods answers any other method, and reports whether it didn't have to.
func allowMethods(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	(&Error{Status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "this path takes " + strings.Join(methods, " and ")}).write(w)
	return false
}

// addressAttr says in the log where a request came from.
func addressAttr(r *http.Request) slog.Attr { return slog.String("ip", callerOf(r)) }

// clientAttr names a client in the log. An id in which a client's metadata is sealed is long, and says nothing to a reader.
func clientAttr(id string) slog.Attr {
	if len(id) > 200 {
		id = "sha256:" + auth.Fingerprint(id)
	}
	return slog.String("client_id", id)
}

// only returns the one value of a parameter.
func only(query url.Values, name string) (string, error) {
	switch len(query[name]) {
	case 1:
		return query.Get(name), nil
	case 0:
		return "", bad("invalid_request", name+" is missing")
	default:
		return "", bad("invalid_request", name+" is there more than once")
	}
}

// cut shortens a text that somebody else wrote, and keeps it to one line.
func cut(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "..."
	}
	return text
}
