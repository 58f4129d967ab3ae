package tokenstore_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/seal"
)

// aLogin is about as large as a grant with two JWTs of a provider.
var aLogin = login{Who: "anne@example.com", Token: strings.Repeat("eyJhbGciOiJSUzI1NiJ9.", 100), Kept: map[string]string{"instance_url": "https://a.example"}}

func stores(b *testing.B, run func(*testing.B, tokenstore.Store)) {
	b.Run("memory", func(b *testing.B) { run(b, tokenstore.NewMemory(nil)) })
	b.Run("file", func(b *testing.B) { run(b, openFile(b, b.TempDir(), nil)) })
	b.Run("redis", func(b *testing.B) {
		server := startRedis(b, "")
		run(b, openRedis(b, config.Store{URL: config.NewSecret(server.url()), Prefix: "m"}))
	})
}

func BenchmarkGet(b *testing.B) {
	stores(b, func(b *testing.B, store tokenstore.Store) {
		if _, err := store.Swap(b.Context(), "grant/a", 0, make([]byte, 2200), time.Hour); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := store.Get(b.Context(), "grant/a"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSwap(b *testing.B) {
	stores(b, func(b *testing.B, store tokenstore.Store) {
		value := make([]byte, 2200)
		version := uint64(0)
		for b.Loop() {
			var err error
			if version, err = store.Swap(b.Context(), "grant/a", version, value, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTable is what JSON and sealing cost besides the store, which is in memory here.
func BenchmarkTable(b *testing.B) {
	table := tokenstore.NewTable[login](tokenstore.NewMemory(nil), seal.NewRing(oldKey), "grant")
	if err := table.Put(b.Context(), "a", aLogin, time.Hour); err != nil {
		b.Fatal(err)
	}
	b.Run("Get", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := table.Get(b.Context(), "a"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Put", func(b *testing.B) {
		for b.Loop() {
			if err := table.Put(b.Context(), "a", aLogin, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkMemoryOfGrants reports the bytes that 10,000 of them take in the memory store.
func BenchmarkMemoryOfGrants(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		store := tokenstore.NewMemory(nil)
		table := tokenstore.NewTable[login](store, seal.NewRing(oldKey), "grant")
		for i := range 10_000 {
			if err := table.Create(b.Context(), fmt.Sprintf("%064d", i), aLogin, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/10_000, "bytes/grant")
		runtime.KeepAlive(store)
	}
}
