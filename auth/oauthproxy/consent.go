package oauthproxy

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"mcpgate/auth/provider"
)

// render is one showing of a consent page. Its key is the SHA-256 of the token in its form. Each showing has its own, so that a reload, a preload or
// a second tab makes no other one invalid.
type render struct {
	Transaction string `json:"tx"` // key
}

// login is a transaction that was allowed, on its way through the provider. Its key is the SHA-256 of the state that the provider gets.
type login struct {
	transaction
	Transaction string `json:"tx,omitempty"` // its key, or "" where nobody was asked
	Nonce       string `json:"nonce"`
	Verifier    string `json:"code_verifier"` // of our own PKCE pair; the client's challenge never goes to the provider
	Browser     string `json:"browser"`       // SHA-256 of the secret in the cookie
}

// Format prints [login].
func (login) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[login]") }

// LogValue is [login].
func (login) LogValue() slog.Value { return slog.StringValue("[login]") }

const (
	goneTransaction = "this question was answered already, or 10 minutes are over"
	goneLogin       = "this login was finished already, or 10 minutes are over"
)

// serveConsent asks the person, and takes the answer.
func (s *Server) serveConsent(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet, http.MethodPost) || !s.withinRate(w, r) {
		return
	}
	var err error
	if r.Method == http.MethodGet {
		err = s.ask(w, r)
	} else {
		err = s.decide(w, r)
	}
	if err != nil {
		s.refuse(w, r, err)
	}
}

// ask shows the page. Showing it changes nothing.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) error {
	query, err := readQuery(w, r)
	if err != nil {
		return err
	}
	id, err := only(query, "tx")
	if err != nil {
		return err
	}
	tx, _, err := s.flow.transactions.Get(r.Context(), digest(id))
	if err != nil {
		return s.stored(r.Context(), err, bad("invalid_request", goneTransaction))
	}
	token := newSecret()
	if err := s.flow.renders.Create(r.Context(), digest(token), render{digest(id)}, flowTime); err != nil {
		return unavailable(err)
	}
	if err := s.flow.cookies.set(w, r, cookieRender, token, newSecret(), flowTime); err != nil {
		return unavailable(err)
	}
	s.auditStep(r, "consent.shown", &tx)
	page := s.describe(&tx)
	page.Transaction, page.Token = id, token
	return writeConsent(w, page)
}

// describe puts a transaction into words.
func (s *Server) describe(tx *transaction) consentPage {
	page := consentPage{
		Gateway: s.parts.Config.Name, Provider: s.parts.Provider.Name, Client: tx.Name, Unverified: tx.Kind == kindRegistered, Host: tx.Host,
		Local: !slices.ContainsFunc(tx.RedirectURIs, func(uri string) bool { return !isLocal(uri) }), Resource: tx.Resource, Action: s.prefix + consentPath,
	}
	if page.Client == "" {
		page.Client = "an app without a name"
	}
	if tx.Kind == kindKnown {
		page.ID = tx.ClientID
	}
	for _, name := range tx.Scopes {
		page.Scopes = append(page.Scopes, scopeLine{scopeInWords(name), name})
	}
	page.Before, page.Emphasis, page.After = emphasised(tx.RedirectURI)
	return page
}

// decide takes the answer: of the page that was shown in this browser, and from nowhere else. A transaction that was allowed stays, so
// that a second click, or the way back and another try, does not end in an error; the callback ends it.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) error {
	if err := s.flow.origin.Check(r); err != nil { // Sec-Fetch-Site, else Origin
		return &Error{Status: http.StatusForbidden, Code: "access_denied", Description: "the answer came from another site", Cause: err}
	}
	form, err := readQuery(w, r)
	if err != nil {
		return err
	}
	id, err := only(form, "tx")
	if err != nil {
		return err
	}
	token, err := only(form, "csrf")
	if err != nil {
		return err
	}
	notHere := &Error{Status: http.StatusForbidden, Code: "access_denied", Description: "the question was not asked in this browser"}
	if _, ok := s.flow.cookies.get(r, cookieRender, token); !ok {
		return notHere
	}
	shown, _, err := s.flow.renders.Get(r.Context(), digest(token))
	if err != nil {
		return s.stored(r.Context(), err, bad("invalid_request", goneTransaction))
	}
	if shown.Transaction != digest(id) {
		return notHere
	}
	switch form.Get("decision") {
	case "allow":
		return s.allow(w, r, id)
	case "deny":
		return s.deny(w, r, id)
	default:
		return bad("invalid_request", "the answer is neither yes nor no")
	}
}

func (s *Server) allow(w http.ResponseWriter, r *http.Request, id string) error {
	tx, _, err := s.flow.transactions.Get(r.Context(), digest(id))
	if err != nil {
		return s.stored(r.Context(), err, bad("invalid_request", goneTransaction))
	}
	if err := s.remember(w, r, &tx); err != nil { // the person is asked again next time, and that is all
		s.parts.Logger.LogAttrs(r.Context(), slog.LevelWarn, "an answer could not be remembered", slog.Any("cause", err))
	}
	s.auditStep(r, "consent.approved", &tx)
	s.leave(w, r, &tx, digest(id))
	return nil
}

func (s *Server) deny(w http.ResponseWriter, r *http.Request, id string) error {
	tx, err := s.flow.transactions.Take(r.Context(), digest(id))
	if err != nil {
		return s.stored(r.Context(), err, bad("invalid_request", goneTransaction))
	}
	if err := s.forget(r, &tx); err != nil {
		return unavailable(err)
	}
	s.auditStep(r, "consent.denied", &tx)
	s.sendBack(w, &tx, url.Values{"error": {"access_denied"}, "error_description": {"the person said no"}})
	return nil
}

// leave sends the browser to the provider, with a state, a nonce and a PKCE pair that did not exist before somebody allowed it, and with a cookie
// that the callback demands: whoever allowed it is who has to come back.
func (s *Server) leave(w http.ResponseWriter, r *http.Request, tx *transaction, key string) {
	state, secret := newSecret(), newSecret()
	l := login{transaction: *tx, Transaction: key, Nonce: newSecret(), Verifier: newSecret(), Browser: digest(secret)}
	location, err := s.parts.Provider.AuthorizeURL(provider.AuthorizeRequest{
		State: state, Nonce: l.Nonce, Verifier: l.Verifier, RedirectURI: s.flow.callback, Scopes: tx.Scopes, Resource: s.flow.upstream,
	})
	if err == nil {
		err = s.flow.logins.Create(r.Context(), digest(state), l, flowTime)
	}
	if err == nil {
		err = s.flow.cookies.set(w, r, cookieLogin, state, secret, flowTime)
	}
	if err != nil {
		s.sendError(w, r, tx, unavailable(err))
		return
	}
	seeOther(w, location)
}

func (s *Server) auditStep(r *http.Request, event string, tx *transaction, more ...slog.Attr) {
	s.audit(r.Context(), event, append([]slog.Attr{clientAttr(tx.ClientID), slog.String("client_name", tx.Name),
		addressAttr(r)}, more...)...)
}
