package oauthproxy

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

func TestACodeBecomesALogin(t *testing.T) {
	l := newLab(t, labSettings{servers: 2})
	got := l.login(nil)
	if got.TokenType != "Bearer" || got.ExpiresIn != 3600 || got.Scope != "read write" || len(got.RefreshToken) != 86 {
		t.Errorf("%s %d %q", got.TokenType, got.ExpiresIn, got.Scope)
	}
	for i, s := range l.servers { // minted by one, good at the other
		who, err := s.Verify(t.Context(), got.AccessToken)
		if err != nil {
			t.Fatal(i, err)
		}
		want := &auth.Principal{Subject: who.Subject, Issuer: "https://gw.example", ClientID: "claude", Scopes: []string{"read", "write"},
			Claims: map[string]any{"email": "anne@example.com", "name": "Anne"}, Login: l.sessionOf(got.AccessToken)}
		if diff := cmp.Diff(want, who); diff != "" {
			t.Error(i, diff)
		}
		tokens, err := s.parts.Grants.Tokens(t.Context(), grant.Key{Owner: who.Login, Provider: "idp"})
		if err != nil || tokens.AccessToken != "upstream-access" {
			t.Errorf("server %d finds no upstream tokens: %v", i, err)
		}
	}
	if l.events("token.issued") != 1 {
		t.Error(l.log)
	}
}

// TestSubjects: one person is the same at each login, with each client and each key; two are not, nor the same id at two providers. It says nothing of who it is.
func TestSubjects(t *testing.T) {
	l := newLab(t, labSettings{})
	subject := func(server int, change func(*code)) string {
		t.Helper()
		got := l.ask(server, codeForm(l.newCode(change)))
		who, err := l.servers[server].Verify(t.Context(), got.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		return who.Subject
	}
	first := subject(0, nil)
	if len(first) != 32 || strings.Contains(first, "anne") {
		t.Errorf("%q", first)
	}
	if subject(0, nil) != first {
		t.Error("another login, another person")
	}
	l.add(newerKey+","+testKey, nil)
	if subject(1, nil) != first {
		t.Error("another key, another person")
	}
	// That server sealed the key anew: without the old one people still are who they were.
	l.add(newerKey, nil)
	shown := randomText(32)
	login, _, err := l.servers[0].codes.Get(t.Context(), digest(l.newCode(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.servers[2].codes.Create(t.Context(), digest(shown), login, time.Minute); err != nil {
		t.Fatal(err)
	}
	got := l.ask(2, codeForm(shown))
	if who, err := l.servers[2].Verify(t.Context(), got.AccessToken); err != nil || who.Subject != first {
		t.Errorf("%v %v", who, err)
	}
	if subject(0, func(c *code) { c.Identity.Subject = "ben" }) == first || subject(0, func(c *code) { c.Identity.Issuer += "2" }) == first {
		t.Error("another person is the same")
	}
}

func TestPKCE(t *testing.T) {
	if !answersChallenge(testVerifier, testChallenge) { // RFC 7636 appendix B
		t.Error("the RFC's own pair")
	}
	for _, challenge := range []string{"", testVerifier, testChallenge + "=", strings.ToLower(testChallenge), testChallenge[:42]} {
		if answersChallenge(testVerifier, challenge) {
			t.Errorf("%q is answered", challenge)
		}
	}
	for verifier, want := range map[string]bool{
		testVerifier: true, strings.Repeat("a", 43): true, strings.Repeat("~", 128): true, strings.Repeat("a", 42): false, strings.Repeat("a", 129): false,
		"": false, strings.Repeat("a", 42) + "+": false, strings.Repeat("a", 42) + "/": false, strings.Repeat("a", 42) + "=": false,
		strings.Repeat("a", 42) + " ": false, strings.Repeat("a", 42) + "ä": false, strings.Repeat("a", 43) + "\x00": false,
	} {
		if isVerifier(verifier) != want {
			t.Errorf("%q: %v", verifier, !want)
		}
	}
}

func TestRedemptionsThatAreRefused(t *testing.T) {
	l := newLab(t, labSettings{})
	for _, test := range []struct {
		name, parameter, value string
		code                   string
	}{
		{"by another client", "client_id", "cursor", "invalid_grant"},
		{"for another redirect URI", "redirect_uri", testRedirect + "/", "invalid_grant"},
		{"without a verifier", "code_verifier", "", "invalid_request"},
		{"with a short verifier", "code_verifier", testVerifier[1:], "invalid_request"},
		{"with a long verifier", "code_verifier", strings.Repeat(testVerifier, 3), "invalid_request"},
		{"with another verifier", "code_verifier", strings.Replace(testVerifier, "d", "e", 1), "invalid_grant"},
		{"with the challenge as its verifier", "code_verifier", testChallenge, "invalid_grant"},
		{"for another resource", "resource", "https://gw.example/other", "invalid_target"},
		{"for another gateway", "resource", "https://other.example/mcp", "invalid_target"},
	} {
		t.Run(test.name, func(t *testing.T) {
			shown := l.newCode(nil)
			l.refused(l.ask(0, with(codeForm(shown), test.parameter, test.value)), http.StatusBadRequest, test.code)
			// Whoever tried that has not kept the owner from it.
			if got := l.ask(0, codeForm(shown)); got.status != http.StatusOK {
				t.Errorf("the owner is refused: %s %s", got.Error, got.Description)
			}
		})
	}
	if got := l.ask(0, with(with(codeForm(l.newCode(nil)), "redirect_uri", ""), "resource", "")); got.status != http.StatusOK {
		t.Errorf("without redirect_uri and resource: %s", got.Error)
	}
}

func TestACodeEnds(t *testing.T) {
	l := newLab(t, labSettings{})
	shown := l.newCode(nil)
	l.advance(time.Minute)
	l.refused(l.ask(0, codeForm(shown)), http.StatusBadRequest, "invalid_grant")
}

// TestACodeIsRedeemedOnce // RFC 6749 section 4.1.2: the second use ends what the first one got, everywhere.
func TestACodeIsRedeemedOnce(t *testing.T) {
	l := newLab(t, labSettings{servers: 2})
	shown := l.newCode(nil)
	first := l.ask(0, codeForm(shown))
	if _, err := l.servers[0].Verify(t.Context(), first.AccessToken); err != nil {
		t.Fatal(err)
	}
	l.refused(l.ask(1, codeForm(shown)), http.StatusBadRequest, "invalid_grant")
	if _, err := l.servers[1].Verify(t.Context(), first.AccessToken); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("where it was replayed the token still holds: %v", err)
	}
	l.advance(standingFor)
	if _, err := l.servers[0].Verify(t.Context(), first.AccessToken); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("elsewhere the token still holds after 5 s: %v", err)
	}
	l.refused(l.ask(0, refreshForm(first.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	key := grant.Key{Owner: l.sessionOf(first.AccessToken), Provider: "idp"}
	if _, err := l.servers[1].parts.Grants.Tokens(t.Context(), key); !errors.Is(err, fault.LoginRequired) {
		t.Errorf("the upstream tokens are still there: %v", err)
	}
	if !strings.Contains(l.log.String(), "reason=code.replayed") {
		t.Error("the audit log does not tell")
	}
	l.refused(l.ask(0, codeForm(shown)), http.StatusBadRequest, "invalid_grant") // and a third time
}

// TestACodeThatManyRedeem: one of 64 at once gets tokens at most, and as the others replayed the code, they are worth nothing afterwards.
func TestACodeThatManyRedeem(t *testing.T) {
	l := newLab(t, labSettings{servers: 3})
	shown := l.newCode(nil)
	var wait sync.WaitGroup
	answers := make([]answered, 64)
	for i := range answers {
		wait.Go(func() { answers[i] = l.ask(i%3, codeForm(shown)) })
	}
	wait.Wait()
	issued := 0
	for _, got := range answers {
		if got.status == http.StatusOK {
			issued++
			l.advance(standingFor)
			if _, err := l.servers[0].Verify(t.Context(), got.AccessToken); !errors.Is(err, fault.TokenInvalid) {
				t.Errorf("the token of a replayed code: %v", err)
			}
		} else {
			l.refused(got, http.StatusBadRequest, "invalid_grant")
		}
	}
	if issued > 1 {
		t.Errorf("%d logins of one code", issued)
	}
	for key, err := range l.store.Keys(t.Context(), "session") {
		t.Errorf("a session is left: %s %v", key, err)
	}
}

// TestACodeReplayedMeanwhile: the second use comes when the code is spent and the session not yet there.
func TestACodeReplayedMeanwhile(t *testing.T) {
	l := newLab(t, labSettings{servers: 2})
	shown := l.newCode(nil)
	l.store.interrupt("session/", func() error {
		l.refused(l.ask(1, codeForm(shown)), http.StatusBadRequest, "invalid_grant")
		return nil
	})
	l.refused(l.ask(0, codeForm(shown)), http.StatusBadRequest, "invalid_grant")
	for key, err := range l.store.Keys(t.Context(), "session") {
		t.Errorf("a session is left: %s %v", key, err)
	}
}

// TestAFailureInTheMiddleLeavesNoLogin: whatever write fails, the client is told to come again, and nothing is left that anybody could use.
func TestAFailureInTheMiddleLeavesNoLogin(t *testing.T) {
	for _, table := range []string{"secret/", "code/", "grant/", "session/"} {
		t.Run(table, func(t *testing.T) {
			l := newLab(t, labSettings{})
			shown := l.newCode(nil)
			l.store.interrupt(table, func() error { return errDown })
			l.refused(l.ask(0, codeForm(shown)), http.StatusServiceUnavailable, "temporarily_unavailable")
			for _, left := range []string{"session", "grant"} {
				for key, err := range l.store.Keys(t.Context(), left) {
					t.Errorf("%s is left: %v", key, err)
				}
			}
		})
	}
}

// TestHowLongALoginHolds: tokens never outlive what the provider gave.
func TestHowLongALoginHolds(t *testing.T) {
	upstream := func(refresh string, life time.Duration) func(*lab) func(*code) {
		return func(l *lab) func(*code) {
			return func(c *code) {
				c.Tokens.RefreshToken, c.Tokens.Expires = refresh, time.Time{}
				if life != 0 {
					c.Tokens.Expires = l.clock().Add(life)
				}
			}
		}
	}
	for _, test := range []struct {
		name      string
		login     func(*lab) func(*code)
		config    func(*config.Config)
		expiresIn int64
		refresh   bool
	}{
		{"it can be renewed", upstream("r", 5*time.Minute), nil, 3600, true},
		{"it never ends", upstream("", 0), nil, 3600, true},
		{"it ends soon and can't be renewed", upstream("", 5*time.Minute), nil, 300, false},
		{"it ends late and can't be renewed", upstream("", 5*time.Hour), nil, 3600, false},
		{"gateway.yaml says less", upstream("r", 5*time.Hour), func(c *config.Config) { c.Auth.OAuth.AccessTokenTTL = config.Duration(time.Minute) }, 60, true},
		{"the login ends first", upstream("r", 5*time.Hour), func(c *config.Config) { c.Auth.OAuth.SessionTTL = config.Duration(10 * time.Minute) }, 600, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, labSettings{config: test.config})
			got := l.login(test.login(l))
			if got.ExpiresIn != test.expiresIn || (got.RefreshToken != "") != test.refresh {
				t.Errorf("expires_in %d, refresh token %v", got.ExpiresIn, got.RefreshToken != "")
			}
			l.advance(time.Duration(test.expiresIn)*time.Second + leeway)
			if _, err := l.servers[0].Verify(t.Context(), got.AccessToken); !errors.Is(err, fault.Token) {
				t.Errorf("it holds on: %v", err)
			}
			_, _, err := l.servers[0].sessions.Get(t.Context(), l.sessionOf(got.AccessToken))
			if gone := errors.Is(err, tokenstore.ErrNotFound); gone != (!test.refresh || test.name == "the login ends first") {
				t.Errorf("the session's record: %v", err)
			}
		})
	}
	l := newLab(t, labSettings{})
	l.refused(l.ask(0, codeForm(l.newCode(upstream("", -time.Second)(l)))), http.StatusBadRequest, "invalid_grant")
}

// TestAClientThatWantsNoRefreshTokenGetsNone // RFC 7591 section 2: grant_types.
func TestAClientThatWantsNoRefreshTokenGetsNone(t *testing.T) {
	l := newLab(t, labSettings{})
	known := l.servers[0].directory.known["claude"]
	known.GrantTypes = []string{grantCode}
	if got := l.login(nil); got.RefreshToken != "" || got.AccessToken == "" {
		t.Error("a refresh token nobody asked for")
	}
}
