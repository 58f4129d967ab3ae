package oauthproxy

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mcpgate/auth/tokenstore"
	"mcpgate/config"
)

// How a client came to be one.
const (
	kindKnown      = "known"      // gateway.yaml registers it
	kindDocument   = "document"   // its id is the URL of its metadata document
	kindRegistered = "registered" // it registered itself; its metadata is sealed into its id
)

// How a client proves itself at /token (RFC 7591 section 2), and what it may be granted.
const (
	methodNone  = "none"
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"
	methodJWT   = "private_key_jwt"

	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"

	applicationWeb    = "web"
	applicationNative = "native"
)

// grants are the grant types of a client that names none: without refresh tokens people would log in every hour.
var grants = []string{grantCode, grantRefresh}

// client is an MCP client that may ask people to log in.
type client struct {
	ID              string
	Kind            string
	Name            string // control and direction characters taken out; may be ""
	RedirectURIs    []string
	GrantTypes      []string
	AuthMethod      string // how it proves itself at /token: none, client_secret_basic, client_secret_post or private_key_jwt
	ApplicationType string // web, native or ""
	Host            string // of a document's URL, which was verified by fetching it; "" for the others
	Trusted         bool   // nobody is asked for consent

	secret  config.Secret // of a known client
	methods []string      // all that it may prove itself by, AuthMethod first
	keys    clientKeys    // of a document: what private_key_jwt is signed with
}

// directory knows the clients. It is safe for concurrent use.
type directory struct {
	known     map[string]*client
	redirects redirectRules
	documents *documents // nil where gateway.yaml takes none
	limit     *limiter   // of registrations
	fetches   *limiter   // of documents that requests to /token and /revoke name; /authorize has a limit of its own
	replays   *tokenstore.Table[replay]
}

// newDirectory reads auth.oauth.clients. The error is the author's, and names every entry that is wrong.
func newDirectory(parts Parts) (*directory, error) {
	cfg := parts.Config.Auth.OAuth.Clients
	d := &directory{
		known:   map[string]*client{},
		limit:   newLimiter(registrationsPerCaller, registrationsInAll, parts.Now),
		fetches: newLimiter(fetchesPerCaller, fetchesInAll, parts.Now),
		replays: tokenstore.NewTable[replay](parts.Store, parts.Ring, "replay"),
	}
	var err error
	if d.redirects, err = newRedirectRules(cfg.RedirectURIs); err != nil {
		return nil, err
	}
	for _, known := range cfg.Known {
		c, err := newKnownClient(known)
		if err != nil {
			return nil, err
		}
		c.Trusted = slices.Contains(parts.Config.Auth.OAuth.TrustedClients, c.ID)
		d.known[c.ID] = c
	}
	if isOn(cfg.MetadataDocuments) {
		if d.documents, err = newDocuments(cfg, d.redirects, parts); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// isOn reads a switch that is on where gateway.yaml says nothing.
func isOn(b *bool) bool { return b == nil || *b }

func newKnownClient(known config.KnownClient) (*client, error) {
	for _, uri := range known.RedirectURIs {
		if err := checkKnown(uri); err != nil {
			return nil, fmt.Errorf("auth.oauth.clients.known: client %q: redirect URI %q: %w", known.ClientID, uri, err)
		}
	}
	c := &client{
		ID: known.ClientID, Kind: kindKnown, Name: cleanName(known.ClientName), RedirectURIs: known.RedirectURIs,
		GrantTypes: grants, AuthMethod: methodNone, methods: []string{methodNone}, secret: known.ClientSecret,
	}
	if c.Name == "" {
		c.Name = cleanName(c.ID)
	}
	if !c.secret.IsZero() {
		c.AuthMethod, c.methods = methodBasic, []string{methodBasic, methodPost}
	}
	return c, nil
}

// client returns the client of an id: gateway.yaml's own first, then a document's, then one that registered itself. The
// error is an *Error: invalid_client with 401 where there is none, which makes clients register anew, and
// temporarily_unavailable where its document can't be had now.
func (s *Server) client(ctx context.Context, id string) (*client, error) {
	if c, ok := s.directory.known[id]; ok {
		return c, nil
	}
	switch {
	case strings.HasPrefix(id, registeredPrefix):
		return s.openClient(id)
	case strings.HasPrefix(id, "https://") && s.directory.documents != nil:
		return s.directory.documents.client(ctx, id)
	}
	return nil, unknownClient("no client has this client_id: register the client anew")
}

// unknownClient is 401 invalid_client (RFC 6749 section 5.2): Claude and the TypeScript SDK register anew on it, on nothing else.
func unknownClient(description string) *Error {
	return &Error{Status: http.StatusUnauthorized, Code: "invalid_client", Description: description}
}

// credentials are what a request to /token or /revoke shows of its client.
type credentials struct {
	id        string
	secret    string
	raw       string // the secret before it was decoded, where that is another text
	assertion string
}

// authenticate says which client sends a request to /token or /revoke, by its credentials or its client_id (RFC 6749
// section 2.3). r's form is parsed. The error is an *Error.
func (s *Server) authenticate(ctx context.Context, r *http.Request) (*client, error) {
	shown, refused := shownBy(r)
	if refused != nil {
		return nil, refused
	}
	if s.directory.documents.wouldFetch(shown.id) {
		if refused := s.directory.fetches.take(r); refused != nil {
			return nil, refused
		}
	}
	c, err := s.client(ctx, shown.id)
	if err != nil {
		return nil, err
	}
	if err := s.prove(ctx, c, shown); err != nil {
		return nil, err
	}
	return c, nil
}

// shownBy reads the credentials of a request. It may show one kind only (RFC 6749 section 2.3); the client_id beside them
// is no kind, but has to be the same.
func shownBy(r *http.Request) (credentials, *Error) {
	shown := credentials{}
	for _, field := range []struct {
		name string
		into *string
	}{{"client_id", &shown.id}, {"client_secret", &shown.secret}, {"client_assertion", &shown.assertion}} {
		values := r.PostForm[field.name]
		if len(values) > 1 {
			return credentials{}, bad("invalid_request", field.name+" is there twice")
		}
		*field.into = strings.Join(values, "")
	}
	if shown.assertion != "" {
		if err := shown.readAssertion(r.PostForm); err != nil {
			return credentials{}, err
		}
	}
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Basic") {
		basic, ok := basicAuth(r)
		switch {
		case !ok:
			return credentials{}, bad("invalid_request", "the Authorization header is not Basic authentication as RFC 6749 section 2.3.1 has it")
		case shown.secret != "" || shown.assertion != "":
			return credentials{}, bad("invalid_request", "the client shows more than one kind of credentials")
		case shown.id != "" && shown.id != basic.id:
			return credentials{}, bad("invalid_request", "client_id is not the one of the Authorization header")
		}
		return basic, nil
	}
	switch {
	case shown.secret != "" && shown.assertion != "":
		return credentials{}, bad("invalid_request", "the client shows more than one kind of credentials")
	case shown.id == "":
		return credentials{}, unknownClient("client_id is missing")
	}
	return shown, nil
}

// basicAuth reads id and secret, which are form-encoded before they are joined (RFC 6749 section 2.3.1). Not every client
// encodes them, so the secret is kept as it came besides.
func basicAuth(r *http.Request) (credentials, bool) {
	id, secret, ok := r.BasicAuth()
	shown := credentials{id: id, secret: secret}
	if plain, err := url.QueryUnescape(id); err == nil {
		shown.id = plain
	}
	if plain, err := url.QueryUnescape(secret); err == nil && plain != secret {
		shown.secret, shown.raw = plain, secret
	}
	return shown, ok && id != ""
}

// prove holds the client to what it registered. A client that may come without proof may also give one; a secret that nobody gave it is refused, since
// whoever configured it believes in it.
func (s *Server) prove(ctx context.Context, c *client, shown credentials) error {
	may := func(methods ...string) bool {
		return slices.ContainsFunc(methods, func(m string) bool { return slices.Contains(c.methods, m) })
	}
	switch {
	case shown.assertion != "":
		if !may(methodJWT) {
			return unknownClient("this client does not prove itself by an assertion")
		}
		return s.checkAssertion(ctx, c, shown.assertion)
	case shown.secret != "":
		if !may(methodBasic, methodPost) {
			return unknownClient("this client has no secret")
		}
		if !s.isSecret(c, shown.secret) && (shown.raw == "" || !s.isSecret(c, shown.raw)) {
			return unknownClient("the client's secret is wrong")
		}
		return nil
	case may(methodNone):
		return nil
	}
	return unknownClient("the client has to prove itself by " + c.AuthMethod)
}

// isSecret compares in constant time.
func (s *Server) isSecret(c *client, secret string) bool {
	if c.Kind == kindRegistered {
		return s.isSealedSecret(c.ID, secret)
	}
	got, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(c.secret.Reveal()))
	return !c.secret.IsZero() && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
