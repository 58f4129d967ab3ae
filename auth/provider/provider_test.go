package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

const (
	callback = "https://gateway.example/auth/callback"
	verifier = "a-verifier-of-forty-three-characters-or-more"
	state    = "a-state-of-twenty-two-or-more"
	nonce    = "the-nonce-of-this-login"
)

// lab is a provider of ours in front of a fake one, in-process.
type lab struct {
	*testing.T
	idp *fakeidp.IdP
	*Provider
	log *bytes.Buffer
}

// newLab registers the gateway at a fake provider. adapt changes what the gateway is told.
func newLab(t *testing.T, o fakeidp.Options, adapt func(cfg *config.Provider, idp *fakeidp.IdP)) *lab {
	t.Helper()
	o.Origin = "https://id.example"
	if o.Clients == nil {
		o.Clients = []fakeidp.Client{{ID: "mcpgate"}}
	}
	for i := range o.Clients {
		o.Clients[i].RedirectURIs = []string{callback}
	}
	idp := fakeidp.New(o)
	cfg := &config.Provider{Name: "idp", Issuer: idp.Issuer(), ClientID: "mcpgate", Subject: "sub", Refresh: config.ProviderRefresh{Buffer: config.Duration(5 * time.Minute)}}
	if o.NoMetadata {
		cfg.Issuer, cfg.AuthorizationURL, cfg.TokenURL, cfg.RevocationURL = "", idp.URL("authorize"), idp.URL("token"), idp.URL("revoke")
	}
	if adapt != nil {
		adapt(cfg, idp)
	}
	log := &bytes.Buffer{}
	p, err := New(cfg, Options{Client: &http.Client{Transport: idp.Transport()}, Now: o.Now,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &lab{t, idp, p, log}
}

// browse follows the authorization request as a browser does, and returns what it is sent back with.
func (l *lab) browse(scopes ...string) Callback {
	l.Helper()
	address, err := l.AuthorizeURL(AuthorizeRequest{State: state, Nonce: nonce, Verifier: verifier, RedirectURI: callback, Scopes: scopes, Resource: "https://api.example"})
	if err != nil {
		l.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		l.Fatal(err)
	}
	answer, err := l.idp.Transport().RoundTrip(r)
	if err != nil {
		l.Fatal(err)
	}
	target, err := answer.Location()
	if err != nil {
		l.Fatalf("%s: %d", address, answer.StatusCode)
	}
	return Callback{Query: target.Query(), Verifier: verifier, Nonce: nonce, RedirectURI: callback, Resource: "https://api.example"}
}

func (l *lab) login(scopes ...string) (Tokens, Identity) {
	l.Helper()
	tokens, who, err := l.Exchange(l.Context(), l.browse(scopes...))
	if err != nil {
		l.Fatalf("%v: %s", err, cause(err))
	}
	return tokens, who
}

// call is the status of the provider's API with a token.
func (l *lab) call(t Tokens) int {
	l.Helper()
	r, err := http.NewRequest(http.MethodGet, "https://api.example/", nil)
	if err != nil {
		l.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+t.AccessToken)
	w := &statusOnly{header: http.Header{}, status: http.StatusOK}
	l.idp.API().ServeHTTP(w, r)
	return w.status
}

type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
func (w *statusOnly) WriteHeader(status int)      { w.status = status }

// cause is what a fault tells the log.
func cause(err error) string {
	if f, ok := errors.AsType[*fault.Fault](err); ok && f.Cause != nil {
		return f.Cause.Error()
	}
	return ""
}

// quiet fails the test where the log holds a secret that crossed the wire.
func (l *lab) quiet() {
	l.Helper()
	for _, secret := range l.idp.Secrets() {
		if strings.Contains(l.log.String(), secret) {
			l.Errorf("the log has a secret (%.8s...): %s", secret, l.log)
		}
	}
}

// TestLogins goes the whole way at providers of every manner: login, call, refresh, call, revoke.
func TestLogins(t *testing.T) {
	confidential := func(method string) []fakeidp.Client {
		return []fakeidp.Client{{ID: "mcpgate", Secret: "s3:cr%t+/= é", AuthMethod: method}}
	}
	with := func(o fakeidp.Options, clients []fakeidp.Client) fakeidp.Options {
		o.Clients = clients
		return o
	}
	secret := func(method string) func(*config.Provider, *fakeidp.IdP) {
		return func(cfg *config.Provider, _ *fakeidp.IdP) {
			cfg.ClientSecret, cfg.TokenEndpointAuthMethod = config.NewSecret("s3:cr%t+/= é"), method
		}
	}
	tests := []struct {
		name    string
		options fakeidp.Options
		adapt   func(*config.Provider, *fakeidp.IdP)
		scopes  []string
		want    Identity // without claims
		life    time.Duration
		granted []string
		kept    map[string]string
		rotates bool
	}{
		{name: "plain, public", options: fakeidp.Options{}, want: Identity{Issuer: "https://id.example", Subject: "alice"},
			life: 5 * time.Minute, granted: []string{"openid"}, rotates: true},
		{name: "basic", options: with(fakeidp.Options{}, confidential("client_secret_basic")), adapt: secret(""),
			want: Identity{Issuer: "https://id.example", Subject: "alice"}, life: 5 * time.Minute, granted: []string{"openid"}, rotates: true},
		{name: "post", options: with(fakeidp.Options{}, confidential("client_secret_post")), adapt: secret("client_secret_post"),
			want: Identity{Issuer: "https://id.example", Subject: "alice"}, life: 5 * time.Minute, granted: []string{"openid"}, rotates: true},
		{name: "keycloak", options: fakeidp.Keycloak(), adapt: func(cfg *config.Provider, _ *fakeidp.IdP) {
			cfg.Scopes = []string{"openid", "offline_access"}
		}, want: Identity{Issuer: "https://id.example/realms/acme", Subject: "alice"}, life: 5 * time.Minute,
			granted: []string{"openid", "offline_access"}, rotates: true},
		{name: "entra", options: fakeidp.Entra(), adapt: func(cfg *config.Provider, _ *fakeidp.IdP) {
			cfg.Scopes, cfg.Refresh.SendScopes, cfg.Subject = []string{"openid", "offline_access"}, true, "oid"
			cfg.ScopeMap = map[string]string{"crm.read": "api://crm/read", "crm.write": "api://crm/write"}
		}, scopes: []string{"crm.read", "other"}, want: Identity{Issuer: "https://id.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", Subject: "1111"},
			life: time.Hour, granted: []string{"openid", "offline_access", "api://crm/read"}, rotates: true},
		{name: "netsuite", options: fakeidp.NetSuite(), adapt: func(cfg *config.Provider, _ *fakeidp.IdP) {
			cfg.Scopes, cfg.Keep, cfg.Subject = []string{"rest_webservices"}, []string{"company", "role"}, "access_token.sub"
		}, want: Identity{Issuer: "idp", Subject: "alice"}, life: time.Hour, kept: map[string]string{"company": "123456_SB1", "role": "3"}, rotates: true},
		{name: "salesforce", options: fakeidp.Salesforce("https://eu1.my.salesforce.com"), adapt: func(cfg *config.Provider, _ *fakeidp.IdP) {
			cfg.Scopes, cfg.Keep = []string{"openid", "api", "refresh_token"}, []string{"instance_url"}
		}, want: Identity{Issuer: "https://id.example/services/oauth2", Subject: "alice"}, granted: []string{"openid", "api", "refresh_token"},
			kept: map[string]string{"instance_url": "https://eu1.my.salesforce.com"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, tt.options, tt.adapt)
			tokens, who := l.login(tt.scopes...)
			who.Claims = nil
			if diff := cmp.Diff(tt.want, who); diff != "" {
				t.Error(diff)
			}
			if got := life(tokens); got != tt.life {
				t.Errorf("it lives %v, want %v", got, tt.life)
			}
			if diff := cmp.Diff(tt.granted, tokens.Scopes); diff != "" {
				t.Error(diff)
			}
			if l.call(tokens) != 200 {
				t.Error("the API refuses the token")
			}
			fresh, err := l.Refresh(t.Context(), tokens)
			if err != nil {
				t.Fatalf("%v: %s", err, cause(err))
			}
			if fresh.AccessToken == tokens.AccessToken || (fresh.RefreshToken != tokens.RefreshToken) != tt.rotates || l.call(fresh) != 200 {
				t.Errorf("refreshed: rotated %v, the API answers %d", fresh.RefreshToken != tokens.RefreshToken, l.call(fresh))
			}
			if diff := cmp.Diff([]any{tt.granted, tt.kept}, []any{fresh.Scopes, fresh.Kept}); diff != "" {
				t.Errorf("what the answer leaves out is not kept: %s", diff)
			}
			if err := l.Revoke(t.Context(), fresh); err != nil {
				t.Errorf("%v: %s", err, cause(err))
			}
			if got := l.idp.Grants()[0]; got.Revoked == tt.options.NoRevocation || got.Refreshes != 1 || got.Reuses != 0 {
				t.Errorf("%+v", got)
			}
			l.quiet()
		})
	}
}

func life(t Tokens) time.Duration {
	if t.Expires.IsZero() {
		return 0
	}
	return t.Expires.Sub(t.Obtained)
}

func TestGitHubAnswersInForms(t *testing.T) {
	l := newLab(t, fakeidp.GitHub(), func(cfg *config.Provider, idp *fakeidp.IdP) {
		cfg.Scopes, cfg.Subject, cfg.UserinfoURL = []string{"repo", "read:user"}, "id", idp.URL("userinfo")
	})
	l.idp.Change(func(o *fakeidp.Options) { o.User.Claims = map[string]any{"id": json64, "login": "alice"} })
	tokens, who := l.login()
	if who.Subject != "9007199254740993" || tokens.RefreshToken != "" || !tokens.Expires.IsZero() {
		t.Errorf("%+v, refresh token %v, expires %v", who, tokens.RefreshToken != "", tokens.Expires)
	}
	again := l.browse()
	if _, _, err := l.Exchange(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	_, _, err := l.Exchange(t.Context(), again) // HTTP 200 with {"error"}
	if !errors.Is(err, fault.LoginRequired) || !strings.Contains(cause(err), "invalid_grant (HTTP 200)") {
		t.Errorf("%v: %s", err, cause(err))
	}
}

const json64 = int64(9007199254740993) // 2^53+1: a float64 can't hold it

func TestTokensAndCallbacksDoNotPrint(t *testing.T) {
	secrets := []any{
		Tokens{AccessToken: "hush", RefreshToken: "hush", Kept: map[string]string{"a": "hush"}},
		Callback{Query: url.Values{"code": {"hush"}}, Verifier: "hush", Nonce: "hush"},
		AuthorizeRequest{State: "hush", Nonce: "hush", Verifier: "hush"},
	}
	for _, secret := range secrets {
		log := &bytes.Buffer{}
		slog.New(slog.NewJSONHandler(log, nil)).InfoContext(context.Background(), "x", "it", secret)
		text := fmt.Sprintf("%v %+v %#v %s %q %x ", secret, secret, secret, secret, secret, secret) + fmt.Sprint([]any{secret}, struct{ A any }{secret}) + log.String()
		if strings.Contains(text, "hush") || strings.Contains(text, "68757368") {
			t.Errorf("%T prints %s", secret, text)
		}
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	tests := map[string]config.Provider{
		"an issuer, or a token_url":          {ClientID: "x", AuthorizationURL: "https://id.example/authorize"},
		"client_secret_post needs a client_": {Issuer: "https://id.example", TokenEndpointAuthMethod: "client_secret_post"},
		"private_key_jwt needs a key_file":   {Issuer: "https://id.example", TokenEndpointAuthMethod: "private_key_jwt"},
		"no such file":                       {Issuer: "https://id.example", PrivateKey: config.PrivateKey{KeyFile: "nowhere.pem"}},
		"ca_file":                            {Issuer: "https://id.example", CAFile: "nowhere.pem"},
		`"tls_client_auth" is not one of`:    {Issuer: "https://id.example", TokenEndpointAuthMethod: "tls_client_auth"},
	}
	for want, cfg := range tests {
		if _, err := New(&cfg, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What an answer does not say of scopes is all that was asked for, and what it says is none is none: also after the record was read again.
func TestScopesSurviveARecord(t *testing.T) {
	for _, scopes := range [][]string{nil, {}, {"a"}} {
		text, err := json.Marshal(Tokens{Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		var again Tokens
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(scopes, again.Scopes); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
