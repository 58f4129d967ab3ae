package oauthproxy

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/seal"
)

const (
	flowRedirect = "https://app.example/callback"
	flowVerifier = "a-verifier-of-forty-three-characters-or-more"
	flowState    = "the client's + state & more"
)

// site is a gateway's login with everything around it, on loopback.
type site struct {
	*Server
	url   string
	idp   *fakeidp.IdP
	store tokenstore.Store
	log   *lockedBuffer
	skew  time.Duration // of the gateway's clock
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// siteOptions are what a test changes.
type siteOptions struct {
	tls    bool
	idp    fakeidp.Options
	config func(*config.Config)
	store  func(tokenstore.Store) tokenstore.Store
}

func newSite(t testing.TB, o siteOptions) *site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	scheme := "http://"
	if o.tls {
		scheme = "https://"
	}
	s := &site{url: scheme + server.Listener.Addr().String(), log: &lockedBuffer{}, idp: fakeidp.Start(t, o.idp)}
	logger := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	now := func() time.Time { return time.Now().Add(s.skew) }
	cfg := testConfig(s.url, s.idp.Issuer())
	if o.config != nil {
		o.config(cfg)
	}
	s.idp.Allow("mcpgate", s.url+"/auth/callback")
	store, err := tokenstore.Open(t.Context(), config.Store{Type: "memory"}, tokenstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if s.store = store; o.store != nil {
		s.store = o.store(store)
	}
	upstream, err := provider.New(cfg.Providers["keycloak"], provider.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	running(t, upstream)
	ring := seal.NewRing("a-key-for-tests-a-key-for-tests-")
	ring.Now = now
	grants := grant.New(s.store, ring, map[string]grant.Refresher{"keycloak": upstream}, grant.Options{Logger: logger})
	if s.Server, err = New(Parts{Config: cfg, Store: s.store, Ring: ring, Grants: grants, Provider: upstream, Logger: logger, Now: now}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Register(mux)
	server.Config.Handler = mux
	if o.tls {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return s
}

// running discovers the provider's endpoints and waits for them.
func running(t testing.TB, p *provider.Provider) {
	t.Helper()
	ctx, done := t.Context(), make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	t.Cleanup(func() { <-done })
	for tick := time.Tick(time.Millisecond); p.Ready() != nil; {
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatal("the provider is not ready")
		}
	}
}

func testConfig(public, issuer string) *config.Config {
	return &config.Config{
		Name:   "Acme CRM",
		Server: config.Server{PublicURL: public, Path: "/mcp"},
		Auth: config.Auth{Mode: "oauth", OAuth: config.OAuth{
			Provider: "keycloak", Scopes: []string{"crm.read", "crm.write"}, Consent: "always", RedirectPath: "/auth/callback",
			SessionTTL: config.Duration(24 * time.Hour), AccessTokenTTL: config.Duration(time.Hour), RefreshTokenTTL: config.Duration(time.Hour),
			Clients: config.OAuthClients{Known: []config.KnownClient{
				{ClientID: "app", ClientName: "The App", RedirectURIs: []string{flowRedirect}},
				{ClientID: "other", ClientName: "Another", RedirectURIs: []string{"https://other.example/callback"}},
				{ClientID: "editor", ClientName: "Editor", RedirectURIs: []string{"cursor://anysphere.cursor-mcp/oauth/callback"}},
				{ClientID: "tool", ClientName: "Tool", RedirectURIs: []string{"http://127.0.0.1/callback", "http://localhost/callback"}},
				{ClientID: "evil-iss", ClientName: "Evil", RedirectURIs: []string{"https://app.example/cb?keep=%7e&iss=https%3A%2F%2Fevil.example&%69ss=x&code=y"}},
			}},
		}},
		Providers: map[string]*config.Provider{"keycloak": {Name: "keycloak", Issuer: issuer, ClientID: "mcpgate", Subject: "sub"}},
	}
}

// person is a browser that somebody sits at: cookies, and no redirect that isn't looked at.
type person struct {
	t      testing.TB
	client *http.Client
	header http.Header // sent with every request
}

func newPerson(t testing.TB) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t: t, header: http.Header{"Accept": {"text/html,*/*;q=0.8"}}, client: &http.Client{
		Jar:           jar,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what a browser got.
type answer struct {
	*http.Response
	body string
}

func (p *person) do(r *http.Request) answer {
	p.t.Helper()
	for name, values := range p.header {
		if r.Header[name] == nil {
			r.Header[name] = values
		}
	}
	if r.URL.Hostname() != "127.0.0.1" {
		p.t.Fatalf("the browser was sent to %s", r.URL)
	}
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{response, string(body)}
}

func (p *person) get(url string) answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(r)
}

func (p *person) post(url string, form url.Values, header http.Header) answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, url, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	maps.Copy(r.Header, header)
	return p.do(r)
}

// location is where an answer sends the browser.
func (p *person) location(a answer) *url.URL {
	p.t.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusSeeOther && a.StatusCode != http.StatusFound {
		p.t.Fatalf("no redirect: %d %s (%v)", a.StatusCode, a.body, err)
	}
	return to
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// form is the form of a page.
func (p *person) form(a answer) url.Values {
	p.t.Helper()
	form := url.Values{}
	for _, found := range hiddenInput.FindAllStringSubmatch(a.body, -1) {
		form.Set(found[1], html.UnescapeString(found[2]))
	}
	if a.StatusCode != http.StatusOK || len(form) == 0 {
		p.t.Fatalf("no form: %d %s", a.StatusCode, a.body)
	}
	return form
}

var sameOrigin = http.Header{"Sec-Fetch-Site": {"same-origin"}}

// decide answers a consent page.
func (p *person) decide(s *site, page answer, decision string) answer {
	p.t.Helper()
	form := p.form(page)
	form.Set("decision", decision)
	return p.post(s.url+"/consent", form, sameOrigin)
}

// query is a good request to /authorize; changes alter it, and "" takes a parameter out.
func query(changes ...string) url.Values {
	sum := sha256.Sum256([]byte(flowVerifier))
	values := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {flowRedirect}, "state": {flowState}, "scope": {"crm.read"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if values.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			values.Del(changes[i])
		}
	}
	return values
}

// authorize begins a login and returns the consent page.
func (p *person) authorize(s *site, values url.Values) answer {
	p.t.Helper()
	return p.get(p.location(p.get(s.url + "/authorize?" + values.Encode())).String())
}

// approve begins a login, allows it and logs in; it returns the callback's URL.
func (p *person) approve(s *site, values url.Values) *url.URL {
	p.t.Helper()
	return p.location(p.get(p.location(p.decide(s, p.authorize(s, values), "allow")).String()))
}

// alternating hands each request for origin to the next of several servers.
type alternating struct {
	turns  []*http.ServeMux
	origin string
	count  int
}

// RoundTrip implements http.RoundTripper.
func (a *alternating) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme+"://"+r.URL.Host != a.origin {
		return http.DefaultTransport.RoundTrip(r)
	}
	in := r.Clone(r.Context())
	in.RemoteAddr = "127.0.0.1:5555"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	a.turns[a.count%len(a.turns)].ServeHTTP(recorder, in)
	a.count++
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// asked sends a query to /authorize as it is, and returns where the answer leads and the cookies that it sets.
func (s *site) asked(mux *http.ServeMux, raw string) (location string, cookies []*http.Cookie) {
	r := httptest.NewRequest(http.MethodGet, "/authorize", nil)
	r.URL.RawQuery = raw
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, r)
	response := recorder.Result()
	return response.Header.Get("Location"), response.Cookies()
}

// register makes a client that nobody knows, and returns its id.
func (p *person) register(s *site) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, s.url+"/register",
		strings.NewReader(`{"client_name":"Claude","redirect_uris":["`+flowRedirect+`"],"token_endpoint_auth_method":"none"}`))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	got := p.do(r)
	_, rest, _ := strings.Cut(got.body, `"client_id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	if id == "" {
		p.t.Fatalf("not registered: %d %s", got.StatusCode, got.body)
	}
	return id
}
