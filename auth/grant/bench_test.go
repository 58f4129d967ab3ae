package grant

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"mcpgate/auth/provider"
)

// jwt is about as long as a Keycloak access token.
var jwt = strings.Repeat("eyJhbGciOiJSUzI1NiIsInR5cCIgOiAiSldUIiwia2lkIiA6", 25)

func people(b *testing.B, k *Keeper, n int) []Key {
	b.Helper()
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = Key{Owner: fmt.Sprintf("person-%d", i), Provider: "idp"}
		now := time.Now()
		tokens := provider.Tokens{
			AccessToken: fmt.Sprint(jwt, i), RefreshToken: fmt.Sprint(jwt[:600], i), Obtained: now, Expires: now.Add(time.Hour),
			Kept: map[string]string{"instance_url": "https://acme.example"},
		}
		who := provider.Identity{Issuer: "https://idp.example", Subject: fmt.Sprint(i), Claims: map[string]any{"email": "a@b.example", "roles": []any{"x", "y"}}}
		if err := k.Keep(b.Context(), keys[i], who, tokens, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
	return keys
}

func BenchmarkTokens(b *testing.B) {
	for name, size := range map[string]int{"cached": 1000, "not cached": 0} {
		b.Run(name, func(b *testing.B) {
			h := newHouse(b, time.Hour)
			k := New(h.store, h.ring, map[string]Refresher{"idp": h.idp}, Options{CacheSize: size})
			keys := people(b, k, 1000)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := k.Tokens(b.Context(), keys[i%len(keys)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLogins is 64 people who log in at once.
func BenchmarkLogins(b *testing.B) {
	h := newHouse(b, time.Hour)
	k := New(h.store, h.ring, map[string]Refresher{"idp": h.idp}, Options{CacheSize: 10_000})
	b.ReportAllocs()
	b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			key := Key{Owner: fmt.Sprint("person-", time.Now().UnixNano()), Provider: "idp"}
			if err := k.Keep(b.Context(), key, provider.Identity{}, provider.Tokens{AccessToken: jwt, RefreshToken: jwt[:600]}, time.Minute); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkMemory reports the memory of 10,000 grants in the cache, besides the store's.
func BenchmarkMemory(b *testing.B) {
	h := newHouse(b, time.Hour)
	keys := people(b, New(h.store, h.ring, map[string]Refresher{"idp": h.idp}, Options{}), 10_000)
	for b.Loop() {
		k := New(h.store, h.ring, map[string]Refresher{"idp": h.idp}, Options{CacheSize: len(keys)})
		before := heap()
		for _, key := range keys {
			if _, err := k.Tokens(b.Context(), key); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heap()-before)/float64(len(keys)), "B/grant")
		runtime.KeepAlive(k)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
