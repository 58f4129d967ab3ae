package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"mcpgate/config"
)

// origins decides which hosts and browser origins a request may name. The specification demands it of every HTTP
// server (Streamable HTTP, security warning): a web page could else reach a gateway on the reader's own machine, under
// the page's own name once its DNS answer changed to 127.0.0.1.
type origins struct {
	any     bool
	local   bool     // public_url is on this machine, though a container may stand in between
	allowed []string // lower case, scheme://host[:port]
	hosts   []string // of allowed, without ports
}

// newOrigins takes public_url's own origin and allowed_origins.
func newOrigins(cfg config.Server) *origins {
	o := &origins{}
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		o.local = isLoopback(strings.ToLower(u.Hostname()))
	}
	for _, text := range append([]string{cfg.PublicURL}, cfg.AllowedOrigins...) {
		if text == "*" {
			o.any = true
			continue
		}
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			o.allowed = append(o.allowed, originOf(u))
			o.hosts = append(o.hosts, strings.ToLower(u.Hostname()))
		}
	}
	return o
}

// originOf writes the origin of a URL as browsers do (RFC 6454 section 6.2): without the port that the scheme has anyway.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := u.Port(); (u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

// allowsHost reports whether the Host header is one that the gateway is reached by. Only a connection to a loopback
// address is judged: rebinding aims at what the attacker can't reach by himself.
func (o *origins) allowsHost(r *http.Request) bool {
	if !arrivedOnLoopback(r) {
		return true
	}
	name := hostname(r.Host)
	return isLoopback(name) || slices.Contains(o.hosts, name)
}

// allowsOrigin reports whether a page of that origin may call. Pages of the reader's own machine may where the gateway is
// there too: the Inspector is one.
func (o *origins) allowsOrigin(r *http.Request, origin string) bool {
	if o.any {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false // "null": a sandboxed frame or a file
	}
	if slices.Contains(o.allowed, originOf(u)) {
		return true
	}
	return (o.local || arrivedOnLoopback(r)) && isLoopback(strings.ToLower(u.Hostname()))
}

// arrivedOnLoopback reports whether the connection's own end is a loopback address.
func arrivedOnLoopback(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	end, err := netip.ParseAddrPort(addr.String())
	return err == nil && end.Addr().Unmap().IsLoopback()
}

// hostname is a Host header without its port, in lower case.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// isLoopback reports whether a host name or address means this machine.
func isLoopback(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761 section 6.3
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}
