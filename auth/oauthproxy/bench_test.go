package oauthproxy

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkVerify is what a call's token costs: known, with its login to look up, and seen for the first time. The signature is most of it.
func BenchmarkVerify(b *testing.B) {
	l := newLab(b, labSettings{})
	token := l.login(nil).AccessToken
	s, id := l.servers[0], l.sessionOf(token)
	for _, test := range []struct {
		name   string
		forget func()
	}{
		{"cached", func() {}},
		{"login not cached", func() { s.tokens.logins.cache.drop(id) }},
		{"signature not cached", func() { s.tokens.verified.tokens.remove(sha256.Sum256([]byte(token))) }},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				test.forget()
				if _, err := s.Verify(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLogins64 is 64 codes that are redeemed at once, on memory.
func BenchmarkLogins64(b *testing.B) {
	l := newLab(b, labSettings{})
	for b.Loop() {
		b.StopTimer()
		codes := make([]string, 64)
		for i := range codes {
			codes[i] = l.newCode(nil)
		}
		b.StartTimer()
		var wait sync.WaitGroup
		for _, shown := range codes {
			wait.Go(func() {
				if got := l.ask(0, codeForm(shown)); got.status != http.StatusOK {
					b.Error(got.Error)
				}
			})
		}
		wait.Wait()
	}
}

// BenchmarkSessions10000 reports what 10,000 logins take in memory: in the store with their upstream tokens, and of it in the cache of who stands.
func BenchmarkSessions10000(b *testing.B) {
	const n = 10_000
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		l := newLab(b, labSettings{})
		tokens := make([]string, n)
		for i := range tokens {
			tokens[i] = strings.Repeat("z", 700) // so that ours are not counted
		}
		before := heap()
		for i := range n {
			got := l.login(func(c *code) {
				c.Identity.Subject = fmt.Sprint("person-", i)
				c.Tokens.AccessToken = strings.Repeat("x", 1200) // a JWT, as Keycloak's
				c.Tokens.RefreshToken = strings.Repeat("y", 800)
			})
			tokens[i] = got.AccessToken
		}
		l.advance(3 * time.Minute) // the codes' tombstones are over
		l.log.text.Reset()
		l.login(nil)
		stored := heap()
		for _, token := range tokens {
			if _, err := l.servers[0].Verify(context.Background(), token); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(stored-before)/n, "B/session")
		b.ReportMetric(float64(heap()-stored)/n, "B/cached")
		runtime.KeepAlive(tokens)
	}
}
