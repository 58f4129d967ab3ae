package oauthproxy

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth/provider"
	"mcpgate/config"
)

func TestConsentPageSaysWhoAsksForWhat(t *testing.T) {
	s := newSite(t, siteOptions{})
	page := newPerson(t).authorize(s, query())
	for _, want := range []string{
		"<bdi>The App</bdi>", "Acme CRM", "https://<strong>app.example</strong>/callback", "<li>Read crm <code class=\"quiet\">crm.read</code></li>",
		s.url + "/mcp", "keycloak", `<code dir="ltr">app</code>`, `value="allow"`, `value="deny"`, `<html lang="en">`,
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, not := range []string{"crm.write", "<script", "runs on your own computer", "Unverified"} {
		if strings.Contains(page.body, not) {
			t.Errorf("the page has %s", not)
		}
	}
	if page := newPerson(t).authorize(s, query("client_id", "tool", "redirect_uri", "http://127.0.0.1:4711/callback")); !strings.Contains(page.body, "runs on your own computer") ||
		!strings.Contains(page.body, "http://<strong>127.0.0.1:4711</strong>/callback") {
		t.Error("no warning of a client on this computer")
	}
}

func TestPagesAreLocked(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	nonces := map[string]bool{}
	for name, page := range map[string]answer{"consent": p.authorize(s, query()), "again": p.authorize(s, query()), "error": p.get(s.url + "/authorize")} {
		nonce, _, _ := strings.Cut(strings.TrimPrefix(page.Header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'nonce-"), "'")
		want := http.Header{
			"Content-Security-Policy": {"default-src 'none'; style-src 'nonce-" + nonce + "'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"},
			"X-Frame-Options":         {"DENY"}, "Referrer-Policy": {"no-referrer"}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
			"Content-Type": {"text/html; charset=utf-8"},
		}
		got := http.Header{}
		for name := range want {
			got[name] = page.Header[name]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if nonces[nonce] || len(nonce) < 22 || !strings.Contains(page.body, `<style nonce="`+nonce+`">`) {
			t.Errorf("%s: nonce %q", name, nonce)
		}
		nonces[nonce] = true
	}
}

func TestDenyEndsTheQuestion(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	page := p.authorize(s, query())
	to := p.location(p.decide(s, page, "deny"))
	got := to.Query()
	want := url.Values{"error": {"access_denied"}, "error_description": got["error_description"], "state": {flowState}, "iss": {s.url}}
	if diff := cmp.Diff(want, got); diff != "" || to.Host != "app.example" {
		t.Errorf("%s %s", to, diff)
	}
	if again := p.decide(s, page, "allow"); again.StatusCode != http.StatusBadRequest || again.Header.Get("Location") != "" {
		t.Errorf("allowed afterwards: %d", again.StatusCode)
	}
}

// A form of another site can't say yes in a person's name, whatever of the attacker's own it holds.
func TestForgedAnswersAreRefused(t *testing.T) {
	s := newSite(t, siteOptions{})
	attacker, victim := newPerson(t), newPerson(t)
	attackers, victims := attacker.authorize(s, query()), victim.authorize(s, query())
	form := func(changes ...string) url.Values {
		values := victim.form(victims)
		values.Set("decision", "allow")
		for i := 0; i < len(changes); i += 2 {
			values.Set(changes[i], changes[i+1])
		}
		return values
	}
	theirs := attacker.form(attackers)
	crossSite := http.Header{"Sec-Fetch-Site": {"cross-site"}}
	for name, tt := range map[string]struct {
		form   url.Values
		header http.Header
		status int
	}{
		"from another site":                  {form(), crossSite, 403},
		"from another host of the domain":    {form(), http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"by an old browser":                  {form(), http.Header{"Origin": {"https://evil.example"}}, 403},
		"from a sandboxed frame":             {form(), http.Header{"Origin": {"null"}}, 403},
		"the attacker's question":            {form("tx", theirs.Get("tx"), "csrf", theirs.Get("csrf")), sameOrigin, 403},
		"the attacker's question, own token": {form("tx", theirs.Get("tx")), sameOrigin, 403},
		"the attacker's token":               {form("csrf", theirs.Get("csrf")), sameOrigin, 403},
		"a token made up":                    {form("csrf", newSecret()), sameOrigin, 403},
		"no token":                           {form("csrf", ""), sameOrigin, 400},
		"neither yes nor no":                 {form("decision", "maybe"), sameOrigin, 400},
	} {
		t.Run(name, func(t *testing.T) {
			got := victim.post(s.url+"/consent", tt.form, tt.header)
			if got.StatusCode != tt.status || got.Header.Get("Location") != "" {
				t.Errorf("%d %s", got.StatusCode, got.Header.Get("Location"))
			}
			for _, cookie := range got.Cookies() {
				if strings.Contains(cookie.Name, "_tx_") {
					t.Error("it set a login's cookie")
				}
			}
		})
	}
	if got := victim.post(s.url+"/consent", form(), sameOrigin); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the victim's own answer: %d %s", got.StatusCode, got.body)
	}
}

// Reloading, a preload and a second tab leave the pages valid that were shown before.
func TestEachShowingOfThePageCounts(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	at := p.get(s.url + "/authorize?" + query().Encode()).Header.Get("Location")
	first, second := p.get(at), p.get(at)
	other := p.authorize(s, query("client_id", "other", "redirect_uri", "https://other.example/callback"))
	if got := p.location(p.decide(s, other, "deny")); got.Host != "other.example" {
		t.Errorf("%s", got)
	}
	for i, page := range []answer{second, first, first} { // the last is a second click
		if got := p.location(p.decide(s, page, "allow")); got.Query().Get("client_id") != "mcpgate" {
			t.Errorf("%d: %s", i, got)
		}
	}
}

func TestConsentRunsOut(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	page := p.authorize(s, query())
	s.skew = flowTime + time.Second
	if got := p.decide(s, page, "allow"); got.StatusCode/100 != 4 || got.Header.Get("Location") != "" {
		t.Errorf("%d", got.StatusCode)
	}
	if got := p.get(page.Request.URL.String()); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "This question is over") {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
}

// An editor's own scheme gets its answer by a bare redirect, which Chromium follows after a form where no form-action forbids it.
func TestPrivateUseSchemeIsAnswered(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	page := p.authorize(s, query("client_id", "editor", "redirect_uri", "cursor://anysphere.cursor-mcp/oauth/callback"))
	if !strings.Contains(page.body, "<strong>cursor:</strong>//anysphere.cursor-mcp/oauth/callback") || strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action") {
		t.Errorf("%v %s", page.Header, page.body)
	}
	got := p.decide(s, page, "deny")
	if to := got.Header.Get("Location"); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "cursor://anysphere.cursor-mcp/oauth/callback?error=access_denied&") || got.body != "" {
		t.Errorf("%d %s %s", got.StatusCode, to, got.body)
	}
}

func TestProviderThatIsNotReady(t *testing.T) {
	s := newSite(t, siteOptions{})
	down, err := provider.New(&config.Provider{Name: "keycloak", Issuer: "https://idp.example", ClientID: "mcpgate"}, provider.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPerson(t)
	page := p.authorize(s, query())
	s.parts.Provider = down // which never ran
	for name, got := range map[string]answer{"/authorize": p.get(s.url + "/authorize?" + query().Encode()), "/consent": p.decide(s, page, "allow")} {
		if to := p.location(got); to.Host != "app.example" || to.Query().Get("error") != "temporarily_unavailable" || to.Query().Get("state") != flowState {
			t.Errorf("%s: %s", name, to)
		}
	}
}
