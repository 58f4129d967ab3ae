package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// trustedProxies are the addresses whose X-Forwarded-* headers count.
type trustedProxies []netip.Prefix

// newTrustedProxies reads CIDRs and plain addresses; config has reported those that are neither.
func newTrustedProxies(texts []string) trustedProxies {
	var proxies trustedProxies
	for _, text := range texts {
		if network, ok := parseNetwork(text); ok {
			proxies = append(proxies, network)
		}
	}
	return proxies
}

func (p trustedProxies) contains(addr netip.Addr) bool {
	return anyContains(p, addr.Unmap())
}

// seen wraps next so that r.RemoteAddr, r.Host and r.URL.Scheme are those that the client used, where a trusted proxy
// says so, and the headers that say so are gone: nobody below can mistake a client's word for a proxy's.
func (p trustedProxies) seen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r2 := r.Clone(r.Context())
		r2.URL.Scheme = "http"
		if r.TLS != nil {
			r2.URL.Scheme = "https"
		}
		if peer, ok := parsePeer(r.RemoteAddr); ok && p.contains(peer) {
			r2.RemoteAddr = p.client(peer, r.Header.Values("X-Forwarded-For")).String()
			if host := lastElement(r.Header, "X-Forwarded-Host"); host != "" {
				r2.Host = host
			}
			if proto := strings.ToLower(lastElement(r.Header, "X-Forwarded-Proto")); proto == "http" || proto == "https" {
				r2.URL.Scheme = proto
			}
		}
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"} {
			r2.Header.Del(name)
		}
		next.ServeHTTP(w, r2)
	})
}

// client walks X-Forwarded-For from its end, since only what trusted proxies appended is true, to the first address
// that is no trusted proxy.
func (p trustedProxies) client(peer netip.Addr, headers []string) netip.Addr {
	hops := strings.Split(strings.Join(headers, ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, ok := parsePeer(strings.TrimSpace(hop))
		if !ok {
			return peer
		}
		peer = addr
		if !p.contains(addr) {
			return peer
		}
	}
	return peer
}

// parsePeer reads an address with or without a port: Azure's front end writes ip:port into X-Forwarded-For.
func parsePeer(text string) (netip.Addr, bool) {
	if end, err := netip.ParseAddrPort(text); err == nil {
		return end.Addr().Unmap(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap(), err == nil
}

// lastElement is the last of a header's comma-separated values: the nearest proxy's.
func lastElement(header http.Header, name string) string {
	values := header.Values(name)
	if len(values) == 0 {
		return ""
	}
	elements := strings.Split(values[len(values)-1], ",")
	return strings.TrimSpace(elements[len(elements)-1])
}
