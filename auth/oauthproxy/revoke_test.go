package oauthproxy

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mcpgate/internal/fault"
)

func revokeForm(token string) url.Values {
	return url.Values{"client_id": {"claude"}, "token": {token}}
}

// drain waits for what is told to the provider in the background.
func (l *lab) drain() {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, s := range l.servers {
		if err := s.parts.Grants.Close(ctx); err != nil {
			l.t.Error(err)
		}
	}
}

// TestRevoke // RFC 7009: whichever token of a login is revoked, all of it ends, here and at the provider.
func TestRevoke(t *testing.T) {
	for name, pick := range map[string]func(first, last answered) string{
		"the access token":             func(_, last answered) string { return last.AccessToken },
		"an earlier access token":      func(first, _ answered) string { return first.AccessToken },
		"the refresh token":            func(_, last answered) string { return last.RefreshToken },
		"a refresh token of the past":  func(first, _ answered) string { return first.RefreshToken },
		"with a hint that is not true": func(_, last answered) string { return last.RefreshToken },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, labSettings{servers: 2})
			first := l.login(nil)
			last := l.ask(0, refreshForm(l.ask(0, refreshForm(first.RefreshToken)).RefreshToken))
			other := l.login(nil)
			form := revokeForm(pick(first, last))
			form.Set("token_type_hint", "access_token")
			if w := l.post(1, "/revoke", form); w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
			}
			l.stands(last.AccessToken, false)
			for _, token := range []string{first.AccessToken, last.AccessToken} {
				if _, err := l.servers[1].Verify(t.Context(), token); !errors.Is(err, fault.TokenInvalid) {
					t.Errorf("an access token still holds: %v", err)
				}
			}
			l.refused(l.ask(1, refreshForm(last.RefreshToken)), http.StatusBadRequest, "invalid_grant")
			l.stands(other.AccessToken, true) // the same person's other login
			if w := l.post(1, "/revoke", form); w.Code != http.StatusOK {
				t.Errorf("again: %d", w.Code)
			}
			l.drain()
			if n := l.idp.revoked.Load(); n != 1 {
				t.Errorf("told the provider %d times", n)
			}
			if !strings.Contains(l.log.String(), "event=token.revoked") || !strings.Contains(l.log.String(), "reason=client") {
				t.Error("the audit log does not tell")
			}
		})
	}
}

// TestRevokeOfWhatIsNone answers 200 (RFC 7009 section 2.2) and ends nothing.
func TestRevokeOfWhatIsNone(t *testing.T) {
	l := newLab(t, labSettings{})
	login := l.login(nil)
	forged, err := newTestKeys(t, newerKey).newRefreshToken(l.sessionOf(login.AccessToken))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"a word": "x", "a code": l.newCode(nil), "made up around the session": forged, "altered": login.AccessToken[:len(login.AccessToken)-40],
		"the session's id": l.sessionOf(login.AccessToken),
	} {
		if w := l.post(0, "/revoke", revokeForm(token)); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	l.stands(login.AccessToken, true)
	// Another client's: refused, and told so (section 2.1).
	for _, token := range []string{login.AccessToken, login.RefreshToken} {
		if w := l.post(0, "/revoke", with(revokeForm(token), "client_id", "cursor")); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"invalid_grant"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	l.stands(login.AccessToken, true)
	l.advance(2 * time.Hour) // an access token that is over is none either
	if w := l.post(0, "/revoke", revokeForm(login.AccessToken)); w.Code != http.StatusOK {
		t.Error(w.Code)
	}
	l.stands(login.AccessToken, true)
}
