package provider

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

// TestRefreshTellsWhatIsOver: only the token endpoint's own word ends a grant; everything else keeps it.
func TestRefreshTellsWhatIsOver(t *testing.T) {
	json := func(status int, code string) fakeidp.Failure {
		return fakeidp.Failure{Status: status, ContentType: "application/json", Body: `{"error":"` + code + `"}`}
	}
	tests := []struct {
		name    string
		failure fakeidp.Failure
		dead    []string
		want    fault.Code
		after   time.Duration
		says    string
	}{
		{"invalid_grant", fakeidp.Refuse("invalid_grant"), nil, fault.TokenRefreshFailed, 0, "token endpoint: invalid_grant (HTTP 400): refused on demand"},
		{"unauthorized_client", fakeidp.Refuse("unauthorized_client"), nil, fault.TokenRefreshFailed, 0, "unauthorized_client"},
		{"with status 401, as FastMCP sends it", json(401, "invalid_grant"), nil, fault.TokenRefreshFailed, 0, "HTTP 401"},
		{"with status 200, as GitHub sends it", json(200, "bad_refresh_token"), []string{"bad_refresh_token"}, fault.TokenRefreshFailed, 0, "bad_refresh_token (HTTP 200)"},
		{"a vendor's code", fakeidp.Refuse("interaction_required"), []string{"interaction_required"}, fault.TokenRefreshFailed, 0, "interaction_required"},
		{"HubSpot's own", fakeidp.Failure{Status: 400, ContentType: "application/json", Body: `{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}`},
			[]string{"BAD_REFRESH_TOKEN"}, fault.TokenRefreshFailed, 0, "BAD_REFRESH_TOKEN (HTTP 400): missing or invalid refresh token"},
		{"a code in an object", fakeidp.Failure{Status: 400, ContentType: "application/json", Body: `{"error":{"code":"expired","message":"over"}}`},
			nil, fault.Unavailable, 0, "expired (HTTP 400): over"},
		{"a code that gateway.yaml leaves out", fakeidp.Refuse("unauthorized_client"), []string{"invalid_grant"}, fault.CredentialsInvalid, 0, ""},
		{"no code ends a login", fakeidp.Refuse("invalid_grant"), []string{}, fault.Unavailable, 0, ""},
		{"the client", json(401, "invalid_client"), nil, fault.CredentialsInvalid, 0, "invalid_client"},
		{"the client, with status 400", json(400, "invalid_client"), nil, fault.CredentialsInvalid, 0, ""},
		{"a scope", fakeidp.Refuse("invalid_scope"), nil, fault.Unavailable, 0, "invalid_scope"},
		{"an unknown code", fakeidp.Refuse("whatever"), nil, fault.Unavailable, 0, "whatever"},
		{"invalid_grant from a server in trouble", json(500, "invalid_grant"), nil, fault.Unavailable, 0, "invalid_grant (HTTP 500)"},
		{"invalid_grant and too many requests", json(429, "invalid_grant"), nil, fault.Unavailable, 0, ""},
		{"401 without a code", fakeidp.Failure{Status: 401, ContentType: "text/plain", Body: "no"}, nil, fault.Unavailable, 0, "no OAuth error code (HTTP 401)"},
		{"a proxy's page", fakeidp.BadGateway(), nil, fault.Unavailable, 0, "no OAuth error code (HTTP 502): the answer is a page"},
		{"a login page", fakeidp.Failure{Status: 200, ContentType: "text/html", Body: "<html>"}, nil, fault.Unavailable, 0, "page"},
		{"busy", fakeidp.Status(503, "7"), nil, fault.Unavailable, 7 * time.Second, "temporarily_unavailable (HTTP 503)"},
		{"too many requests", fakeidp.Status(429, "120"), nil, fault.Unavailable, 2 * time.Minute, ""},
		{"much too long", fakeidp.Status(429, "99999999"), nil, fault.Unavailable, time.Hour, ""},
		{"the connection breaks", fakeidp.Failure{}, nil, fault.Unavailable, 0, "token endpoint: connection reset"},
		{"redirected", fakeidp.Failure{Status: 307, Header: http.Header{"Location": {"https://other.example/token"}}}, nil, fault.Unavailable, 0, "HTTP 307"},
		{"an empty object", fakeidp.Failure{Status: 200, ContentType: "application/json", Body: "{}"}, nil, fault.Unavailable, 0, "no access_token"},
		{"another kind of token", fakeidp.Failure{Status: 200, ContentType: "application/json", Body: `{"access_token":"x","token_type":"mac"}`}, nil, fault.Unavailable, 0, "token_type"},
		{"a header in the token", fakeidp.Failure{Status: 200, ContentType: "application/json", Body: `{"access_token":"x\r\nX-Evil: 1"}`}, nil, fault.Unavailable, 0, "characters"},
		{"endless", fakeidp.Failure{Status: 200, ContentType: "application/json", Body: strings.Repeat(" ", maxAnswer) + `{"access_token":"x"}`}, nil, fault.Unavailable, 0, "too large"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, fakeidp.Options{}, func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Refresh.DeadCodes = tt.dead })
			tokens, _ := l.login()
			before := l.idp.Requests()["token"]
			l.idp.Fail("token", tt.failure)
			_, err := l.Refresh(t.Context(), tokens)
			f, ok := errors.AsType[*fault.Fault](err)
			if !ok || f.Code != tt.want || f.RetryAfter != tt.after || !strings.Contains(cause(err), tt.says) {
				t.Fatalf("%v (%s, after %v): %s", err, fault.CodeOf(err), f.RetryAfter, cause(err))
			}
			if f.Retryable != (tt.want == fault.Unavailable) {
				t.Errorf("retryable: %v", f.Retryable)
			}
			for _, said := range []string{"refused on demand", "id.example", "502"} {
				if strings.Contains(f.Message+f.Hint, said) {
					t.Errorf("the client is told %q: %s", said, f.Message)
				}
			}
			if got := l.idp.Requests()["token"] - before; got != 1 {
				t.Errorf("%d requests", got)
			}
			l.idp.Mend()
			if _, err := l.Refresh(t.Context(), tokens); err != nil {
				t.Errorf("the grant is lost: %v", err)
			}
			l.quiet()
		})
	}
}

func TestRefreshGivesUpAfter30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, fakeidp.Options{}, nil)
		tokens, _ := l.login()
		l.idp.Fail("token", fakeidp.Failure{Hang: true})
		begin := time.Now()
		_, err := l.Refresh(t.Context(), tokens)
		if took := time.Since(begin); !errors.Is(err, fault.Unavailable) || took != 30*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// A token POST whose answer is lost may have been done: to send it again would show a replaced refresh token, which revokes the grant.
func TestTokenRequestIsNotRepeated(t *testing.T) {
	for name, failure := range map[string]fakeidp.Failure{"before": {Times: 1}, "after it was done": {Times: 1, After: true}} {
		t.Run(name, func(t *testing.T) {
			idp := fakeidp.Start(t, fakeidp.Options{})
			p, err := New(&config.Provider{Name: "idp", Issuer: idp.Issuer(), ClientID: "mcpgate"}, Options{Client: &http.Client{Transport: &http.Transport{}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Discover(t.Context()); err != nil { // the connection stays open: net/http repeats on reused ones
				t.Fatal(err)
			}
			idp.Fail("token", failure)
			if _, err := p.Refresh(t.Context(), Tokens{RefreshToken: "rt"}); !errors.Is(err, fault.Unavailable) {
				t.Error(err)
			}
			if got := idp.Requests()["token"]; got != 1 {
				t.Errorf("%d requests", got)
			}
		})
	}
}

func TestRefreshKeepsWhatTheAnswerLeavesOut(t *testing.T) {
	l := newLab(t, fakeidp.Options{}, func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Keep = []string{"instance_url", "id", "role"} })
	end := time.Now().Add(time.Hour)
	old := Tokens{AccessToken: "a", RefreshToken: "r", RefreshExpires: end, Scopes: []string{"x"}, Kept: map[string]string{"instance_url": "https://eu1", "role": "3", "gone": "1"}}
	answer := func(body string) Tokens {
		t.Helper()
		l.idp.Mend()
		l.idp.Fail("token", fakeidp.Failure{Status: 200, ContentType: "application/json", Body: body})
		got, err := l.Refresh(t.Context(), old)
		if err != nil {
			t.Fatal(err, cause(err))
		}
		return got
	}
	got := answer(`{"access_token":"b","id":7,"role":"a\nb"}`)
	want := Tokens{AccessToken: "b", RefreshToken: "r", RefreshExpires: end, Scopes: []string{"x"}, Obtained: got.Obtained,
		Kept: map[string]string{"instance_url": "https://eu1", "role": "3", "id": "7"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(l.log.String(), "can't be kept") || strings.Contains(l.log.String(), "https://eu1") {
		t.Errorf("%s", l.log)
	}
	got = answer(`{"access_token":"b","refresh_token":"r2","scope":"y z","expires_in":"90","instance_url":"https://eu2"}`)
	want = Tokens{AccessToken: "b", RefreshToken: "r2", Scopes: []string{"y", "z"}, Obtained: got.Obtained, Expires: got.Obtained.Add(90 * time.Second),
		Kept: map[string]string{"instance_url": "https://eu2", "role": "3"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got = answer(`{"access_token":"b","refresh_expires_in":0}`); !got.RefreshExpires.IsZero() {
		t.Error("refresh_expires_in 0 is never")
	}
}

func TestRefreshParameters(t *testing.T) {
	var forms []string
	l := newLab(t, fakeidp.Options{OnRequest: func(endpoint string, r *http.Request) {
		if endpoint == "token" && r.ParseForm() == nil {
			forms = append(forms, r.PostForm.Get("grant_type")+" "+r.PostForm.Get("scope")+" "+r.PostForm.Get("tenant")+" "+r.PostForm.Get("resource"))
		}
	}}, func(cfg *config.Provider, _ *fakeidp.IdP) {
		cfg.Refresh.SendScopes, cfg.Refresh.Params = true, map[string]string{"tenant": "b", "grant_type": "password"}
		cfg.TokenParams, cfg.SendResource = map[string]string{"tenant": "a", "code": "other"}, true
	})
	tokens, _ := l.login()
	if _, err := l.Refresh(t.Context(), tokens); err != nil {
		t.Fatal(err)
	}
	want := []string{"authorization_code  a https://api.example", "refresh_token openid b "}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Error(diff)
	}
}

func TestRefreshWithoutARefreshTokenIsOver(t *testing.T) {
	l := newLab(t, fakeidp.Options{}, nil)
	if _, err := l.Refresh(t.Context(), Tokens{AccessToken: "a"}); !errors.Is(err, fault.TokenRefreshFailed) || l.idp.Requests()["token"] != 0 {
		t.Error(err)
	}
}

func TestRefreshAhead(t *testing.T) {
	p := &Provider{cfg: &config.Provider{Refresh: config.ProviderRefresh{Buffer: config.Duration(5 * time.Minute)}}}
	now := time.Now()
	for life, want := range map[time.Duration]time.Duration{
		time.Hour: 5 * time.Minute, 20 * time.Minute: 5 * time.Minute, 5 * time.Minute: 75 * time.Second, 10 * time.Second: 2500 * time.Millisecond, -time.Second: 0,
	} {
		if got := p.RefreshAhead(Tokens{Obtained: now, Expires: now.Add(life)}); got != want {
			t.Errorf("%v: %v, want %v", life, got, want)
		}
	}
	if got := p.RefreshAhead(Tokens{Obtained: now}); got != 0 {
		t.Errorf("an end that is not known: %v", got)
	}
}

func TestRevoke(t *testing.T) {
	var hints []string
	l := newLab(t, fakeidp.Options{OnRequest: func(endpoint string, r *http.Request) {
		if endpoint == "revoke" && r.ParseForm() == nil {
			hints = append(hints, r.PostForm.Get("token_type_hint"))
		}
	}}, nil)
	tokens, _ := l.login()
	l.idp.Fail("revoke", fakeidp.Failure{Times: 1, Status: 400, ContentType: "application/json", Body: `{"error":"unsupported_token_type"}`})
	if err := l.Revoke(t.Context(), tokens); err != nil {
		t.Error(err)
	}
	if err := l.Revoke(t.Context(), Tokens{}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"refresh_token", "access_token"}, hints); diff != "" {
		t.Error(diff)
	}
	if l.call(tokens) != http.StatusUnauthorized {
		t.Error("the access token still works")
	}
	for want, failure := range map[fault.Code]fakeidp.Failure{
		fault.Unavailable: fakeidp.Status(503, "2"), fault.CredentialsInvalid: {Status: 401, ContentType: "text/html", Body: "<html>"},
	} {
		l.idp.Mend()
		l.idp.Fail("revoke", failure)
		if err := l.Revoke(t.Context(), tokens); fault.CodeOf(err) != want {
			t.Errorf("%v: %v", want, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Revoke(ctx, tokens); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
