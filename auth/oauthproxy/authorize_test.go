package oauthproxy

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func TestAuthorizeAsksOnTheConsentPage(t *testing.T) {
	s := newSite(t, siteOptions{})
	for name, ask := range map[string]func(*person) answer{
		"GET":  func(p *person) answer { return p.get(s.url + "/authorize?" + query().Encode()) },
		"POST": func(p *person) answer { return p.post(s.url+"/authorize", query(), nil) },
	} {
		p := newPerson(t)
		got := ask(p)
		to := p.location(got)
		if to.Scheme+"://"+to.Host+to.Path != s.url+"/consent" || len(to.Query().Get("tx")) != 43 || len(to.Query()) != 1 {
			t.Errorf("%s: %s", name, to)
		}
		if len(got.Cookies()) != 0 {
			t.Errorf("%s: a cookie before anybody was asked", name)
		}
	}
}

// Until client and redirect URI are proven nobody is redirected: whoever is shown an error stays here.
func TestAuthorizeRefusesWithoutRedirect(t *testing.T) {
	s := newSite(t, siteOptions{})
	twice := func(name string) url.Values {
		values := query()
		values.Add(name, values.Get(name))
		return values
	}
	for name, tt := range map[string]struct {
		query  url.Values
		status int
		code   string
		page   string
	}{
		"no client":             {query("client_id", ""), 400, "invalid_request", "can&#39;t be used"},
		"an unknown client":     {query("client_id", "nobody"), 400, "invalid_client", "not known here"},
		"two clients":           {twice("client_id"), 400, "invalid_request", "can&#39;t be used"},
		"two redirect URIs":     {twice("redirect_uri"), 400, "invalid_request", "can&#39;t be used"},
		"another client's":      {query("redirect_uri", "https://other.example/callback"), 400, "invalid_request", "can&#39;t be used"},
		"one of several left":   {query("client_id", "tool", "redirect_uri", ""), 400, "invalid_request", "can&#39;t be used"},
		"a URL that is too big": {query("state", strings.Repeat("x", 9<<10)), 414, "invalid_request", "can&#39;t be used"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			got := p.get(s.url + "/authorize?" + tt.query.Encode())
			if got.StatusCode != tt.status || got.Header.Get("Location") != "" || !strings.Contains(got.body, tt.page) || !strings.Contains(got.body, "reference") {
				t.Errorf("page: %d %q %s", got.StatusCode, got.Header.Get("Location"), got.body)
			}
			p.header.Set("Accept", "*/*")
			got = p.get(s.url + "/authorize?" + tt.query.Encode())
			if got.StatusCode != tt.status || got.Header.Get("Location") != "" || got.Header.Get("Content-Type") != "application/json" ||
				!strings.Contains(got.body, `"error":"`+tt.code+`"`) {
				t.Errorf("JSON: %d %v %s", got.StatusCode, got.Header, got.body)
			}
		})
	}
}

// Once both are proven every error is the client's, with its state and one issuer.
func TestAuthorizeErrorsGoToTheClient(t *testing.T) {
	s := newSite(t, siteOptions{})
	with := func(name string, values ...string) url.Values {
		q := query()
		q[name] = values
		return q
	}
	for name, tt := range map[string]struct {
		query url.Values
		code  string
	}{
		"no response type":      {query("response_type", ""), "invalid_request"},
		"implicit":              {query("response_type", "token"), "unsupported_response_type"},
		"a fragment":            {query("response_mode", "fragment"), "invalid_request"},
		"no challenge":          {query("code_challenge", ""), "invalid_request"},
		"no method":             {query("code_challenge_method", ""), "invalid_request"},
		"plain":                 {query("code_challenge_method", "plain"), "invalid_request"},
		"a short challenge":     {query("code_challenge", strings.Repeat("a", 42)), "invalid_request"},
		"a long challenge":      {query("code_challenge", strings.Repeat("a", 44)), "invalid_request"},
		"no base64url":          {query("code_challenge", strings.Repeat("a", 42)+"="), "invalid_request"},
		"a line end":            {query("code_challenge", strings.Repeat("a", 43)+"\n"), "invalid_request"},
		"a parameter twice":     {with("scope", "crm.read", "crm.write"), "invalid_request"},
		"an unknown one twice":  {with("other", "a", "b"), "invalid_request"},
		"another resource":      {query("resource", "https://other.example/mcp"), "invalid_target"},
		"two resources":         {with("resource", s.url+"/mcp", s.url+"/mcp"), "invalid_target"},
		"a request object":      {query("request", "e30."), "request_not_supported"},
		"a request object, far": {query("request_uri", "https://app.example/r"), "request_uri_not_supported"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			to := p.location(p.get(s.url + "/authorize?" + tt.query.Encode()))
			if got := to.Scheme + "://" + to.Host + to.Path; got != flowRedirect {
				t.Fatalf("sent to %s", got)
			}
			got := to.Query()
			want := url.Values{"error": {tt.code}, "error_description": got["error_description"], "state": {flowState}, "iss": {s.url}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if strings.ContainsFunc(got.Get("error_description"), func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
				t.Errorf("error_description %q", got.Get("error_description"))
			}
		})
	}
}

func TestStateIsEchoedOnlyIfSent(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	fail := func(values url.Values) url.Values {
		values.Set("response_type", "token")
		return p.location(p.get(s.url + "/authorize?" + values.Encode())).Query()
	}
	if got := fail(query("state", "")); got.Has("state") {
		t.Errorf("%v", got)
	}
	empty := query()
	empty.Set("state", "")
	if got := fail(empty); got.Has("state") {
		t.Errorf("an empty one: %v", got)
	}
	for _, state := range []string{"a b+c&d=e%20", "\x00\xff\xfe", "日本", `"<script>`} { // byte for byte, also what is no UTF-8
		got := fail(query("state", state))
		if diff := cmp.Diff([]string{state}, got["state"]); diff != "" {
			t.Error(diff)
		}
		denied := p.location(p.decide(s, p.authorize(s, query("state", state)), "deny")).Query()
		if diff := cmp.Diff([]string{state}, denied["state"]); diff != "" {
			t.Errorf("after consent: %s", diff)
		}
	}
	two := query()
	two.Add("state", "another")
	if got := fail(two); got.Has("state") || got.Get("error") != "invalid_request" {
		t.Errorf("two: %v", got)
	}
}

// Exactly one issuer, ours, whatever a client registered; none where gateway.yaml says so, which the metadata then says too.
func TestIssuerIsThereOnce(t *testing.T) {
	off := false
	for name, tt := range map[string]struct {
		change func(*config.Config)
		want   []string
	}{
		"on":  {nil, []string{""}},
		"off": {func(cfg *config.Config) { cfg.Auth.OAuth.IssParameter = &off }, nil},
	} {
		s := newSite(t, siteOptions{config: tt.change})
		p := newPerson(t)
		registered := s.parts.Config.Auth.OAuth.Clients.Known[4].RedirectURIs[0]
		to := p.location(p.get(s.url + "/authorize?" + query("client_id", "evil-iss", "redirect_uri", registered, "response_type", "token").Encode()))
		var want []string
		if tt.want != nil {
			want = []string{s.url}
		}
		if got := to.Query(); !slices.Equal(got["iss"], want) || got.Has("code") || got.Get("keep") != "~" {
			t.Errorf("%s: %s", name, to)
		}
		if !strings.HasPrefix(to.String(), "https://app.example/cb?keep=%7e&") {
			t.Errorf("%s: the rest was rewritten: %s", name, to)
		}
	}
}

func TestRedirectURIMayBeLeftOutWhereThereIsOne(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	to := p.location(p.decide(s, p.authorize(s, query("redirect_uri", "")), "deny"))
	if got := to.Scheme + "://" + to.Host + to.Path; got != flowRedirect {
		t.Errorf("%s", to)
	}
}

// Headers that a proxy may or may not have written never end up in a URL.
func TestForgedHostIsNotBelieved(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	p.header.Set("X-Forwarded-Host", "evil.example")
	p.header.Set("X-Forwarded-Proto", "https")
	p.header.Set("Forwarded", "host=evil.example;proto=https")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/authorize?"+query().Encode(), nil)
	r.Host = "evil.example"
	to := p.do(r)
	if got := to.Header.Get("Location"); !strings.HasPrefix(got, s.url+"/consent?") {
		t.Errorf("%s", got)
	}
	page := p.get(to.Header.Get("Location"))
	if strings.Contains(page.body, "evil.example") {
		t.Error("the page believes it")
	}
	if got := p.location(p.decide(s, page, "deny")).Query().Get("iss"); got != s.url {
		t.Errorf("iss %q", got)
	}
}

func TestAuthorizeIsLimitedPerCaller(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	var last answer
	for range stepsPerCaller + 1 {
		last = p.get(s.url + "/authorize?" + query("client_id", "nobody").Encode())
	}
	if last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" || !strings.Contains(last.body, "<h1>") {
		t.Errorf("%d %v %s", last.StatusCode, last.Header, last.body)
	}
}

func TestAuthorizeTakesGetAndPost(t *testing.T) {
	s := newSite(t, siteOptions{})
	for _, method := range []string{http.MethodPut, http.MethodHead, http.MethodDelete} {
		r, _ := http.NewRequestWithContext(t.Context(), method, s.url+"/authorize?"+query().Encode(), nil)
		if got := newPerson(t).do(r); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: %d", method, got.StatusCode)
		}
	}
}

// The client that asks in the URL and again in the form asks twice.
func TestParametersInURLAndForm(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	got := p.post(s.url+"/authorize?redirect_uri="+url.QueryEscape("https://evil.example"), query(), nil)
	if got.StatusCode != http.StatusBadRequest || got.Header.Get("Location") != "" {
		t.Errorf("%d %s", got.StatusCode, got.Header.Get("Location"))
	}
}

// Nobody is sent to a redirect URI that isn't registered, whatever browsers or libraries make of it.
func TestNoOpenRedirect(t *testing.T) {
	s := newSite(t, siteOptions{})
	s.flow.limit = newLimiter(1<<30, 1<<30, s.parts.Now)
	mux := http.NewServeMux()
	s.Register(mux)
	for _, trick := range tricks {
		for _, known := range s.parts.Config.Auth.OAuth.Clients.Known {
			for _, kind := range []string{"code", "token"} {
				if to, _ := s.asked(mux, query("client_id", known.ClientID, "redirect_uri", trick.uri, "response_type", kind).Encode()); to != "" && trick.uri != "" {
					t.Errorf("%s (%s): %s", trick.uri, trick.reason, to)
				}
			}
		}
	}
}

// FuzzAuthorize holds that whatever is asked, the browser is sent to the consent page, to a redirect URI of that very client, or nowhere.
func FuzzAuthorize(f *testing.F) {
	s := newSite(f, siteOptions{})
	s.flow.limit = newLimiter(1<<30, 1<<30, s.parts.Now)
	mux := http.NewServeMux()
	s.Register(mux)
	known := map[string][]string{}
	for _, c := range s.parts.Config.Auth.OAuth.Clients.Known {
		known[c.ClientID] = c.RedirectURIs
	}
	f.Add(query().Encode())
	f.Add(query("response_type", "token").Encode())
	for _, uri := range []string{
		"https://app.example/callback/../evil", "https://app.example/callback@evil.example", "https://app.example.evil.example/callback", "//evil.example",
		"https://evil.example\\@app.example/callback", "https://app.example/callback#", "HTTPS://app.example/callback", "javascript:alert(1)", "https://app.example/callback%0d%0aLocation:x",
		"http://127.0.0.1:1234/callback", "http://127.0.0.1:1234@evil.example/callback", "http://localhost.evil.example/callback", "https://app.example/callback?x",
	} {
		for id := range maps.Keys(known) {
			f.Add(query("client_id", id, "redirect_uri", uri, "response_type", "token").Encode())
		}
	}
	for _, trick := range tricks {
		f.Add(query("redirect_uri", trick.uri).Encode())
	}
	f.Add(query().Encode() + "&redirect_uri=https://evil.example")
	f.Add(query().Encode() + ";redirect_uri=https://evil.example")
	f.Add(query().Encode() + "&%72edirect_uri=https://evil.example")
	f.Fuzz(func(t *testing.T, raw string) {
		location, cookies := s.asked(mux, raw)
		if len(cookies) > 0 {
			t.Error("a cookie before consent")
		}
		if location == "" || strings.HasPrefix(location, s.url+"/consent?tx=") {
			return
		}
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%q was understood: %s", raw, location)
		}
		before, _, _ := strings.Cut(location, "?") // behind it the state may be anything
		target, err := parseWebURI(before)
		if err != nil {
			t.Fatalf("%q was sent to %q: %v", raw, location, err)
		}
		if !slices.ContainsFunc(known[values.Get("client_id")], func(uri string) bool {
			registered, err := parseWebURI(uri)
			registered.query = ""
			return err == nil && (target == registered || registered.isLoopback() && registered.sameButForPort(target))
		}) {
			t.Errorf("%q was sent to %q", raw, location)
		}
	})
}
