package oauthproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/singleflight"

	"mcpgate/auth"
	"mcpgate/auth/tokenstore"
)

const (
	// maxForm bounds what /token and /revoke read: the largest parameter is an assertion.
	maxForm = 16 << 10
	// stepTime bounds a step that goes on although its client went away.
	stepTime = 20 * time.Second
)

// tokens is what issuing and verifying our tokens takes.
type tokens struct {
	keys      *keys
	subjects  *pseudonyms
	logins    *logins
	verified  *verified
	refreshes singleflight.Group
}

func newTokens(parts Parts, sessions *tokenstore.Table[session]) (*tokens, error) {
	keys, err := newKeys(parts.Ring)
	if err != nil {
		return nil, err
	}
	size := parts.Config.Auth.OAuth.CacheSize
	return &tokens{
		keys:     keys,
		subjects: &pseudonyms{table: tokenstore.NewTable[pseudonymKey](parts.Store, parts.Ring, "secret")},
		logins:   &logins{sessions: sessions, grants: parts.Grants, log: parts.Logger, cache: newStanding(size)},
		verified: newVerified(size),
	}, nil
}

// registerTokens adds /token, /revoke and /jwks.
func (s *Server) registerTokens(mux *http.ServeMux) {
	s.machine(mux, "POST", "/token", s.serveToken)
	s.machine(mux, "POST", "/revoke", s.serveRevoke)
	s.machine(mux, "GET, HEAD", "/jwks", s.serveKeys)
}

// tokenCall is a request to /token whose client is known.
type tokenCall struct {
	client *client
	form   url.Values
	from   slog.Attr // its address, for the audit log
}

// serveToken is the token endpoint (RFC 6749 section 3.2).
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	c, err := s.authenticate(r.Context(), r)
	if err != nil {
		return err
	}
	call := tokenCall{client: c, form: r.PostForm, from: addressAttr(r)}
	ctx, cancel := detached(r.Context())
	defer cancel()
	var answer json.RawMessage
	switch r.PostForm.Get("grant_type") {
	case grantCode:
		answer, err = s.redeem(ctx, call)
	case grantRefresh:
		answer, err = s.refresh(ctx, call)
	case "":
		err = bad("invalid_request", "grant_type is missing")
	default:
		err = bad("unsupported_grant_type", "the grant types here are authorization_code and refresh_token")
	}
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Code == "invalid_grant" {
			s.audit(ctx, "token.refused", clientAttr(c.ID), slog.String("reason", e.Description), call.from)
		}
		return err
	}
	reply(w, http.StatusOK, answer)
	return nil
}

// readForm reads the parameters of a POST into r.PostForm and r.Form. They come in the body alone, each once (RFC 6749 section 3.2); an empty one
// counts as left out. Two resources are invalid_target (RFC 8707 section 2): there is one.
func readForm(w http.ResponseWriter, r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return bad("invalid_request", "the body has to be application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" {
		return bad("invalid_request", "parameters belong in the body, not in the URL, where logs keep them")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return bad("invalid_request", "the body did not arrive, or is larger than 16 KiB")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return bad("invalid_request", "the body is not a form")
	}
	for name, values := range form {
		switch {
		case len(values) > 1 && name == "resource":
			return bad("invalid_target", "there is one resource here")
		case len(values) > 1:
			return bad("invalid_request", "a parameter is there twice")
		case values[0] == "":
			delete(form, name)
		}
	}
	r.PostForm, r.Form = form, form
	return nil
}

// detached is for a step that is not to stop half way because a client went away: a rotated token would be lost.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), stepTime)
}

func (s *Server) audit(ctx context.Context, event string, attrs ...slog.Attr) {
	auth.Audit(ctx, s.parts.Logger, event, attrs...)
}

// checkResource holds the resource of a token request against the login's (RFC 8707 section 2.2). A login of another gateway, which may share key
// and store, is none here: what it was for is not what our tokens are for.
func (s *Server) checkResource(form url.Values, bound string) error {
	if asked := form.Get("resource"); bound != s.resource || asked != "" && !sameResource(asked, bound) {
		return bad("invalid_target", "the login was for another resource")
	}
	return nil
}

// gone is the answer for a code or refresh token that is none, is over, or is somebody else's: which of these it is helps only who guesses.
func gone(what string) *Error {
	return bad("invalid_grant", fmt.Sprintf("the %s is not good: it is over, was used already, or belongs to another client", what))
}
