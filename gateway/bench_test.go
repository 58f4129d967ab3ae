package gateway

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// benchGateway is a gateway whose upstream answers over loopback with a body of the given size, and that upstream's URL.
func benchGateway(b *testing.B, size int) (*Gateway, string) {
	body := `{"items":[` + strings.Repeat(`{"id":1,"name":"a thing"},`, max(size/26, 1)) + `{"id":2}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	cfg := loadConfig(b, `
upstreams:
  up:
    base_url: `+server.URL+`
    credential: {type: bearer, token: a-token-of-some-length}
    limits: {concurrency: 100, rate: 1000000/s}
    tools: {read: {request: "GET /things/{id}", description: Reads., arguments: {id: {in: path, type: integer}, q: {in: query}}}}
`)
	g, err := New(b.Context(), cfg, Options{Logger: slog.New(slog.NewJSONHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = g.Close(b.Context()) })
	return g, server.URL
}

// BenchmarkCall is a whole call over loopback through Gateway.Call: validation, request, limits, credential, log line,
// answer and result. x-direct is how many times as long it takes as the same request made by an http.Client that reads
// the body and does nothing else.
func BenchmarkCall(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "50KB": 50 << 10} {
		b.Run(name, func(b *testing.B) {
			g, base := benchGateway(b, size)
			arguments := json.RawMessage(`{"id": 7, "q": "a word"}`)
			direct := func() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, base+"/things/7?q=a+word", nil)
				if err != nil {
					b.Fatal(err)
				}
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
			through := func() {
				if outcome := g.Call(b.Context(), "read", arguments); !outcome.OK {
					b.Fatal(outcome.Errors)
				}
			}
			direct() // the connections are there before either is timed
			through()
			b.ReportAllocs()
			// They take turns, so that what else the machine does weighs on both alike.
			var took [2]time.Duration
			for b.Loop() {
				start := time.Now()
				through()
				took[0] += time.Since(start)
				b.StopTimer()
				start = time.Now()
				direct()
				took[1] += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(float64(took[0])/float64(took[1]), "x-direct")
		})
	}
}

// BenchmarkCallParallel is BenchmarkCall from all processors at once: what the calls share must not hold them up.
func BenchmarkCallParallel(b *testing.B) {
	g, _ := benchGateway(b, 1<<10)
	arguments := json.RawMessage(`{"id": 7}`)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if outcome := g.Call(b.Context(), "read", arguments); !outcome.OK {
				b.Error(outcome.Errors)
				return
			}
		}
	})
}
