package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkMCPCall is a whole tools/call over loopback, in both revisions, beside the upstream asked directly.
func BenchmarkMCPCall(b *testing.B) {
	upstream := ""
	g, server := serve(b, setup{upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upstream = "http://" + r.Host
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":1,"name":"Rex"}`)
	})})
	g.Call(b.Context(), "getPet", []byte(`{"id":1}`)) // says where the upstream is
	send := func(method, url, body string, headers ...string) {
		req, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
	}
	modernCall := strings.Replace(callGetPet, `"arguments"`, modern+`,"arguments"`, 1)
	for _, tt := range []struct {
		name, message string
		headers       []string
	}{
		{"2025-11-25", callGetPet, nil},
		{"2026-07-28", modernCall, []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: getPet"}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var through, direct stopwatch
			for b.Loop() {
				through.time(func() { send(http.MethodPost, server.URL+"/mcp", tt.message, tt.headers...) })
				direct.time(func() { send(http.MethodGet, upstream+"/pets/1", "") })
			}
			b.ReportMetric(float64(through.mean().Microseconds()), "µs/mcp")
			b.ReportMetric(through.mean().Seconds()/direct.mean().Seconds(), "ratio")
		})
	}
}
