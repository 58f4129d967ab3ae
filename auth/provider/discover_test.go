package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

// TestProviderThatIsDownAtStart: it delays readiness and nothing else, and never turns it back.
func TestProviderThatIsDownAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idp := fakeidp.New(fakeidp.Options{Origin: "https://id.example", Clients: []fakeidp.Client{{ID: "mcpgate", RedirectURIs: []string{callback}}}})
		idp.Down()
		p, err := New(&config.Provider{Name: "idp", Issuer: idp.Issuer(), ClientID: "mcpgate"}, Options{Client: &http.Client{Transport: idp.Transport()}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.Run(ctx); close(ended) }()
		time.Sleep(5 * time.Minute) // of the bubble's clock
		if err := p.Ready(); !errors.Is(err, fault.Unavailable) || !strings.Contains(cause(err), "connection reset") {
			t.Errorf("%v: %s", err, cause(err))
		}
		if _, err := p.AuthorizeURL(AuthorizeRequest{}); !errors.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		if _, err := p.Refresh(ctx, Tokens{RefreshToken: "r"}); !errors.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		if got := idp.Requests()["metadata"]; got < 10 || got > 16 {
			t.Errorf("asked %d times in 5 minutes", got)
		}
		idp.Mend()
		time.Sleep(maxBackoff + maxBackoff/5)
		if err := p.Ready(); err != nil {
			t.Errorf("%v: %s", err, cause(err))
		}
		idp.Down()
		before := idp.Requests()["metadata"]
		time.Sleep(3 * time.Hour)
		if err := p.Ready(); err != nil {
			t.Errorf("not ready any more: %v", err)
		}
		if idp.Requests()["metadata"] == before {
			t.Error("it is not asked again")
		}
		cancel()
		<-ended
	})
}

func TestMetadataIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, fakeidp.Options{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { l.Provider.Run(ctx); close(ended) }()
		l.login()
		l.idp.RotateKeys(false)
		time.Sleep(2 * time.Hour)
		l.login()
		if got := l.idp.Requests(); got["jwks"] != 2 || got["metadata"] < 2 || got["metadata"] > 4 {
			t.Errorf("%v", got)
		}
		cancel()
		<-ended
	})
}

func TestMetadataThatIsRefused(t *testing.T) {
	document := func(change string) string {
		return `{"issuer":"https://id.example","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t"` + change + `}`
	}
	tests := map[string]fakeidp.Failure{
		`of the issuer "https://evil.example"`: {Status: 200, Body: document(`,"issuer":"https://evil.example"`)},
		`of the issuer "https://id.example/"`:  {Status: 200, Body: document(`,"issuer":"https://id.example/"`)},
		"token_endpoint is not an https URL":   {Status: 200, Body: document(`,"token_endpoint":"http://id.example/t"`)},
		"jwks_uri is not an https URL":         {Status: 200, Body: document(`,"jwks_uri":"file:///etc/passwd"`)},
		"has no token_endpoint":                {Status: 200, Body: document(`,"token_endpoint":""`)},
		"has no authorization_endpoint":        {Status: 200, Body: document(`,"authorization_endpoint":""`)},
		"fields of other types":                {Status: 200, Body: document(`,"revocation_endpoint":7`)},
		"failed to decode":                     {Status: 200, Body: "<html>"},
		"404":                                  {Status: 404, Body: "nothing here"},
		"302":                                  {Status: 302, Header: http.Header{"Location": {"https://other.example/"}}},
		"too large":                            {Status: 200, Body: strings.Repeat(" ", maxAnswer+1)},
	}
	for want, failure := range tests {
		idp := fakeidp.New(fakeidp.Options{Origin: "https://id.example"})
		failure.ContentType = "application/json"
		idp.Fail("metadata", failure)
		p, err := New(&config.Provider{Name: "idp", Issuer: idp.Issuer(), ClientID: "mcpgate"}, Options{Client: &http.Client{Transport: idp.Transport()}})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Discover(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if err := p.Ready(); err == nil || !strings.Contains(cause(err), want) {
			t.Errorf("ready: %v", err)
		}
	}
}

func TestIssuerTemplate(t *testing.T) {
	template := issuerTemplate("https://login.example/{tenantid}/v2.0")
	for issuer, want := range map[string]bool{
		"https://login.example/common/v2.0": true, "https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": true,
		"https://login.example//v2.0": false, "https://login.example/a/b/v2.0": false, "https://login.example/v2.0": false,
		"https://evil.example/common/v2.0": false, "https://login.example/common/v2.0/": false, "https://login.example/a?b/v2.0": false,
	} {
		if got := template.matches(issuer); got != want {
			t.Errorf("%s: %v", issuer, got)
		}
	}
	for _, template := range []issuerTemplate{"https://id.example", "https://{tenantid}.example", "https://id.example/{tenantid}x"} {
		if template.matches("https://id.example/ax") || template.matches("https://a.example") {
			t.Errorf("%s is a template", template)
		}
	}
}

// What gateway.yaml writes wins over what discovery finds, and needs no discovery.
func TestEndpointsByHandWin(t *testing.T) {
	idp := fakeidp.New(fakeidp.Options{Origin: "https://id.example"})
	idp.Down()
	p, err := New(&config.Provider{Name: "idp", Issuer: idp.Issuer(), ClientID: "mcpgate", AuthorizationURL: "https://login.example/a?x=1"},
		Options{Client: &http.Client{Transport: idp.Transport()}})
	if err != nil {
		t.Fatal(err)
	}
	address, err := p.AuthorizeURL(AuthorizeRequest{State: state, Verifier: verifier})
	if err != nil || !strings.HasPrefix(address, "https://login.example/a?x=1&") {
		t.Errorf("%s, %v", address, err)
	}
	if p.Ready() == nil {
		t.Error("ready without the other endpoints")
	}
}

func TestAuthorizeURL(t *testing.T) {
	no := false
	hand := config.Provider{Name: "idp", AuthorizationURL: "https://id.example/a", TokenURL: "https://id.example/t", ClientID: "mcpgate"}
	with := func(change func(*config.Provider)) config.Provider {
		cfg := hand
		change(&cfg)
		return cfg
	}
	base := url.Values{"response_type": {"code"}, "client_id": {"mcpgate"}, "redirect_uri": {callback}, "state": {state}}
	challenge := url.Values{"code_challenge": {"T4qWjSXnWxsSK0wVfCjQZ5FmYQHVbVEDGyDLMQzkqvg"}, "code_challenge_method": {"S256"}}
	join := func(all ...url.Values) url.Values {
		out := url.Values{}
		for _, values := range all {
			for name, value := range values {
				out[name] = value
			}
		}
		return out
	}
	for name, tt := range map[string]struct {
		cfg    config.Provider
		scopes []string
		want   url.Values
	}{
		"plain":   {hand, []string{"crm.read"}, join(base, challenge)},
		"no PKCE": {with(func(c *config.Provider) { c.PKCE = &no }), nil, base},
		"scopes": {with(func(c *config.Provider) {
			c.Scopes, c.ScopeMap = []string{"openid", "a"}, map[string]string{"r": "api://r", "w": "api://w a", "x": "api://x"}
		}), []string{"r", "w", "ours"}, join(base, challenge, url.Values{"scope": {"openid a api://r api://w"}, "nonce": {nonce}})},
		"resource": {with(func(c *config.Provider) { c.SendResource = true }), nil, join(base, challenge, url.Values{"resource": {"https://api.example"}})},
		"parameters": {with(func(c *config.Provider) {
			c.AuthorizeParams = map[string]string{"prompt": "select_account", "redirect_uri": "https://evil.example", "state": "x", "client_id": "y", "response_type": "token", "code_challenge": "z"}
		}), nil, join(base, challenge, url.Values{"prompt": {"select_account"}})},
	} {
		p, err := New(&tt.cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		address, err := p.AuthorizeURL(AuthorizeRequest{State: state, Nonce: nonce, Verifier: verifier, RedirectURI: callback, Scopes: tt.scopes, Resource: "https://api.example"})
		if err != nil {
			t.Fatal(err)
		}
		target, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := target.Query()
		if got.Has("code_challenge") {
			if len(got.Get("code_challenge")) != 43 {
				t.Errorf("%s: challenge %s", name, got.Get("code_challenge"))
			}
			got["code_challenge"] = challenge["code_challenge"] // TestLogins has the provider compare it
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOurScopes(t *testing.T) {
	p := &Provider{cfg: &config.Provider{ScopeMap: map[string]string{"read": "api://r", "write": "api://w api://r"}}}
	wanted := []string{"read", "write", "local"}
	for _, tt := range []struct{ granted, want []string }{
		{nil, wanted}, // the answer does not say
		{[]string{}, []string{"local"}},
		{[]string{"api://r"}, []string{"read", "local"}},
		{[]string{"api://w", "openid"}, []string{"local"}},
		{[]string{"api://r", "api://w", "other"}, wanted},
	} {
		if diff := cmp.Diff(tt.want, p.OurScopes(wanted, Tokens{Scopes: tt.granted})); diff != "" {
			t.Errorf("%v: %s", tt.granted, diff)
		}
	}
	if got := p.OurScopes(nil, Tokens{}); got != nil {
		t.Errorf("more than was wanted: %v", got)
	}
}
