// Package fakeidp is a small, strict OpenID provider for tests: it refuses whatever the RFCs let a provider refuse, and has the
// manners of products at hand. It keeps everything in memory and logs people in without asking.
package fakeidp

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// IdP is the provider, as an http.Handler. It is safe for concurrent use.
type IdP struct {
	mu       sync.Mutex
	options  Options
	keys     []signingKey
	codes    map[string]*code
	grants   map[string]*grant
	access   map[string]*accessToken
	refresh  map[string]*refreshToken
	jtis     map[string]bool
	failures map[string][]Failure
	requests map[string]int
	secrets  []string
}

// New returns a provider that is reached at options.Origin.
func New(options Options) *IdP {
	options.defaults()
	options.Clients = slices.Clone(options.Clients)
	p := &IdP{
		options: options, codes: map[string]*code{}, grants: map[string]*grant{}, access: map[string]*accessToken{},
		refresh: map[string]*refreshToken{}, jtis: map[string]bool{}, failures: map[string][]Failure{}, requests: map[string]int{},
	}
	p.keys = []signingKey{newSigningKey(options.Algorithm)}
	return p
}

// Start serves a provider on loopback until the test ends. t is a *testing.T or *testing.B.
func Start(t interface{ Cleanup(func()) }, options Options) *IdP {
	server := httptest.NewUnstartedServer(nil)
	options.Origin = "http://" + server.Listener.Addr().String()
	p := New(options)
	server.Config.Handler = p
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return p
}

// Transport answers requests to the provider in-process, without a connection: for tests in a bubble of testing/synctest.
func (p *IdP) Transport() http.RoundTripper { return inProcess{p} }

type inProcess struct{ h http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		switch broken := recover(); broken {
		case nil:
		case http.ErrAbortHandler:
			answer, err = nil, cmp.Or(r.Context().Err(), errors.New("connection reset by peer"))
		default:
			panic(broken)
		}
	}()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	t.h.ServeHTTP(recorder, in)
	if r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	answer = recorder.Result()
	answer.Request = r
	return answer, nil
}

// Issuer is the provider's identifier.
func (p *IdP) Issuer() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.issuer()
}

// URL is where one of the endpoints is: authorize, token, userinfo, revoke, introspect or jwks.
func (p *IdP) URL(endpoint string) string { return p.Issuer() + "/" + endpoint }

func (p *IdP) issuer() string { return p.options.Origin + p.options.Path }

// Register adds clients, in the place of those with the same id.
func (p *IdP) Register(clients ...Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range clients {
		p.options.Clients = slices.DeleteFunc(p.options.Clients, func(old Client) bool { return old.ID == c.ID })
		p.options.Clients = append(p.options.Clients, c)
	}
}

// Allow adds a redirect URI to a client.
func (p *IdP) Allow(clientID, redirectURI string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.options.Clients {
		if c := &p.options.Clients[i]; c.ID == clientID {
			c.RedirectURIs = append(slices.Clone(c.RedirectURIs), redirectURI)
		}
	}
}

// Change alters the options while the provider runs.
func (p *IdP) Change(change func(o *Options)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.options)
}

// ServeHTTP answers every endpoint of the provider.
func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	options, issuerPath := p.options, p.options.Path
	p.mu.Unlock()
	endpoint, ok := strings.CutPrefix(r.URL.Path, issuerPath+"/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	if endpoint == ".well-known/openid-configuration" {
		endpoint = "metadata"
	}
	p.count(endpoint)
	if options.OnRequest != nil {
		options.OnRequest(endpoint, r)
	}
	handle, method := p.endpoint(endpoint, options)
	if handle == nil {
		http.NotFound(w, r)
		return
	}
	failure, failing := p.nextFailure(endpoint)
	if failing && failure.Slow > 0 {
		select {
		case <-time.After(failure.Slow):
		case <-r.Context().Done():
		}
		failing = false
	}
	if failing && !failure.After {
		failure.write(w, r)
		return
	}
	if !strings.Contains(method, r.Method) {
		w.Header().Set("Allow", method)
		oauthError(w, http.StatusMethodNotAllowed, "invalid_request", "another method")
		return
	}
	if failing {
		handle(httptest.NewRecorder(), r) // it is done; only the answer is lost
		failure.write(w, r)
		return
	}
	handle(w, r)
}

func (p *IdP) endpoint(name string, options Options) (handle http.HandlerFunc, methods string) {
	switch name {
	case "metadata":
		if !options.NoMetadata {
			return p.metadata, "GET"
		}
	case "jwks":
		return p.jwks, "GET"
	case "authorize":
		return p.authorize, "GET POST"
	case "token":
		return p.token, "POST"
	case "userinfo":
		if !options.NoUserinfo {
			return p.userinfo, "GET POST"
		}
	case "revoke":
		if !options.NoRevocation {
			return p.revoke, "POST"
		}
	case "introspect":
		return p.introspect, "POST"
	}
	return nil, ""
}

func (p *IdP) count(endpoint string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests[endpoint]++
}

func (p *IdP) metadata(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, at := p.options, p.issuer()
	issuer := at
	if o.MetadataIssuer != "" {
		issuer = strings.ReplaceAll(o.MetadataIssuer, "{origin}", o.Origin)
	}
	document := map[string]any{
		"issuer": issuer, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token", "jwks_uri": at + "/jwks",
		"introspection_endpoint": at + "/introspect", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{o.Algorithm}, "scopes_supported": o.Scopes,
		"grant_types_supported":                          []string{"authorization_code", "refresh_token", "client_credentials"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": o.IssParameter,
	}
	if !o.NoUserinfo {
		document["userinfo_endpoint"] = at + "/userinfo"
	}
	if !o.NoRevocation {
		document["revocation_endpoint"] = at + "/revoke"
	}
	reply(w, http.StatusOK, document)
}

// Requests says how often each endpoint was asked: metadata, jwks, authorize, token, userinfo, revoke, introspect.
func (p *IdP) Requests() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.requests)
}

// Secrets are all codes, states, verifiers, tokens and client secrets that crossed the wire so far, for a search in logs.
func (p *IdP) Secrets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.secrets)
}

func (p *IdP) secret(values ...string) {
	for _, v := range values {
		if v != "" {
			p.secrets = append(p.secrets, v)
		}
	}
}

func random(prefix string) string { return prefix + rand.Text() }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func reply(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // a test's own claims
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func oauthError(w http.ResponseWriter, status int, code, description string) {
	reply(w, status, map[string]string{"error": code, "error_description": description})
}
