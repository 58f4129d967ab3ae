package oauthproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
)

// maxAuthorize bounds what /authorize reads: the URL, and the form in its place.
const maxAuthorize = 8 << 10

// transaction is what a client asked for at /authorize, from there until the person said yes or no. Its key is the SHA-256 of its
// id. Whatever depends on gateway.yaml is decided once, when it is made: what the person is shown is what the client gets.
type transaction struct {
	ClientID     string   `json:"client_id"`
	Name         string   `json:"name"`
	Kind         string   `json:"kind"`
	Host         string   `json:"host,omitempty"`
	RedirectURIs []string `json:"redirect_uris"` // all of the client's

	RedirectURI string   `json:"redirect_uri"`    // where this one is answered
	State       []byte   `json:"state,omitempty"` // bytes: JSON would mend what is no UTF-8
	Challenge   string   `json:"code_challenge"`
	Resource    string   `json:"resource"`
	Scopes      []string `json:"scopes"`
}

// Format prints [transaction]: the state is between the client and the browser.
func (transaction) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[transaction]") }

// LogValue is [transaction].
func (transaction) LogValue() slog.Value { return slog.StringValue("[transaction]") }

// serveAuthorize begins a login (RFC 6749 section 4.1.1). Until client and redirect URI are known to belong together, errors are shown here;
// from then on they are the client's, and go to it by redirect (section 4.1.2.1).
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet, http.MethodPost) || !s.withinRate(w, r) {
		return
	}
	query, err := readQuery(w, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	tx, c, err := s.addressee(r.Context(), query)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if err := s.demand(tx, c, query); err != nil {
		s.sendError(w, r, tx, err)
		return
	}
	if err := s.parts.Provider.Ready(); err != nil {
		s.sendError(w, r, tx, unavailable(err))
		return
	}
	if s.unasked(r, c, tx, query) {
		s.auditStep(r, "consent.unasked", tx)
		s.leave(w, r, tx, "")
		return
	}
	id := newSecret()
	if err := s.flow.transactions.Create(r.Context(), digest(id), *tx, flowTime); err != nil {
		s.sendError(w, r, tx, unavailable(err))
		return
	}
	seeOther(w, s.issuer+consentPath+"?tx="+id)
}

// readQuery returns the parameters of the URL and of the form. What is sent without a value counts as left out (RFC 6749 section 3.1).
func readQuery(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery)+len(r.URL.Path) > maxAuthorize {
		return nil, &Error{Status: http.StatusRequestURITooLong, Code: "invalid_request", Description: "the URL is longer than 8 KiB"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAuthorize)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Description: "the form is longer than 8 KiB"}
		}
		return nil, &Error{Status: http.StatusBadRequest, Code: "invalid_request", Description: "the parameters can't be read", Cause: err}
	}
	query := url.Values{}
	for name, values := range r.Form { // of both: a parameter here and there is there twice
		values = slices.DeleteFunc(slices.Clone(values), func(value string) bool { return value == "" })
		if len(values) > 0 {
			query[name] = values
		}
	}
	return query, nil
}

// addressee finds out who asks and where it may be answered, and nothing else: of what it returns, only that is filled in, and
// the state, without which a client drops an error.
func (s *Server) addressee(ctx context.Context, query url.Values) (*transaction, *client, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(query[name]) > 1 {
			return nil, nil, bad("invalid_request", name+" is there more than once")
		}
	}
	id := query.Get("client_id")
	if id == "" {
		return nil, nil, bad("invalid_request", "client_id is missing")
	}
	c, err := s.client(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	tx := &transaction{ClientID: c.ID, Name: c.Name, Kind: c.Kind, Host: c.Host, RedirectURIs: c.RedirectURIs, RedirectURI: query.Get("redirect_uri")}
	if tx.RedirectURI == "" && len(c.RedirectURIs) == 1 { // the one there is may be left out
		tx.RedirectURI = c.RedirectURIs[0]
	}
	if tx.RedirectURI == "" {
		return nil, nil, bad("invalid_request", "redirect_uri is missing")
	}
	if !s.allowsRedirect(c, tx.RedirectURI) {
		return nil, nil, bad("invalid_request", "redirect_uri is not one of this client's")
	}
	if len(query["state"]) == 1 {
		tx.State = []byte(query.Get("state"))
	}
	return tx, c, nil
}

// challenge is what S256 makes: 32 bytes in base64url (RFC 7636 section 4.2).
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// demand checks the rest of the request and fills tx in. Its errors go to the client.
func (s *Server) demand(tx *transaction, c *client, query url.Values) error {
	for name, values := range query {
		if len(values) > 1 && name != "resource" { // which RFC 8707 lets a client repeat
			return bad("invalid_request", "a parameter is there more than once")
		}
	}
	switch {
	case len(c.GrantTypes) > 0 && !slices.Contains(c.GrantTypes, "authorization_code"):
		return bad("unauthorized_client", "the client did not register the grant type authorization_code")
	case query.Has("request"):
		return bad("request_not_supported", "request objects are not taken")
	case query.Has("request_uri"):
		return bad("request_uri_not_supported", "request objects are not taken")
	case !query.Has("response_type"):
		return bad("invalid_request", "response_type is missing")
	case query.Get("response_type") != "code":
		return bad("unsupported_response_type", "response_type has to be code")
	case query.Has("response_mode") && query.Get("response_mode") != "query":
		return bad("invalid_request", "response_mode has to be query")
	case !query.Has("code_challenge"):
		return bad("invalid_request", "code_challenge is missing: PKCE is demanded of every client")
	case query.Get("code_challenge_method") != "S256": // left out it would be plain
		return bad("invalid_request", "code_challenge_method has to be S256")
	case !challenge.MatchString(query.Get("code_challenge")):
		return bad("invalid_request", "code_challenge has to be 43 characters of base64url")
	case len(query["resource"]) > 1 || (query.Has("resource") && !sameResource(query.Get("resource"), s.resource)):
		return bad("invalid_target", "resource is not the one that this server protects")
	}
	tx.Challenge, tx.Resource = query.Get("code_challenge"), s.resource
	tx.Scopes = resolveScopes(query.Get("scope"), s.parts.Config.Auth.OAuth.Scopes)
	return nil
}
