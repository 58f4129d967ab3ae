package oauthproxy

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"mcpgate/auth"
)

const (
	maxRegistration = 16 << 10 // bytes of a request to /register
	maxRedirects    = 10       // redirect URIs of a client
	maxMetadata     = 1490     // bytes that are sealed into a client id; with it the id stays below maxClientID
	maxClientID     = 2048     // bytes
	maxName         = 100      // runes

	registeredPrefix = "d."
	sealedFor        = 10 * 365 * 24 * time.Hour // a key that leaves the ring ends it earlier
	purposeClient    = "client"
	purposeSecret    = "client secret"
)

// registration is what /register reads of a client's metadata (RFC 7591 section 2). Whatever else is sent is ignored.
type registration struct {
	RedirectURIs    []string `json:"redirect_uris"`
	Name            string   `json:"client_name"`
	GrantTypes      []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	AuthMethod      string   `json:"token_endpoint_auth_method"`
	ApplicationType string   `json:"application_type"`
	Scope           string   `json:"scope"`
}

// registered is the answer (RFC 7591 section 3.2.1): what holds, not what was asked for.
type registered struct {
	ID              string   `json:"client_id"`
	Issued          int64    `json:"client_id_issued_at"`
	Secret          string   `json:"client_secret,omitempty"`
	SecretExpires   *int64   `json:"client_secret_expires_at,omitempty"` // required beside a secret; 0 is never
	Name            string   `json:"client_name,omitempty"`
	RedirectURIs    []string `json:"redirect_uris"`
	GrantTypes      []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	AuthMethod      string   `json:"token_endpoint_auth_method"`
	ApplicationType string   `json:"application_type,omitempty"`
	Scope           string   `json:"scope,omitempty"`
}

// sealedClient is a registered client inside its id. The names are short because ids travel in URLs.
type sealedClient struct {
	Issued          int64    `json:"i"`
	Name            string   `json:"n,omitempty"`
	RedirectURIs    []string `json:"r"`
	GrantTypes      []string `json:"g"`
	AuthMethod      string   `json:"m"`
	ApplicationType string   `json:"a,omitempty"`
}

// serveRegister answers POST /register (RFC 7591 section 3). It stores nothing.
func (s *Server) serveRegister(w http.ResponseWriter, r *http.Request) error {
	answer, err := s.register(w, r)
	from := addressAttr(r)
	if err != nil {
		auth.Audit(r.Context(), s.parts.Logger, "client.refused", slog.String("reason", err.Error()), from)
		return err
	}
	auth.Audit(r.Context(), s.parts.Logger, "client.registered", clientAttr(answer.ID), slog.String("client_name", answer.Name),
		slog.Any("redirect_uris", answer.RedirectURIs), slog.String("method", answer.AuthMethod), from)
	reply(w, http.StatusCreated, answer)
	return nil
}

// register reads what is asked for, and makes a client of it.
func (s *Server) register(w http.ResponseWriter, r *http.Request) (*registered, error) {
	if refused := s.directory.limit.take(r); refused != nil {
		return nil, refused
	}
	asked, err := readRegistration(w, r)
	if err != nil {
		return nil, err
	}
	if err := asked.settle(s.directory.redirects); err != nil {
		return nil, err
	}
	return s.sealClient(asked)
}

func readRegistration(w http.ResponseWriter, r *http.Request) (*registration, error) {
	// A page of another site can send a form without the browser asking us first.
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "application/json" && mediaType != "" {
		return nil, bad("invalid_client_metadata", "send the metadata as application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRegistration))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_client_metadata", Description: "the metadata is larger than 16 KiB"}
	}
	if err != nil {
		return nil, bad("invalid_client_metadata", "the request broke off")
	}
	asked := &registration{}
	if err := json.Unmarshal(body, asked); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && strings.HasPrefix(wrong.Field, "redirect_uris") {
			return nil, bad("invalid_redirect_uri", "redirect_uris is a list of strings")
		}
		return nil, bad("invalid_client_metadata", "the metadata is not a JSON object with the types of RFC 7591")
	}
	return asked, nil
}

// settle makes of what was asked for what the client gets, or says why it gets nothing. A client that asks for a secret gets one: the hosted Claude
// asks for client_secret_post and goes nowhere without. One that does not say gets none, and comes with PKCE alone.
func (a *registration) settle(rules redirectRules) error {
	switch {
	case len(a.RedirectURIs) == 0:
		return bad("invalid_redirect_uri", "redirect_uris is missing")
	case len(a.RedirectURIs) > maxRedirects:
		return bad("invalid_redirect_uri", "there are more than 10 redirect_uris")
	}
	switch a.ApplicationType {
	case "", applicationWeb, applicationNative:
	default:
		return bad("invalid_client_metadata", "application_type is web or native")
	}
	for _, uri := range a.RedirectURIs {
		if err := rules.check(uri, a.ApplicationType); err != nil {
			return bad("invalid_redirect_uri", "one of redirect_uris is refused: "+err.Error())
		}
	}
	switch a.AuthMethod {
	case "":
		a.AuthMethod = methodNone
	case methodNone, methodBasic, methodPost:
	default:
		return bad("invalid_client_metadata", "token_endpoint_auth_method is none, client_secret_basic or client_secret_post; private_key_jwt takes a client metadata document")
	}
	if len(a.ResponseTypes) > 0 && !slices.Contains(a.ResponseTypes, "code") {
		return bad("invalid_client_metadata", "response_types has to hold code")
	}
	if len(a.GrantTypes) == 0 {
		a.GrantTypes = grants
	}
	if !slices.Contains(a.GrantTypes, grantCode) {
		return bad("invalid_client_metadata", "grant_types has to hold authorization_code")
	}
	a.GrantTypes = supported(a.GrantTypes)
	a.Name = cleanName(a.Name)
	return nil
}

// supported leaves out the grant types that the gateway has not (VS Code lists the device grant), and doubles.
func supported(asked []string) []string {
	var kept []string
	for _, grant := range grants {
		if slices.Contains(asked, grant) {
			kept = append(kept, grant)
		}
	}
	return kept
}

// sealClient puts the client into its id.
func (s *Server) sealClient(a *registration) (*registered, error) {
	issued := s.parts.Now().Unix()
	metadata, err := json.Marshal(sealedClient{issued, a.Name, a.RedirectURIs, a.GrantTypes, a.AuthMethod, a.ApplicationType})
	if err != nil {
		return nil, bad("invalid_client_metadata", "the metadata can't be kept")
	}
	if len(metadata) > maxMetadata {
		return nil, bad("invalid_client_metadata", "the name and the redirect URIs are too long: about 1.4 KB in all is the limit")
	}
	sealed, err := s.parts.Ring.Seal(purposeClient, s.issuer, sealedFor, metadata)
	if err != nil {
		return nil, unavailable(err)
	}
	answer := &registered{
		ID: registeredPrefix + sealed, Issued: issued, Name: a.Name, RedirectURIs: a.RedirectURIs, GrantTypes: a.GrantTypes, ResponseTypes: []string{"code"},
		AuthMethod: a.AuthMethod, ApplicationType: a.ApplicationType, Scope: s.registeredScope(a.Scope),
	}
	if a.AuthMethod != methodNone {
		// The secret is sealed for the id: it is checked by opening it, and kept nowhere.
		if answer.Secret, err = s.parts.Ring.Seal(purposeSecret, s.issuer+" "+answer.ID, sealedFor, nil); err != nil {
			return nil, unavailable(err)
		}
		answer.SecretExpires = new(int64)
	}
	return answer, nil
}

// registeredScope tells the client what it may ask for: of what it named, what there is; else all.
func (s *Server) registeredScope(asked string) string {
	all := s.parts.Config.Auth.OAuth.Scopes
	var some []string
	for _, scope := range all {
		if slices.Contains(strings.Fields(asked), scope) {
			some = append(some, scope)
		}
	}
	if len(some) == 0 {
		some = all
	}
	return strings.Join(some, " ")
}

// openClient returns the client that is sealed into an id.
func (s *Server) openClient(id string) (*client, error) {
	unknown := unknownClient("this client_id is not of this gateway, or its key is gone: register the client anew")
	if len(id) > maxClientID || !isOn(s.parts.Config.Auth.OAuth.Clients.Registration) {
		return nil, unknown
	}
	metadata, err := s.parts.Ring.Open(purposeClient, s.issuer, strings.TrimPrefix(id, registeredPrefix))
	if err != nil {
		unknown.Cause = err
		return nil, unknown
	}
	var sealed sealedClient
	if err := json.Unmarshal(metadata, &sealed); err != nil {
		unknown.Cause = err
		return nil, unknown
	}
	c := &client{
		ID: id, Kind: kindRegistered, Name: sealed.Name, RedirectURIs: sealed.RedirectURIs, GrantTypes: sealed.GrantTypes,
		AuthMethod: sealed.AuthMethod, ApplicationType: sealed.ApplicationType, methods: []string{methodNone},
	}
	if c.AuthMethod != methodNone {
		// Whether the secret comes in the header or in the body changes nothing about what it proves.
		c.methods = []string{methodBasic, methodPost}
	}
	return c, nil
}

// isSealedSecret reports whether the secret was made for this id.
func (s *Server) isSealedSecret(id, secret string) bool {
	_, err := s.parts.Ring.Open(purposeSecret, s.issuer+" "+id, secret)
	return err == nil
}

// cleanName makes a name fit to be shown: one line, no control and no direction characters, at most 100 runes.
func cleanName(name string) string {
	shown := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == unicode.ReplacementChar: // control, format and private characters, broken UTF-8
			return -1
		}
		return r
	}, name)
	runes := []rune(strings.Join(strings.Fields(shown), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), maxName)]))
}
