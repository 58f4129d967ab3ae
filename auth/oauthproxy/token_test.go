package oauthproxy

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mcpgate/auth/tokenstore"
)

func TestTokenRequestsThatAreNone(t *testing.T) {
	l := newLab(t, labSettings{})
	const formType = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, method, target, contentType, body string
		status                                  int
		code                                    string
	}{
		{"another method", "GET", "/token", "", "", http.StatusMethodNotAllowed, "invalid_request"},
		{"JSON", "POST", "/token", "application/json", `{"grant_type":"authorization_code"}`, 400, "invalid_request"},
		{"no type", "POST", "/token", "", "grant_type=refresh_token", 400, "invalid_request"},
		{"parameters in the URL", "POST", "/token?client_id=claude", formType, "grant_type=refresh_token&refresh_token=x", 400, "invalid_request"},
		{"too large", "POST", "/token", formType, "client_id=claude&x=" + strings.Repeat("x", maxForm), 400, "invalid_request"},
		{"broken escapes", "POST", "/token", formType, "client_id=%zz", 400, "invalid_request"},
		{"a parameter twice", "POST", "/token", formType, "client_id=claude&grant_type=refresh_token&grant_type=refresh_token", 400, "invalid_request"},
		{"the client twice", "POST", "/token", formType, "client_id=claude&client_id=cursor", 400, "invalid_request"},
		{"two resources", "POST", "/token", formType, "client_id=claude&resource=https://a.example&resource=https://b.example", 400, "invalid_target"},
		{"no grant type", "POST", "/token", formType, "client_id=claude", 400, "invalid_request"},
		{"an empty grant type", "POST", "/token", formType, "client_id=claude&grant_type=", 400, "invalid_request"},
		{"another grant type", "POST", "/token", formType, "client_id=claude&grant_type=password", 400, "unsupported_grant_type"},
		{"no code", "POST", "/token", formType, "client_id=claude&grant_type=authorization_code&code=", 400, "invalid_request"},
		{"no refresh token", "POST", "/token", formType, "client_id=claude&grant_type=refresh_token", 400, "invalid_request"},
		{"no client", "POST", "/token", formType, "grant_type=refresh_token&refresh_token=x", 401, "invalid_client"},
		// 401 makes clients whose registration is gone register again.
		{"an unknown client", "POST", "/token", formType, "client_id=nobody&grant_type=refresh_token&refresh_token=x", 401, "invalid_client"},
		{"an unknown code", "POST", "/token", formType, "client_id=claude&grant_type=authorization_code&code=x", 400, "invalid_grant"},
		{"an unknown refresh token", "POST", "/token", formType, "client_id=claude&grant_type=refresh_token&refresh_token=x", 400, "invalid_grant"},
		{"revoking nothing", "POST", "/revoke", formType, "client_id=claude", 400, "invalid_request"},
		{"revoking as nobody", "POST", "/revoke", formType, "token=x", 401, "invalid_client"},
		{"keys by POST", "POST", "/jwks", formType, "", http.StatusMethodNotAllowed, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
			if test.contentType != "" {
				r.Header.Set("Content-Type", test.contentType)
			}
			w := httptest.NewRecorder()
			l.muxes[0].ServeHTTP(w, r)
			if w.Code != test.status || !strings.Contains(w.Body.String(), `"error":"`+test.code+`"`) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%v", w.Header())
			}
			for _, c := range w.Body.String() {
				if c > '~' || c == '<' {
					t.Errorf("%q in %s", c, w.Body)
				}
			}
		})
	}
}

func TestWhoShowsBasicIsToldOfIt(t *testing.T) { // RFC 6749 section 5.2
	l := newLab(t, labSettings{})
	r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader("grant_type=refresh_token&refresh_token=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("nobody", "secret")
	w := httptest.NewRecorder()
	l.muxes[0].ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestBrowsersMayAsk(t *testing.T) {
	l := newLab(t, labSettings{})
	for path, methods := range map[string]string{"/token": "POST, OPTIONS", "/revoke": "POST, OPTIONS", "/jwks": "GET, HEAD, OPTIONS"} {
		r := httptest.NewRequest(http.MethodOptions, path, nil)
		r.Header.Set("Origin", "http://localhost:6274")
		w := httptest.NewRecorder()
		l.muxes[0].ServeHTTP(w, r)
		h := w.Header()
		if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Methods") != methods ||
			h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
	}
}

func TestAStoreThatIsDownIsNobodysFault(t *testing.T) {
	l := newLab(t, labSettings{})
	first, unused := l.login(nil), l.newCode(nil)
	l.store.down.Store(true)
	for name, form := range map[string]url.Values{"code": codeForm(unused), "refresh": refreshForm(first.RefreshToken)} {
		w := l.post(0, "/token", form)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"temporarily_unavailable"`) ||
			strings.Contains(w.Body.String(), "redis") {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
	if w := l.post(0, "/revoke", url.Values{"client_id": {"claude"}, "token": {first.RefreshToken}}); w.Code != http.StatusServiceUnavailable {
		t.Errorf("/revoke: %d %s", w.Code, w.Body)
	}
	l.store.down.Store(false)
	if got := l.ask(0, codeForm(unused)); got.status != http.StatusOK {
		t.Errorf("the code afterwards: %+v", got.Error)
	}
	if got := l.ask(0, refreshForm(first.RefreshToken)); got.status != http.StatusOK {
		t.Errorf("the refresh token afterwards: %+v", got.Error)
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	l := newLab(t, labSettings{})
	before := func(string) error { panic("upstream-refresh is the secret") }
	shown := l.newCode(nil)
	l.store.before.Store(&before)
	got := l.ask(0, codeForm(shown))
	l.refused(got, http.StatusInternalServerError, "server_error")
	_, id, _ := strings.Cut(got.Description, "under ")
	if len(id) != 10 || !strings.Contains(l.log.String(), "id="+id) {
		t.Errorf("%q is not in the log", got.Description)
	}
}

// TestNoSecretIsLogged: of a whole life of a login at debug level, no code, verifier, token or upstream token is in the log.
func TestNoSecretIsLogged(t *testing.T) {
	l := newLab(t, labSettings{})
	shown := l.newCode(nil)
	first := l.ask(0, codeForm(shown))
	second := l.ask(0, refreshForm(first.RefreshToken))
	third := l.ask(0, refreshForm(second.RefreshToken))
	l.ask(0, with(refreshForm(third.RefreshToken), "client_id", "cursor"))
	l.ask(0, codeForm(shown))
	l.store.down.Store(true)
	l.ask(0, refreshForm(third.RefreshToken))
	if len(l.log.String()) == 0 {
		t.Fatal("nothing was logged")
	}
	secrets := []string{shown, testVerifier, testChallenge, "upstream-access", "upstream-refresh", "anne@example.com", l.sessionOf(first.AccessToken)}
	for _, got := range []answered{first, second, third} {
		secrets = append(secrets, got.AccessToken, got.RefreshToken, got.RefreshToken[:30])
	}
	for _, secret := range secrets {
		if strings.Contains(l.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func TestAKeyThatIsGoneIsNotAnUnknownRecord(t *testing.T) {
	l := newLab(t, labSettings{})
	first := l.login(nil)
	l.add("another key of 32 bytes or so!!!!", nil)
	// The mark of the token is not of this ring either: the session is found by the id in it.
	l.refused(l.ask(1, refreshForm(first.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	if !strings.Contains(l.log.String(), tokenstore.ErrSealed.Error()) {
		t.Error("the log does not tell")
	}
}
