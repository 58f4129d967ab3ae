package oauthproxy

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mcpgate/internal/seal"
)

func TestCookiesAreAsStrictAsTheyCanBe(t *testing.T) {
	for _, tt := range []struct {
		tls    bool
		prefix string
	}{{true, "__Host-mcpgate_"}, {false, "mcpgate_"}} {
		s := newSite(t, siteOptions{tls: tt.tls})
		p := newPerson(t)
		page := p.authorize(s, query())
		approved := p.decide(s, page, "allow")
		for kind, got := range map[string][]*http.Cookie{cookieRender: page.Cookies(), cookieLogin: approved.Cookies()} {
			if len(got) != 1 {
				t.Fatalf("%s: %v", kind, got)
			}
			want := http.Cookie{Name: got[0].Name, Value: got[0].Value, Path: "/", MaxAge: 600, Secure: tt.tls, HttpOnly: true, SameSite: http.SameSiteLaxMode, Raw: got[0].Raw}
			if kind == cookieRender {
				want.SameSite = http.SameSiteStrictMode
			}
			if got[0].String() != want.String() || !strings.HasPrefix(got[0].Name, tt.prefix+kind+"_") || len(got[0].Value) < 43 {
				t.Errorf("%s: %s", kind, got[0])
			}
		}
	}
}

// A name without the prefix can be set by another host of the domain, or over plain http: on https it counts for nothing.
func TestUnprefixedCookieDoesNotCountOnHTTPS(t *testing.T) {
	s := newSite(t, siteOptions{tls: true})
	p := newPerson(t)
	callback := p.approve(s, query())
	at, _ := url.Parse(s.url)
	stripped := newPerson(t)
	var cookies []*http.Cookie
	for _, cookie := range p.client.Jar.Cookies(at) {
		cookies = append(cookies, &http.Cookie{Name: strings.TrimPrefix(cookie.Name, "__Host-"), Value: cookie.Value, Path: "/"})
	}
	stripped.client.Jar.SetCookies(at, cookies)
	if got := stripped.get(callback.String()); len(cookies) == 0 || got.StatusCode != http.StatusForbidden {
		t.Errorf("%d", got.StatusCode)
	}
}

// However many logins a browser begins, it never carries more than ten of them, and those that it carries work.
func TestOldestCookiesGo(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	var callbacks []string
	for range maxCookies + 3 {
		callbacks = append(callbacks, p.approve(s, query()).String())
	}
	at, _ := url.Parse(s.url)
	counts := map[string]int{}
	for _, cookie := range p.client.Jar.Cookies(at) {
		counts[strings.Split(cookie.Name, "_")[1]]++
	}
	if counts[cookieLogin] != maxCookies || counts[cookieRender] != maxCookies {
		t.Errorf("%v", counts)
	}
	for i, callback := range callbacks {
		want := http.StatusSeeOther
		if i < 3 {
			want = http.StatusForbidden
		}
		if got := p.get(callback); got.StatusCode != want {
			t.Errorf("login %d: %d", i, got.StatusCode)
		}
	}
}

func TestCookieIsForItsOwnerKindAndTime(t *testing.T) {
	now := time.Now()
	ring := seal.NewRing("a-key-for-tests-a-key-for-tests-")
	ring.Now = func() time.Time { return now }
	c := &cookies{ring: ring, now: ring.Now}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	if err := c.set(w, r, cookieLogin, "owner", "secret", time.Minute); err != nil {
		t.Fatal(err)
	}
	made := w.Result().Cookies()[0]
	read := func(name, kind, owner, value string) bool {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: name, Value: value})
		secret, ok := c.get(r, kind, owner)
		return ok && secret == "secret"
	}
	if !read(made.Name, cookieLogin, "owner", made.Value) {
		t.Error("it does not open")
	}
	if read(c.name(cookieLogin, c.id("another")), cookieLogin, "another", made.Value) {
		t.Error("it opens for another login")
	}
	if read(c.name(cookieRender, c.id("owner")), cookieRender, "owner", made.Value) {
		t.Error("it opens as another kind")
	}
	if strings.Contains(made.String(), "secret") {
		t.Error("it shows what it holds")
	}
	now = now.Add(time.Minute)
	if read(made.Name, cookieLogin, "owner", made.Value) {
		t.Error("it outlives its time")
	}
}
