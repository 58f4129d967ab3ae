package credential

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

// keyFile writes a new RSA key as PEM, or as the JSON file of a Google service account, and returns its public half.
func keyFile(t *testing.T, google bool) (path string, key *rsa.PublicKey) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if google {
		if text, err = json.Marshal(map[string]string{"type": "service_account", "private_key": string(text), "private_key_id": "g1", "client_email": "robot@example.com"}); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, &private.PublicKey
}

// authorized asks the API behind idp as a gateway would, and returns whom it saw.
func authorized(t *testing.T, source Source, idp *fakeidp.IdP) string {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, "http://api.example/me", nil)
	if err := source.Authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	idp.API().ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// Each way to get a token of one's own, at a provider that is as strict as the real one.
func TestTokensOfTheGatewaysOwn(t *testing.T) {
	file, public := keyFile(t, false)
	google, googlePublic := keyFile(t, true)
	signed := func(options fakeidp.Options, key *rsa.PublicKey, id, method string) fakeidp.Options {
		options.Clients = []fakeidp.Client{{ID: "gw", AuthMethod: method, Key: key, KeyID: id}}
		return options
	}
	tests := []struct {
		name       string
		idp        fakeidp.Options
		credential func(token string) config.Credential
	}{
		{"a secret, basic", fakeidp.Options{Clients: []fakeidp.Client{{ID: "gw", Secret: "s:e c&r"}}}, func(token string) config.Credential {
			return config.Credential{Type: "client_credentials", TokenURL: token, ClientID: "gw", ClientSecret: secret("s:e c&r")}
		}},
		{"a secret, post, scopes", fakeidp.Options{Scopes: []string{"a", "b"}, Clients: []fakeidp.Client{{ID: "gw", Secret: "secret", AuthMethod: "client_secret_post"}}},
			func(token string) config.Credential {
				return config.Credential{Type: "client_credentials", TokenURL: token, ClientID: "gw", ClientSecret: secret("secret"),
					TokenEndpointAuthMethod: "client_secret_post", Scopes: []string{"a", "b"}}
			}},
		{"NetSuite's machine to machine", signed(fakeidp.NetSuite(), public, "cert-1", "private_key_jwt"), func(token string) config.Credential {
			return config.Credential{Type: "client_credentials", TokenURL: token, ClientID: "gw", Scopes: []string{"rest_webservices"},
				KeyFile: file, KeyID: "cert-1", Algorithm: "PS256"}
		}},
		{"Salesforce's JWT bearer", signed(fakeidp.Salesforce("https://acme.my.salesforce.com"), public, "", "none"), func(token string) config.Credential {
			return config.Credential{Type: "jwt_bearer", TokenURL: token, ClientID: "gw", Subject: "robot@example.com",
				KeyFile: file, TokenLifetime: config.Duration(time.Hour), Keep: []string{"instance_url"}}
		}},
		{"a service account's file", signed(fakeidp.Options{}, googlePublic, "", "none"), func(token string) config.Credential {
			return config.Credential{Type: "jwt_bearer", TokenURL: token, Issuer: "gw", Subject: "robot@example.com", KeyFile: google, ClientID: "gw"}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			idp := fakeidp.Start(t, test.idp)
			source, err := New(test.credential(idp.URL("token")), Options{})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				authorized(t, source, idp)
			}
			if asked := idp.Requests()["token"]; asked != 1 {
				t.Errorf("%d token requests, want one", asked)
			}
			variables, err := source.(Varier).Variables(t.Context())
			if err != nil || len(test.credential("").Keep) > 0 && variables["instance_url"] != "https://acme.my.salesforce.com" {
				t.Errorf("%v %v", variables, err)
			}
		})
	}
}

// A provider of gateway.yaml is where the token comes from, too; its endpoint is discovered.
func TestTokenFromAProvider(t *testing.T) {
	idp := fakeidp.Start(t, fakeidp.Options{Clients: []fakeidp.Client{{ID: "gw", Secret: "secret"}}})
	source, err := New(config.Credential{Type: "client_credentials", Provider: "idp"}, Options{Providers: map[string]*config.Provider{
		"idp": {Name: "idp", Issuer: idp.Issuer(), ClientID: "gw", ClientSecret: secret("secret")}}})
	if err != nil {
		t.Fatal(err)
	}
	authorized(t, source, idp)
	if _, err := New(config.Credential{Type: "client_credentials", Provider: "other"}, Options{}); err == nil {
		t.Error("a provider that is not there")
	}
}

// endpoint is a token endpoint of a test, with a clock.
type endpoint struct {
	mu    sync.Mutex
	asked int
	fail  error
	life  time.Duration
	now   time.Time
	held  chan struct{} // closed when a request may be answered; nil at once
}

func (e *endpoint) source() *appToken {
	return &appToken{request: e.answer, now: e.clock, ahead: func(t provider.Tokens) time.Duration { return t.Expires.Sub(t.Obtained) / 4 }}
}

func (e *endpoint) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *endpoint) later(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

func (e *endpoint) answer(context.Context) (provider.Tokens, error) {
	e.mu.Lock()
	e.asked++
	held := e.held
	e.mu.Unlock()
	if held != nil {
		<-held
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return provider.Tokens{}, e.fail
	}
	t := provider.Tokens{AccessToken: "token-" + string(rune('a'+e.asked)), Obtained: e.now}
	if e.life > 0 {
		t.Expires = e.now.Add(e.life)
	}
	return t, nil
}

func (e *endpoint) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// Fifty callers ask once, and one that goes away takes nothing from the others.
func TestOneTokenForAll(t *testing.T) {
	e := &endpoint{now: time.Unix(1_800_000_000, 0), life: time.Hour, held: make(chan struct{})}
	a := e.source()
	gone, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := a.tokens(gone); left <- err }()
	for e.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away: %v", err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := a.tokens(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	close(e.held)
	all.Wait()
	if e.count() != 1 {
		t.Errorf("asked %d times", e.count())
	}
}

// Near its end a token is renewed behind the callers' backs, and one that fails to be renewed is used to its end.
func TestRenewedAhead(t *testing.T) {
	e := &endpoint{now: time.Unix(1_800_000_000, 0), life: time.Hour}
	a := e.source()
	first, err := a.tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e.later(46 * time.Minute)
	e.fail = fault.New(fault.Unavailable, "later", nil)
	for range 3 {
		if got, err := a.tokens(t.Context()); err != nil || got.AccessToken != first.AccessToken {
			t.Fatalf("%v %v", got, err)
		}
		for e.count() < 2 {
			time.Sleep(time.Millisecond)
		}
	}
	e.later(15 * time.Minute) // it is over now
	if _, err := a.tokens(t.Context()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("with nothing left: %v", err)
	}
	asked := e.count()
	if _, err := a.tokens(t.Context()); !errors.Is(err, fault.Unavailable) || e.count() != asked {
		t.Errorf("%v: a failure is not asked for at every call (%d, then %d)", err, asked, e.count())
	}
	e.fail = nil
	e.later(pauseAfterFailure)
	if got, err := a.tokens(t.Context()); err != nil || got.AccessToken == first.AccessToken {
		t.Errorf("%v %v", got, err)
	}
}

// A token that the API refuses is replaced once, but not one of this moment, and not one that somebody replaced already.
func TestRefusedTokenOfTheGatewaysOwn(t *testing.T) {
	e := &endpoint{now: time.Unix(1_800_000_000, 0)}
	a := e.source()
	req := httptest.NewRequest(http.MethodGet, "http://api.example", nil)
	if err := a.Authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if renewed, err := a.Renew(t.Context(), req); renewed || err != nil || e.count() != 1 {
		t.Errorf("a token of this moment: %v %v", renewed, err)
	}
	e.later(time.Minute)
	for range 2 {
		if renewed, err := a.Renew(t.Context(), req); !renewed || err != nil || e.count() != 2 {
			t.Errorf("%v %v after %d requests", renewed, err, e.count())
		}
	}
}

// What the endpoint says no to is the operator's; what may pass is told with a time.
func TestTokenEndpointThatRefuses(t *testing.T) {
	idp := fakeidp.Start(t, fakeidp.Options{Clients: []fakeidp.Client{{ID: "gw", Secret: "secret"}}})
	for _, test := range []struct {
		name       string
		credential config.Credential
		fail       *fakeidp.Failure
		want       fault.Code
	}{
		{"a wrong secret", config.Credential{Type: "client_credentials", TokenURL: idp.URL("token"), ClientID: "gw", ClientSecret: secret("wrong")}, nil, fault.CredentialsInvalid},
		{"an unknown scope", config.Credential{Type: "client_credentials", TokenURL: idp.URL("token"), ClientID: "gw", ClientSecret: secret("secret"), Scopes: []string{"x"}}, nil, fault.CredentialsInvalid},
		{"down", config.Credential{Type: "client_credentials", TokenURL: "http://127.0.0.1:9/token", ClientID: "gw", ClientSecret: secret("secret")}, nil, fault.Unavailable},
		{"in trouble", config.Credential{Type: "client_credentials", TokenURL: idp.URL("token"), ClientID: "gw", ClientSecret: secret("secret")},
			&fakeidp.Failure{Times: 1, Status: 503}, fault.Unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.fail != nil {
				idp.Fail("token", *test.fail)
			}
			source, err := New(test.credential, Options{Upstream: "crm"})
			if err != nil {
				t.Fatal(err)
			}
			err = source.Authorize(t.Context(), httptest.NewRequest(http.MethodGet, "http://api.example", nil))
			if fault.CodeOf(err) != test.want {
				t.Errorf("%v (%s), want %s", err, fault.CodeOf(err), test.want)
			}
		})
	}
}
