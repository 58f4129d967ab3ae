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

	"mcpgate/config"
)

// benchGateway is a gateway whose upstream answers over loopback with a body of the given size, and that upstream's URL.
func benchGateway(b *testing.B, size int) (*Gateway, string) {
	body := `{"items":[` + strings.Repeat(`{"id":1,"name":"a thing"},`, max(size/26, 1)) + `{"id":2}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	rate := config.Rate{Events: 1_000_000, Per: time.Second}
	cfg := &config.Config{Server: config.Server{CallTimeout: config.Duration(55 * time.Second)}, Upstreams: map[string]*config.Upstream{"up": {
		Name: "up", BaseURL: server.URL, Expose: "none", Timeout: config.Duration(20 * time.Second),
		Credential: config.Credential{Type: "bearer", Token: config.NewSecret("a-token-of-some-length")},
		Retry:      config.Retry{Attempts: 4, Backoff: config.Duration(time.Second), On: []string{"503", "connect"}},
		Limits:     config.Limits{Concurrency: 100, Rate: rate, Burst: 1_000_000, Queue: 100},
		Response:   config.Response{MaxBytes: 10 << 20, MaxTokens: 15000},
		Tools: map[string]*config.Tool{"read": {
			Name: "read", Request: "GET /things/{id}", Description: "Reads.",
			Arguments: map[string]*config.Argument{"id": {In: "path", Type: "integer"}, "q": {In: "query"}},
		}},
	}}}
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
