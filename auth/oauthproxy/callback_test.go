package oauthproxy

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fakeidp"
)

func TestLogin(t *testing.T) {
	for _, tls := range []bool{false, true} {
		s := newSite(t, siteOptions{tls: tls, idp: fakeidp.Keycloak()})
		p := newPerson(t)
		back := p.location(p.get(p.approve(s, query()).String()))
		if got := back.Scheme + "://" + back.Host + back.Path; got != flowRedirect {
			t.Fatalf("answered at %s", got)
		}
		answer := back.Query()
		secret := answer.Get("code")
		if diff := cmp.Diff(url.Values{"code": {secret}, "state": {flowState}, "iss": {s.url}}, answer); diff != "" {
			t.Error(diff)
		}
		if len(secret) != 43 {
			t.Errorf("the code has %d characters", len(secret))
		}
		got, _, err := s.codes.Get(t.Context(), digest(secret))
		if err != nil {
			t.Fatal(err)
		}
		if got.Tokens.AccessToken == "" || got.Identity.Subject != "alice" {
			t.Error("the code carries no login")
		}
		want := code{ClientID: "app", RedirectURI: flowRedirect, Challenge: query().Get("code_challenge"), Resource: s.url + "/mcp",
			Scopes: []string{"crm.read"}, Identity: got.Identity, Tokens: got.Tokens}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s.skew = codeTime
		if _, _, err := s.codes.Get(t.Context(), digest(secret)); !errors.Is(err, tokenstore.ErrNotFound) {
			t.Errorf("the code outlives its minute: %v", err)
		}
	}
}

func TestLoginPutsTheClientOnTheList(t *testing.T) {
	s := newSite(t, siteOptions{})
	for range 2 {
		p := newPerson(t)
		p.get(p.approve(s, query()).String())
	}
	var got []authorized
	for entry, err := range s.clients.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry.Value)
	}
	if len(got) != 1 || got[0].ClientID != "app" || got[0].Kind != kindKnown || !got[0].First.Before(got[0].Last) {
		t.Errorf("%+v", got)
	}
}

// The provider never sees anything of the client's: not its challenge, not its state, not its redirect URI.
func TestProviderGetsItsOwnStateAndChallenge(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	page := p.authorize(s, query())
	first, second := p.location(p.decide(s, page, "allow")).Query(), p.location(p.decide(s, p.authorize(s, query()), "allow")).Query()
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if first.Get(name) == "" || first.Get(name) == second.Get(name) {
			t.Errorf("%s: %q and %q", name, first.Get(name), second.Get(name))
		}
	}
	if len(first.Get("state")) < 43 || first.Get("state") == p.form(page).Get("tx") || first.Get("code_challenge") == query().Get("code_challenge") {
		t.Errorf("%v", first)
	}
	if first.Get("redirect_uri") != s.url+"/auth/callback" {
		t.Errorf("redirect_uri %q", first.Get("redirect_uri"))
	}
}

func TestAttackerAllowsAndVictimCompletes(t *testing.T) {
	s := newSite(t, siteOptions{})
	attacker, victim := newPerson(t), newPerson(t)
	callback := attacker.approve(s, query()).String()
	victim.approve(s, query("client_id", "other", "redirect_uri", "https://other.example/callback")) // who has a login of their own under way
	if got := victim.get(callback); got.StatusCode != http.StatusForbidden || got.Header.Get("Location") != "" {
		t.Fatalf("%d %s", got.StatusCode, got.Header.Get("Location"))
	}
	if n := s.idp.Requests()["token"]; n != 0 {
		t.Errorf("the provider's code was redeemed %d times", n)
	}
	if !strings.Contains(s.log.String(), `"event":"login.refused","error":"access_denied"`) {
		t.Errorf("the log does not tell: %s", s.log)
	}
	if got := attacker.get(callback); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the browser that allowed it: %d", got.StatusCode)
	}
}

// A cookie of one login is no cookie of another, though the attacker knows both states.
func TestCookieOfAnotherLoginDoesNotCount(t *testing.T) {
	s := newSite(t, siteOptions{})
	attacker, victim := newPerson(t), newPerson(t)
	callback := attacker.approve(s, query())
	victims := victim.approve(s, query())
	at, _ := url.Parse(s.url)
	for _, cookie := range victim.client.Jar.Cookies(at) {
		if strings.Contains(cookie.Name, "_tx_") {
			name := s.flow.cookies.name(cookieLogin, s.flow.cookies.id(callback.Query().Get("state")))
			victim.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: cookie.Value, Path: "/"}})
		}
	}
	if got := victim.get(callback.String()); got.StatusCode != http.StatusForbidden {
		t.Errorf("%d", got.StatusCode)
	}
	if got := victim.get(victims.String()); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the victim's own: %d", got.StatusCode)
	}
}

func TestCallbackWithoutConsent(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	page := p.authorize(s, query())
	for _, state := range []string{p.form(page).Get("tx"), newSecret(), flowState, ""} {
		got := p.get(s.url + "/auth/callback?" + url.Values{"code": {"x"}, "state": {state}}.Encode())
		if got.StatusCode/100 != 4 || got.Header.Get("Location") != "" {
			t.Errorf("state %q: %d %s", state, got.StatusCode, got.Header.Get("Location"))
		}
	}
	if n := s.idp.Requests()["token"]; n != 0 {
		t.Errorf("%d token requests", n)
	}
}

func TestReplayedCallbackRedeemsOnce(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	callback := p.approve(s, query()).String()
	at, _ := url.Parse(s.url)
	cookies := p.client.Jar.Cookies(at) // a browser sends them with both of two clicks
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 8 {
		wg.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, callback, nil)
			for _, cookie := range cookies {
				r.AddCookie(cookie)
			}
			response, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			counts[response.StatusCode]++
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[int]int{http.StatusSeeOther: 1, http.StatusBadRequest: 7}, counts); diff != "" {
		t.Error(diff)
	}
	if n := s.idp.Requests()["token"]; n != 1 {
		t.Errorf("%d token requests", n)
	}
}

func TestCallbackTakesGetAlone(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	callback := p.approve(s, query())
	if got := p.post(callback.String(), url.Values{}, nil); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET" {
		t.Errorf("%d, Allow %q", got.StatusCode, got.Header.Get("Allow"))
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, callback.String(), nil)
	if got := p.do(r); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: %d", got.StatusCode)
	}
	if got := p.get(callback.String()); got.StatusCode != http.StatusSeeOther {
		t.Errorf("afterwards: %d", got.StatusCode)
	}
}

// What the provider says in its own words reaches the log, and nobody else.
func TestProviderErrorsAreMapped(t *testing.T) {
	const words = "AADSTS50105: the user is not assigned <b>to</b> a role"
	s := newSite(t, siteOptions{})
	for said, want := range map[string]string{
		"access_denied": "access_denied", "login_required": "access_denied", "temporarily_unavailable": "temporarily_unavailable",
		"server_error": "server_error", "invalid_scope": "server_error", "something\nof=its&own": "server_error",
	} {
		p := newPerson(t)
		callback := p.approve(s, query())
		values := url.Values{"error": {said}, "error_description": {words}, "error_uri": {"https://evil.example"}, "state": {callback.Query().Get("state")}}
		callback.RawQuery = values.Encode()
		got := p.location(p.get(callback.String())).Query()
		description := got.Get("error_description")
		if diff := cmp.Diff(url.Values{"error": {want}, "error_description": {description}, "state": {flowState}, "iss": {s.url}}, got); diff != "" {
			t.Errorf("%s: %s", said, diff)
		}
		_, reference, found := strings.Cut(description, "reference ")
		if !found || !strings.Contains(s.log.String(), `"reference":"`+reference+`"`) || strings.Contains(description, "AADSTS") {
			t.Errorf("%s: %q", said, description)
		}
	}
	if !strings.Contains(s.log.String(), "AADSTS50105") {
		t.Error("the log does not say why")
	}
}

func TestExchangeThatFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail func(*site)
		want string
	}{
		{"a code that is over", func(s *site) { s.idp.Change(func(o *fakeidp.Options) { o.CodeTTL = -time.Minute }) }, "server_error"},
		{"an id_token for somebody else", func(s *site) {
			s.idp.Change(func(o *fakeidp.Options) { o.ChangeIDToken = func(claims map[string]any) { claims["aud"] = "another" } })
		}, "server_error"},
		{"an id_token of another login", func(s *site) {
			s.idp.Change(func(o *fakeidp.Options) {
				o.ChangeIDToken = func(claims map[string]any) { claims["nonce"] = "another" }
			})
		}, "server_error"},
		{"the provider is down", func(s *site) { s.idp.Fail("token", fakeidp.Failure{Status: http.StatusServiceUnavailable}) }, "temporarily_unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, siteOptions{})
			tt.fail(s)
			p := newPerson(t)
			got := p.location(p.get(p.approve(s, query()).String())).Query()
			if got.Get("error") != tt.want || got.Get("state") != flowState || got.Get("iss") != s.url || got.Has("code") {
				t.Errorf("%v", got)
			}
			for _, secret := range s.idp.Secrets() {
				if strings.Contains(s.log.String(), secret) {
					t.Errorf("the log holds a secret: %s", s.log)
				}
			}
		})
	}
}

// Nothing that opens anything is in the log, at debug level, of logins that work and of those that don't.
func TestLogHoldsNoSecret(t *testing.T) {
	s := newSite(t, siteOptions{idp: fakeidp.Keycloak()})
	p := newPerson(t)
	page := p.authorize(s, query())
	form := p.form(page)
	callback := p.location(p.get(p.location(p.decide(s, page, "allow")).String()))
	secrets := []string{flowState, url.QueryEscape(flowState), form.Get("tx"), form.Get("csrf"), query().Get("code_challenge"), callback.Query().Get("state"), callback.Query().Get("code")}
	at, _ := url.Parse(s.url)
	for _, cookie := range p.client.Jar.Cookies(at) {
		secrets = append(secrets, cookie.Value)
	}
	newPerson(t).get(callback.String())
	secrets = append(secrets, p.location(p.get(callback.String())).Query().Get("code"))
	p.get(callback.String())
	secrets = append(secrets, s.idp.Secrets()...)
	text := s.log.String()
	if !strings.Contains(text, "login.ok") || !strings.Contains(text, "consent.approved") || !strings.Contains(text, "consent.shown") {
		t.Errorf("the steps are not in the log: %s", text)
	}
	for _, secret := range secrets {
		if secret != "" && secret != "mcpgate" && strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// Each step may be on another replica: all that they share is the store and the key.
func TestStepsOnSeveralReplicas(t *testing.T) {
	s := newSite(t, siteOptions{})
	twin, err := New(s.parts)
	if err != nil {
		t.Fatal(err)
	}
	first, second := http.NewServeMux(), http.NewServeMux()
	s.Register(first)
	twin.Register(second)
	turns := slices.Values([]*http.ServeMux{first, second})
	p := newPerson(t)
	p.client.Transport = &alternating{turns: slices.Collect(turns), origin: s.url}
	if got := p.location(p.get(p.approve(s, query()).String())).Query(); got.Get("code") == "" {
		t.Errorf("%v", got)
	}
}

// Of many logins at once each gets its own answer.
func TestManyLoginsAtOnce(t *testing.T) {
	s := newSite(t, siteOptions{idp: fakeidp.Keycloak()})
	s.flow.limit = newLimiter(1<<30, 1<<30, s.parts.Now)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			p := newPerson(t)
			state := fmt.Sprint("state of ", i)
			got := p.location(p.get(p.approve(s, query("state", state)).String())).Query()
			granted, _, err := s.codes.Get(t.Context(), digest(got.Get("code")))
			if err != nil || got.Get("state") != state || granted.Identity.Subject != "alice" {
				t.Errorf("%d: %v %v", i, got, err)
			}
		})
	}
	wg.Wait()
}

// BenchmarkLogin is a login from /authorize to the code, provider included, 64 at once.
func BenchmarkLogin(b *testing.B) {
	s := newSite(b, siteOptions{})
	s.flow.limit = newLimiter(1<<30, 1<<30, s.parts.Now)
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p := newPerson(b)
			p.location(p.get(p.approve(s, query()).String()))
		}
	})
}
