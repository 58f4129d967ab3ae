package oauthproxy

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

// stands holds whether a login does: by its refresh token's session, and by the upstream tokens.
func (l *lab) stands(access string, want bool) {
	l.t.Helper()
	id := l.sessionOf(access)
	_, _, err := l.servers[0].sessions.Get(l.t.Context(), id)
	if (err == nil) != want {
		l.t.Errorf("the session: %v", err)
	}
	err = l.servers[0].parts.Grants.Extend(l.t.Context(), grant.Key{Owner: id, Provider: "idp"}, 30*24*time.Hour)
	if (err == nil) != want || err != nil && !errors.Is(err, fault.LoginRequired) {
		l.t.Errorf("the upstream tokens: %v", err)
	}
}

func TestARefreshTokenRotates(t *testing.T) {
	l := newLab(t, labSettings{servers: 2})
	last := l.login(nil)
	seen := map[string]bool{last.RefreshToken: true, last.AccessToken: true}
	for i := range 5 {
		l.advance(time.Minute)
		next := l.ask(i%2, refreshForm(last.RefreshToken))
		if next.status != http.StatusOK || next.TokenType != "Bearer" || next.ExpiresIn != 3600 || next.Scope != "read write" {
			t.Fatalf("%d %s %s %d %q", next.status, next.Error, next.TokenType, next.ExpiresIn, next.Scope)
		}
		if seen[next.RefreshToken] || seen[next.AccessToken] {
			t.Error("a token was given out twice")
		}
		seen[next.RefreshToken], seen[next.AccessToken] = true, true
		for _, token := range []string{last.AccessToken, next.AccessToken} { // the older one holds to its end
			if _, err := l.servers[1].Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		}
		last = next
	}
	if l.events("token.refreshed") != 5 {
		t.Error(l.log)
	}
}

// TestGrace: who asks again with the token that was just replaced gets the same answer, until its successor is used or the time is over; from then on it is reuse.
func TestGrace(t *testing.T) {
	for _, test := range []struct {
		name     string
		grace    time.Duration
		later    time.Duration
		usedNext bool
		again    bool
	}{
		{"at once", 30 * time.Second, 0, false, true},
		{"just in time", 30 * time.Second, 30 * time.Second, false, true},
		{"too late", 30 * time.Second, 31 * time.Second, false, false},
		{"after its successor was used", 30 * time.Second, 0, true, false},
		{"without a grace", 0, time.Second, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, labSettings{servers: 2, config: func(c *config.Config) { c.Auth.OAuth.RefreshGrace = config.Duration(test.grace) }})
			first := l.login(nil)
			second := l.post(0, "/token", refreshForm(first.RefreshToken))
			latest := first
			if test.usedNext {
				latest = l.ask(1, refreshForm(tokenIn(t, second.Body.Bytes())))
			}
			l.advance(test.later)
			got := l.post(1, "/token", refreshForm(first.RefreshToken))
			if test.again {
				if got.Code != http.StatusOK || !bytes.Equal(got.Body.Bytes(), second.Body.Bytes()) {
					t.Errorf("%d %s", got.Code, got.Body)
				}
				l.stands(first.AccessToken, true)
				return
			}
			if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `"invalid_grant"`) {
				t.Errorf("%d %s", got.Code, got.Body)
			}
			l.stands(first.AccessToken, false)
			if _, err := l.servers[1].Verify(t.Context(), latest.AccessToken); !errors.Is(err, fault.TokenInvalid) {
				t.Errorf("the access token: %v", err)
			}
			l.refused(l.ask(0, refreshForm(tokenIn(t, second.Body.Bytes()))), http.StatusBadRequest, "invalid_grant")
			if l.events("token.reuse_detected") != 1 || l.events("token.revoked") != 1 {
				t.Errorf("the audit log: %s", l.log)
			}
		})
	}
}

// TestAnOldRefreshTokenEndsTheLogin, of any generation; one that was made up around a session's id does not, or anybody who saw an access token could log people out.
func TestAnOldRefreshTokenEndsTheLogin(t *testing.T) {
	l := newLab(t, labSettings{})
	first := l.login(nil)
	last := first
	for range 4 {
		last = l.ask(0, refreshForm(last.RefreshToken))
	}
	forged, err := newTestKeys(t, "the key of an attacker of 32 bytes").newRefreshToken(l.sessionOf(first.AccessToken))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := text.DecodeString(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	raw[20] ^= 1
	for _, token := range []string{forged, text.EncodeToString(raw), first.RefreshToken[:85], first.RefreshToken + "A", first.RefreshToken[:85] + "_", first.AccessToken} {
		l.refused(l.ask(0, refreshForm(token)), http.StatusBadRequest, "invalid_grant")
	}
	l.stands(first.AccessToken, true)
	l.refused(l.ask(0, refreshForm(first.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	l.stands(first.AccessToken, false)
}

// TestARefreshTokenIsItsClients: another client gets nothing with it, whether it is the last one or the one before, and does the owner no harm.
func TestARefreshTokenIsItsClients(t *testing.T) {
	l := newLab(t, labSettings{})
	first := l.login(nil)
	second := l.ask(0, refreshForm(first.RefreshToken))
	for _, token := range []string{first.RefreshToken, second.RefreshToken} {
		l.refused(l.ask(0, with(refreshForm(token), "client_id", "cursor")), http.StatusBadRequest, "invalid_grant")
	}
	l.stands(first.AccessToken, true)
	l.refused(l.ask(0, with(refreshForm(second.RefreshToken), "resource", "https://other.example/mcp")), http.StatusBadRequest, "invalid_target")
	if got := l.ask(0, with(refreshForm(second.RefreshToken), "resource", "https://gw.example/mcp")); got.status != http.StatusOK {
		t.Error(got.Error)
	}
}

func TestScopesOfARefresh(t *testing.T) {
	l := newLab(t, labSettings{})
	first := l.login(nil)
	for _, scope := range []string{"admin", "read admin", "READ"} {
		l.refused(l.ask(0, with(refreshForm(first.RefreshToken), "scope", scope)), http.StatusBadRequest, "invalid_scope")
	}
	narrow := l.ask(0, with(refreshForm(first.RefreshToken), "scope", "read"))
	who, err := l.servers[0].Verify(t.Context(), narrow.AccessToken)
	if err != nil || narrow.Scope != "read" || strings.Join(who.Scopes, " ") != "read" {
		t.Fatalf("%q %v %v", narrow.Scope, who, err)
	}
	// In the grace: the same request has an answer, another one has none and proves nothing.
	if got := l.ask(0, with(refreshForm(first.RefreshToken), "scope", "read read")); got.AccessToken != narrow.AccessToken {
		t.Errorf("the same again: %d %s", got.status, got.Error)
	}
	l.refused(l.ask(0, refreshForm(first.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	l.stands(first.AccessToken, true)
	// The refresh token kept them all (RFC 6749 section 6).
	if wide := l.ask(0, with(refreshForm(narrow.RefreshToken), "scope", "write read")); wide.Scope != "read write" {
		t.Errorf("%d %s %q", wide.status, wide.Error, wide.Scope)
	}
}

// TestFiftyRefreshAtOnce on three servers: one rotation, one answer.
func TestFiftyRefreshAtOnce(t *testing.T) {
	for name, files := range map[string]bool{"in memory": false, "in a folder": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, labSettings{servers: 3, files: files})
			first := l.login(nil)
			answers := make([]answered, 50)
			start := make(chan struct{})
			var wait sync.WaitGroup
			for i := range answers {
				wait.Go(func() {
					<-start
					answers[i] = l.ask(i%3, refreshForm(first.RefreshToken))
				})
			}
			close(start)
			wait.Wait()
			for i, got := range answers {
				if got.status != http.StatusOK || got.tokenAnswer != answers[0].tokenAnswer {
					t.Fatalf("%d: %d %s, not what the first one got", i, got.status, got.Error)
				}
			}
			if n := l.events("token.refreshed"); n != 1 {
				t.Errorf("%d rotations", n)
			}
			if got := l.ask(0, refreshForm(answers[0].RefreshToken)); got.status != http.StatusOK {
				t.Errorf("the successor: %s", got.Error)
			}
		})
	}
}

// TestTheLoserOfARace finds the winner's answer: the other server rotates between the look and the write.
func TestTheLoserOfARace(t *testing.T) {
	l := newLab(t, labSettings{servers: 2})
	first := l.login(nil)
	var winner answered
	l.store.interrupt("session/", func() error {
		winner = l.ask(1, refreshForm(first.RefreshToken))
		return nil
	})
	loser := l.ask(0, refreshForm(first.RefreshToken))
	if loser.status != http.StatusOK || loser.tokenAnswer != winner.tokenAnswer {
		t.Errorf("%d %s", loser.status, loser.Error)
	}
	if n := l.events("token.refreshed"); n != 1 {
		t.Errorf("%d rotations", n)
	}
}

// TestALoginThatEndsMeanwhile does not come back by a refresh that was under way.
func TestALoginThatEndsMeanwhile(t *testing.T) {
	l := newLab(t, labSettings{})
	first := l.login(nil)
	l.store.interrupt("session/", func() error {
		return l.servers[0].tokens.logins.end(t.Context(), l.sessionOf(first.AccessToken), "idp", "test")
	})
	l.refused(l.ask(0, refreshForm(first.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	l.stands(first.AccessToken, false)
}

// TestAWriteThatFails costs no token: neither the old one, nor a place in the row.
func TestAWriteThatFails(t *testing.T) {
	for _, table := range []string{"grant/", "session/"} {
		l := newLab(t, labSettings{})
		first := l.login(nil)
		l.store.interrupt(table, func() error { return errDown })
		l.refused(l.ask(0, refreshForm(first.RefreshToken)), http.StatusServiceUnavailable, "temporarily_unavailable")
		l.advance(time.Hour)
		if got := l.ask(0, refreshForm(first.RefreshToken)); got.status != http.StatusOK {
			t.Errorf("%s: %s", table, got.Error)
		}
	}
}

// TestALoginIsKeptWhileItIsUsed, its upstream tokens too, and no longer than session_ttl.
func TestALoginIsKeptWhileItIsUsed(t *testing.T) {
	l := newLab(t, labSettings{})
	last := l.login(func(c *code) { c.Tokens.Expires = time.Time{} })
	const idle = 29 * 24 * time.Hour
	for range 12 {
		l.advance(idle)
		if last = l.ask(0, refreshForm(last.RefreshToken)); last.status != http.StatusOK {
			t.Fatalf("after %s: %s", l.clock(), last.Error)
		}
		l.stands(last.AccessToken, true)
	}
	l.advance(idle) // 377 days
	l.refused(l.ask(0, refreshForm(last.RefreshToken)), http.StatusBadRequest, "invalid_grant")

	last = l.login(nil)
	l.advance(30*24*time.Hour + time.Minute)
	l.refused(l.ask(0, refreshForm(last.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	for _, table := range []string{"session", "grant", "code"} {
		for key := range l.store.Keys(t.Context(), table) {
			t.Errorf("%s is left", key)
		}
	}
}

// TestADeadUpstreamGrant: our token would be worth nothing, so the client logs in anew. A provider that is down is no reason.
func TestADeadUpstreamGrant(t *testing.T) {
	l := newLab(t, labSettings{})
	last := l.login(nil)
	owned := grant.Key{Owner: l.sessionOf(last.AccessToken), Provider: "idp"}
	l.advance(10 * time.Minute) // the upstream token is over
	l.idp.fails = fault.New(fault.Unavailable, "the provider is down", nil)
	if _, err := l.servers[0].parts.Grants.Tokens(t.Context(), owned); !errors.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	if last = l.ask(0, refreshForm(last.RefreshToken)); last.status != http.StatusOK {
		t.Fatalf("a provider that is down: %s", last.Error)
	}
	l.advance(10 * time.Minute)
	l.idp.fails = fault.New(fault.TokenRefreshFailed, "the provider ended it", nil)
	if _, err := l.servers[0].parts.Grants.Tokens(t.Context(), owned); !errors.Is(err, fault.LoginRequired) {
		t.Fatal(err)
	}
	l.refused(l.ask(0, refreshForm(last.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	if _, err := l.servers[0].Verify(t.Context(), last.AccessToken); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("the session stands: %v", err)
	}
}

// FuzzRefreshToken: no text but one that was given out ends or renews a login.
func FuzzRefreshToken(f *testing.F) {
	k := newTestKeys(f, testKey)
	body := bytes.Repeat([]byte{7}, sessionBytes+secretBytes) // the same in every process that fuzzes
	session, token := text.EncodeToString(body[:sessionBytes]), text.EncodeToString(append(body, mark(k.marks[0], body)...))
	f.Add(token)
	f.Add(token[:85] + "_")
	f.Add("")
	f.Add(token + "\n")
	f.Fuzz(func(t *testing.T, shown string) {
		read, ok := k.readRefreshToken(shown)
		if shown == token && (!ok || !read.ours || read.session != session) {
			t.Errorf("its own token: %+v", read)
		}
		if shown != token && ok && read.ours {
			t.Errorf("%q is taken for ours", shown)
		}
	})
}
