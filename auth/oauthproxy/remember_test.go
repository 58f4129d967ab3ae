package oauthproxy

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mcpgate/config"
)

func remembering(cfg *config.Config) { cfg.Auth.OAuth.Consent = "remember" }

func TestRememberedAnswerCountsInTheSameBrowserForTheSameQuestion(t *testing.T) {
	s := newSite(t, siteOptions{config: remembering})
	p := newPerson(t)
	p.header.Set("Sec-Fetch-Site", "none") // typed in, or opened by a program
	asked := func(p *person, changes ...string) bool {
		t.Helper()
		to := p.location(p.get(s.url + "/authorize?" + query(changes...).Encode()))
		return to.Path == "/consent"
	}
	if !asked(p) {
		t.Fatal("nobody was asked at first")
	}
	p.location(p.get(p.approve(s, query()).String()))
	if asked(p) {
		t.Error("asked again")
	}
	for name, changes := range map[string][]string{
		"another client":           {"client_id", "other", "redirect_uri", "https://other.example/callback"},
		"more scopes":              {"scope", ""},
		"other scopes":             {"scope", "crm.write"},
		"a client that wants them": {"prompt", "login consent"},
	} {
		if !asked(p, changes...) {
			t.Errorf("%s: nobody was asked", name)
		}
	}
	for _, site := range []string{"cross-site", "same-site", ""} { // a link on somebody else's page
		p.header.Del("Sec-Fetch-Site")
		if site != "" {
			p.header.Set("Sec-Fetch-Site", site)
		}
		if !asked(p) {
			t.Errorf("Sec-Fetch-Site %q: nobody was asked", site)
		}
	}
	p.header.Set("Sec-Fetch-Site", "none")
	if stranger := newPerson(t); !asked(stranger) {
		t.Error("another browser was not asked")
	}
	s.skew = rememberTime
	if !asked(p) {
		t.Error("it never ends")
	}
}

// A login that nobody was asked for is bound to the browser all the same.
func TestUnaskedLoginIsBoundToTheBrowser(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"trusted": func(cfg *config.Config) { cfg.Auth.OAuth.TrustedClients = []string{"app"} },
		"off":     func(cfg *config.Config) { cfg.Auth.OAuth.Consent = "off" },
	} {
		s := newSite(t, siteOptions{config: change})
		p := newPerson(t)
		callback := p.location(p.get(p.location(p.get(s.url + "/authorize?" + query().Encode())).String()))
		if got := newPerson(t).get(callback.String()); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s: another browser: %d", name, got.StatusCode)
		}
		if got := p.location(p.get(callback.String())).Query(); got.Get("code") == "" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOnlyTheTrustedClientIsNotAskedFor(t *testing.T) {
	s := newSite(t, siteOptions{config: func(cfg *config.Config) { cfg.Auth.OAuth.TrustedClients = []string{"app"} }})
	p := newPerson(t)
	to := p.location(p.get(s.url + "/authorize?" + query("client_id", "other", "redirect_uri", "https://other.example/callback").Encode()))
	if to.Path != "/consent" {
		t.Errorf("%s", to)
	}
}

func TestNoTakesBackAnEarlierYes(t *testing.T) {
	s := newSite(t, siteOptions{config: remembering})
	p := newPerson(t)
	p.header.Set("Sec-Fetch-Site", "none")
	p.approve(s, query())
	p.decide(s, p.authorize(s, query("prompt", "consent")), "deny")
	if to := p.location(p.get(s.url + "/authorize?" + query().Encode())); to.Path != "/consent" {
		t.Errorf("%s", to)
	}
}

func TestConsentOffIsForLoopbackAlone(t *testing.T) {
	cfg := testConfig("https://tools.example", "https://idp.example")
	cfg.Auth.OAuth.Consent = "off"
	if _, err := newFlow(Parts{Config: cfg, Now: time.Now}); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v", err)
	}
}

// Chromium says Sec-Fetch-Site: none also where another site sent on what was typed in. Whoever anybody may be is asked for each time.
func TestRegisteredClientIsNotRemembered(t *testing.T) {
	s := newSite(t, siteOptions{config: remembering})
	p := newPerson(t)
	p.header.Set("Sec-Fetch-Site", "none")
	id := p.register(s)
	p.approve(s, query("client_id", id))
	if to := p.location(p.get(s.url + "/authorize?" + query("client_id", id).Encode())); to.Path != "/consent" {
		t.Errorf("%s", to)
	}
}
