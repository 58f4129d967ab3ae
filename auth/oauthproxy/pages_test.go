package oauthproxy

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/config"
)

// What a client says of itself is text, wherever it stands on a page.
func TestClientCannotWriteThePage(t *testing.T) {
	const name = `</bdi><script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	uri := "https://app.example/cb?x='y&z=%3Cscript%3E"
	s := newSite(t, siteOptions{config: func(cfg *config.Config) {
		cfg.Auth.OAuth.Clients.Known = append(cfg.Auth.OAuth.Clients.Known, config.KnownClient{ClientID: `<b>&"id`, ClientName: name, RedirectURIs: []string{uri}})
	}})
	page := newPerson(t).authorize(s, query("client_id", `<b>&"id`, "redirect_uri", uri))
	if page.StatusCode != http.StatusOK || strings.Contains(page.body, "<script") || strings.Contains(page.body, "<img") || strings.Contains(page.body, "<b>") {
		t.Errorf("%d %s", page.StatusCode, page.body)
	}
}

func TestRegisteredClientIsShownAsUnverified(t *testing.T) {
	s := newSite(t, siteOptions{})
	p := newPerson(t)
	id := p.register(s)
	page := p.authorize(s, query("client_id", id))
	if !strings.Contains(page.body, "unverified name") || !strings.Contains(page.body, "<bdi>Claude</bdi>") || strings.Contains(page.body, "vouches") {
		t.Errorf("%s", page.body)
	}
	if to := p.location(p.get(p.location(p.get(p.location(p.decide(s, page, "allow")).String())).String())); to.Query().Get("code") == "" {
		t.Errorf("%s", to)
	}
	if strings.Contains(s.log.String(), id) {
		t.Error("the log repeats an id that is long and says nothing")
	}
}

// WCAG 2.2 AA: 4.5:1 for text (1.4.3), 3:1 for what shows where a control is and has the focus (1.4.11).
func TestContrast(t *testing.T) {
	css, err := pageFiles.ReadFile("pages/frame.html")
	if err != nil {
		t.Fatal(err)
	}
	schemes := strings.SplitN(string(css), "prefers-color-scheme: dark", 2)
	for scheme, rules := range schemes {
		colour := func(name string) float64 {
			_, rest, found := strings.Cut(rules, "--"+name+": #")
			value, err := strconv.ParseUint(rest[:6], 16, 32)
			if !found || err != nil {
				t.Fatalf("no colour %s: %v", name, err)
			}
			linear := func(shift int) float64 {
				part := float64(value>>shift&255) / 255
				if part <= 0.04045 {
					return part / 12.92
				}
				return math.Pow((part+0.055)/1.055, 2.4)
			}
			return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
		}
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"text", "card", 4.5}, {"text", "field", 4.5}, {"quiet", "card", 4.5}, {"quiet", "field", 4.5}, {"accent", "card", 4.5},
			{"on-accent", "accent", 4.5}, {"warn-text", "warn-back", 4.5}, {"warn-line", "card", 3},
		} {
			a, b := colour(pair.front), colour(pair.back)
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < pair.least {
				t.Errorf("scheme %d: %s on %s: %.2f", scheme, pair.front, pair.back, got)
			}
		}
	}
}

func TestEmphasised(t *testing.T) {
	for uri, want := range map[string][3]string{
		"https://claude.ai/api/cb":               {"https://", "claude.ai", "/api/cb"},
		"https://t/cb":                           {"https://", "t", "/cb"},
		"http://127.0.0.1:33418/":                {"http://", "127.0.0.1:33418", "/"},
		"http://[::1]:80?x=https://claude.ai/cb": {"http://", "[::1]:80", "?x=https://claude.ai/cb"},
		"https://app.example":                    {"https://", "app.example", ""},
		"cursor://anysphere.cursor-mcp/oauth":    {"", "cursor:", "//anysphere.cursor-mcp/oauth"},
		"com.example.app:/cb":                    {"", "com.example.app:", "/cb"},
	} {
		before, emphasis, after := emphasised(uri)
		if got := [3]string{before, emphasis, after}; got != want {
			t.Errorf("%s: %q", uri, got)
		}
	}
}

func TestWriteDone(t *testing.T) {
	w := httptest.NewRecorder()
	if err := WriteDone(w, "You are connected", "Close this <window>."); err != nil {
		t.Fatal(err)
	}
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, "<h1>You are connected</h1>") || !strings.Contains(body, "Close this &lt;window&gt;.") ||
		w.Header().Get("X-Frame-Options") != "DENY" || strings.Contains(body, "reference") {
		t.Errorf("%d %v %s", w.Code, w.Header(), body)
	}
}

// unreachable is a store that can't be reached while down.
type unreachable struct {
	tokenstore.Store
	down atomic.Bool
}

var errUnreachable = errors.New("dial tcp 10.0.0.5:6379: connection refused")

// Get implements tokenstore.Store.
func (s *unreachable) Get(ctx context.Context, key string) (tokenstore.Record, error) {
	if s.down.Load() {
		return tokenstore.Record{}, errUnreachable
	}
	return s.Store.Get(ctx, key)
}

// Take implements tokenstore.Store.
func (s *unreachable) Take(ctx context.Context, key string) (tokenstore.Record, error) {
	if s.down.Load() {
		return tokenstore.Record{}, errUnreachable
	}
	return s.Store.Take(ctx, key)
}

// Swap implements tokenstore.Store.
func (s *unreachable) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	if s.down.Load() {
		return 0, errUnreachable
	}
	return s.Store.Swap(ctx, key, version, value, ttl)
}

// A store that is down is told as something that passes: to the client where there is one to tell, else to the person.
func TestStoreThatIsDown(t *testing.T) {
	store := &unreachable{}
	s := newSite(t, siteOptions{store: func(inner tokenstore.Store) tokenstore.Store {
		store.Store = inner
		return store
	}})
	p := newPerson(t)
	page := p.authorize(s, query())
	callback := p.approve(s, query()).String()
	store.down.Store(true)
	to := p.location(p.get(s.url + "/authorize?" + query().Encode()))
	if got := to.Query(); to.Host != "app.example" || got.Get("error") != "temporarily_unavailable" {
		t.Errorf("/authorize: %s", to)
	}
	form := p.form(page)
	form.Set("decision", "allow")
	for name, got := range map[string]answer{
		"the page": p.get(page.Request.URL.String()), "the answer": p.post(s.url+"/consent", form, sameOrigin), "the callback": p.get(callback),
	} {
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, "Not available right now") || strings.Contains(got.body, "10.0.0.5") {
			t.Errorf("%s: %d %v %s", name, got.StatusCode, got.Header, got.body)
		}
	}
	store.down.Store(false)
	if got := p.location(p.get(callback)).Query(); got.Get("code") == "" {
		t.Errorf("afterwards: %v", got)
	}
}

func TestWithAnswerKeepsTheRegisteredURI(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example/cb":                 "https://app.example/cb?code=c",
		"https://app.example/cb?":                "https://app.example/cb?code=c",
		"https://app.example/cb?a=%7e&b&c=+":     "https://app.example/cb?a=%7e&b&c=+&code=c",
		"https://app.example/cb?iss=x&a=1&iss=y": "https://app.example/cb?a=1&code=c",
		"https://app.example/cb?code&st%61te=1":  "https://app.example/cb?code=c",
		"cursor://anysphere.cursor-mcp/cb":       "cursor://anysphere.cursor-mcp/cb?code=c",
	} {
		if got := withAnswer(uri, url.Values{"code": {"c"}}); got != want {
			t.Errorf("%s: %s", uri, got)
		}
	}
}
