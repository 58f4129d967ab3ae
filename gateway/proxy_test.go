package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrustedProxies(t *testing.T) {
	type seen struct{ Client, Host, Scheme string }
	direct := seen{"203.0.113.9:1234", "gw.internal", "http"}
	tests := []struct {
		name   string
		peer   string
		header http.Header
		want   seen
	}{
		{"no proxy", "203.0.113.9:1234", nil, direct},
		{"a client that lies", "203.0.113.9:1234",
			http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}}, direct},
		{"a trusted proxy", "10.0.0.1:1234",
			http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"mcp.example.com"}, "X-Forwarded-Proto": {"https"}},
			seen{"1.2.3.4", "mcp.example.com", "https"}},
		{"as Azure writes it", "10.0.0.1:1234", http.Header{"X-Forwarded-For": {"1.2.3.4:5555"}, "X-Forwarded-Proto": {"https"}},
			seen{"1.2.3.4", "gw.internal", "https"}},
		{"IPv6 with a port", "10.0.0.1:1234", http.Header{"X-Forwarded-For": {"[2001:db8::1]:5555"}}, seen{"2001:db8::1", "gw.internal", "http"}},
		{"IPv6", "10.0.0.1:1234", http.Header{"X-Forwarded-For": {"2001:db8::1"}}, seen{"2001:db8::1", "gw.internal", "http"}},
		{"two proxies and a lie before them", "10.0.0.1:1234", http.Header{"X-Forwarded-For": {"9.9.9.9, 1.2.3.4, 10.0.0.7"}},
			seen{"1.2.3.4", "gw.internal", "http"}},
		{"in several headers", "10.0.0.1:1234", http.Header{"X-Forwarded-For": {"9.9.9.9", "1.2.3.4", "10.0.0.7"}},
			seen{"1.2.3.4", "gw.internal", "http"}},
		{"garbage", "10.0.0.1:1234", http.Header{"X-Forwarded-For": {"1.2.3.4, unknown"}, "X-Forwarded-Proto": {"gopher"}},
			seen{"10.0.0.1", "gw.internal", "http"}},
		{"the nearest proxy's host", "192.168.7.7:1", http.Header{"X-Forwarded-Host": {"evil.example, mcp.example.com"}},
			seen{"192.168.7.7", "mcp.example.com", "http"}},
		{"an IPv4 address on an IPv6 socket", "[::ffff:10.0.0.1]:1234", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, seen{"1.2.3.4", "gw.internal", "http"}},
		{"trusted by its IPv6 spelling", "192.168.7.9:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, seen{"1.2.3.4", "gw.internal", "http"}},
		{"neighbour of a trusted address", "192.168.7.8:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}}, seen{"192.168.7.8:1", "gw.internal", "http"}},
	}
	proxies := newTrustedProxies([]string{"10.0.0.0/8", "192.168.7.7", "::ffff:192.168.7.9"})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = tt.peer, "gw.internal"
			for name, values := range tt.header {
				r.Header[name] = values
			}
			var got seen
			var left http.Header
			proxies.seen(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got, left = seen{r.RemoteAddr, r.Host, r.URL.Scheme}, r.Header
			})).ServeHTTP(httptest.NewRecorder(), r)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if len(left) != 0 {
				t.Errorf("headers left: %v", left)
			}
		})
	}
}

// A proxy's word for the host counts against rebinding too: a public one, or one that nobody knows.
func TestHostThroughATrustedProxy(t *testing.T) {
	_, server := serve(t, setup{yaml: "server: {public_url: 'https://mcp.example.com', trusted_proxies: [127.0.0.1/32]}\n"})
	for host, want := range map[string]int{"mcp.example.com": 200, "evil.example": 403} {
		if got := post(t, server, callGetPet, "X-Forwarded-Host: "+host); got.status != want {
			t.Errorf("%s: %d, want %d", host, got.status, want)
		}
	}
}
