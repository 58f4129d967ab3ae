package oauthproxy

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
)

// serveCallback is where the provider sends the person back to (RFC 6749 section 4.1.2, on the provider's side). It is GET alone: a form that
// another site posts brings no Lax cookie. The browser has to be the one that allowed the login, before anything else is looked at:
// else an attacker could allow a client of theirs and have somebody else complete it.
func (s *Server) serveCallback(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet) {
		return
	}
	query, err := readQuery(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	l, err := s.comeBack(w, r, query)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	granted, err := s.complete(r.Context(), l, query)
	if err != nil {
		s.failLogin(w, r, l, err)
		return
	}
	sub, err := s.tokens.subjects.of(r.Context(), granted.Identity)
	if err != nil {
		s.sendError(w, r, &l.transaction, unavailable(err))
		return
	}
	s.auditStep(r, "login.ok", &l.transaction, slog.String("sub", sub))
	s.noteClient(r.Context(), &l.transaction)
	if err := s.sendCode(w, r, l, granted); err != nil {
		s.sendError(w, r, &l.transaction, unavailable(err))
	}
}

// comeBack finds the login that a callback is about and ends it, so that the same callback twice redeems nothing twice.
func (s *Server) comeBack(w http.ResponseWriter, r *http.Request, query url.Values) (*login, error) {
	state, err := only(query, "state")
	if err != nil {
		return nil, err
	}
	secret, ok := s.flow.cookies.get(r, cookieLogin, state)
	if !ok { // the login stays: its own browser may still come
		return nil, &Error{Status: http.StatusForbidden, Code: "access_denied", Description: "the login was not allowed in this browser"}
	}
	l, err := s.flow.logins.Take(r.Context(), digest(state))
	if err != nil {
		return nil, s.stored(r.Context(), err, bad("invalid_request", goneLogin))
	}
	s.flow.cookies.drop(w, cookieLogin, state)
	if subtle.ConstantTimeCompare([]byte(digest(secret)), []byte(l.Browser)) != 1 {
		return nil, &Error{Status: http.StatusForbidden, Code: "access_denied", Description: "the login was not allowed in this browser"}
	}
	if l.Transaction != "" {
		if err := s.flow.transactions.Delete(r.Context(), l.Transaction); err != nil { // its time will be over by itself
			s.parts.Logger.LogAttrs(r.Context(), slog.LevelWarn, "a transaction could not be deleted", slog.Any("cause", err))
		}
	}
	return &l, nil
}

// complete redeems the provider's code. What it returns is our own, but for the code itself.
func (s *Server) complete(ctx context.Context, l *login, query url.Values) (*code, error) {
	for _, values := range query {
		if len(values) > 1 {
			return nil, &Error{Code: "server_error", Description: "the provider's answer has a parameter twice"}
		}
	}
	if said := query.Get("error"); said != "" {
		return nil, providerError(said, query.Get("error_description"))
	}
	if !query.Has("code") {
		return nil, &Error{Code: "server_error", Description: "the provider sent neither a code nor an error"}
	}
	tokens, who, err := s.parts.Provider.Exchange(ctx, provider.Callback{
		Query: query, Verifier: l.Verifier, Nonce: l.Nonce, RedirectURI: s.flow.callback, Resource: s.flow.upstream,
	})
	if err != nil {
		return nil, exchangeError(err)
	}
	return &code{ClientID: l.ClientID, RedirectURI: l.RedirectURI, Challenge: l.Challenge, Resource: l.Resource,
		Scopes: s.parts.Provider.OurScopes(l.Scopes, tokens), Identity: who, Tokens: tokens}, nil
}

// sendCode makes our code (RFC 6749 section 4.1.2): the store knows its SHA-256 alone.
func (s *Server) sendCode(w http.ResponseWriter, r *http.Request, l *login, granted *code) error {
	secret := newSecret()
	if err := s.codes.Create(r.Context(), digest(secret), *granted, codeTime); err != nil {
		return err
	}
	s.sendBack(w, &l.transaction, url.Values{"code": {secret}})
	return nil
}

// providerErrors are what a provider's errors mean to a client. Everything else is server_error.
var providerErrors = map[string]string{
	"access_denied":              "access_denied",
	"login_required":             "access_denied",
	"consent_required":           "access_denied",
	"interaction_required":       "access_denied",
	"account_selection_required": "access_denied",
	"temporarily_unavailable":    "temporarily_unavailable",
}

// providerError maps an error that the provider sent the browser back with. Its text is for the log: it may say anything, to anybody.
func providerError(said, description string) *Error {
	e := &Error{Code: "server_error", Description: "the provider refused the login", Cause: errors.New(cut(said, 100) + ": " + cut(description, 500))}
	if known, ok := providerErrors[said]; ok {
		e.Code = known
	}
	return e
}

// exchangeError maps a code that could not be redeemed.
func exchangeError(err error) *Error {
	if errors.Is(err, fault.Unavailable) {
		return unavailable(err)
	}
	return &Error{Code: "server_error", Description: "the provider's answer was not taken", Cause: err}
}

// failLogin tells the client, with a reference that finds the cause in the log.
func (s *Server) failLogin(w http.ResponseWriter, r *http.Request, l *login, err error) {
	e := asError(err)
	reference := auth.Fingerprint(newSecret())
	s.auditStep(r, "login.failed", &l.transaction, append(failure(e), slog.String("reference", reference))...)
	s.sendBack(w, &l.transaction, url.Values{"error": {e.Code}, "error_description": {e.Description + "; reference " + reference}})
}

// noteClient keeps the list of clients that somebody let in. A login does not fail for it.
func (s *Server) noteClient(ctx context.Context, tx *transaction) {
	now := s.parts.Now()
	err := tokenstore.ErrConflict
	for tries := 0; errors.Is(err, tokenstore.ErrConflict) && tries < 5; tries++ {
		err = s.noteOnce(ctx, tx, now)
	}
	if err != nil {
		s.parts.Logger.LogAttrs(ctx, slog.LevelWarn, "a client could not be put on the list", clientAttr(tx.ClientID), slog.Any("cause", err))
	}
}

func (s *Server) noteOnce(ctx context.Context, tx *transaction, now time.Time) error {
	key := digest(tx.ClientID)
	known, version, err := s.clients.Get(ctx, key)
	if err != nil && !errors.Is(err, tokenstore.ErrNotFound) {
		return err
	}
	if version == 0 {
		known.First = now
	}
	known.ClientID, known.Name, known.Kind, known.RedirectURIs, known.Last = tx.ClientID, tx.Name, tx.Kind, tx.RedirectURIs, now
	_, err = s.clients.Swap(ctx, key, version, known, time.Duration(s.parts.Config.Auth.OAuth.SessionTTL))
	return err
}
