package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// own are the paths that the gateway answers itself, and ownLogin those that it answers besides with auth.mode oauth.
var (
	own      = []string{"/", "/health", "/healthz", "/readyz", "/sse", "/messages"}
	ownLogin = []string{"/authorize", "/consent", "/token", "/register", "/revoke", "/introspect", "/jwks", "/connections", "/logout"}
)

// ours reports whether path is one of the gateway's own.
func (v *validator) ours(path string) bool {
	path = "/" + strings.Trim(path, "/")
	return slices.Contains(own, path) || path == "/.well-known" || strings.HasPrefix(path, "/.well-known/") ||
		v.cfg.Auth.Mode == "oauth" && slices.Contains(ownLogin, path)
}

// publicURL checks where clients reach the gateway. With a login it is the issuer, which metadata, tokens and redirects
// repeat byte for byte, and which people's passwords and tokens pass by.
func (v *validator) publicURL(at Path) {
	text := v.cfg.Server.PublicURL
	if !v.url(at, text, "http", "https") {
		return
	}
	u, err := url.Parse(text)
	if err != nil || v.cfg.Auth.Mode != "oauth" {
		return
	}
	v.unless(u.Scheme == "https" || IsLoopback(u.Hostname()), at, fmt.Sprintf("%q is plain http, and people log in there", text),
		"write https://...; only on loopback, such as http://localhost:8080, a login goes without")
	v.unless(isCleanPath(u.EscapedPath()), at, fmt.Sprintf("the path of %q is not clean", text), "leave out //, dot segments and percent signs")
}

func (v *validator) server() {
	s, at := &v.cfg.Server, Path{"server"}
	v.address(at.Child("listen"), s.Listen)
	if s.Health != "off" {
		v.address(at.Child("health"), s.Health)
		v.unless(s.Health != s.Listen, at.Child("health"), "this is the address of listen", "the health paths are there too: leave this out, or name another port")
	}
	if s.Admin != "off" {
		v.admin(at.Child("admin"))
	}
	v.publicURL(at.Child("public_url"))
	v.unless(strings.HasPrefix(s.Path, "/") && !strings.ContainsAny(s.Path, " {}?#%") && !strings.Contains(s.Path, "//"), at.Child("path"),
		fmt.Sprintf("%q is not a path", s.Path), "write it like /mcp")
	v.unless(!v.ours(s.Path), at.Child("path"), fmt.Sprintf("%q is a path of the gateway's own", s.Path), "write it like /mcp")
	for i, proxy := range s.TrustedProxies {
		v.unless(isNetwork(proxy), at.Child("trusted_proxies", strconv.Itoa(i)), fmt.Sprintf("%q is not a network", proxy), "write it like 10.0.0.0/8 or 10.1.2.3")
	}
	for i, origin := range s.AllowedOrigins {
		v.unless(isOrigin(origin), at.Child("allowed_origins", strconv.Itoa(i)), fmt.Sprintf("%q is not an origin", origin), `write it like https://app.example.com, without a path; "*" allows all`)
	}
	v.unless(s.MaxBody > 0, at.Child("max_body"), "a body needs room", "")
	v.unless(s.CallTimeout > 0, at.Child("call_timeout"), "a call needs time", "")
	v.serverTLS(at.Child("tls"), &s.TLS)
}

func (v *validator) admin(at Path) {
	s := &v.cfg.Server
	v.address(at, s.Admin)
	host, _, err := net.SplitHostPort(s.Admin)
	if err == nil && !loopback(host) && s.AdminKey.IsZero() && !v.reported(Path{"server", "admin_key"}) {
		v.add(at, "this is not on loopback, and there is no admin_key", `write "127.0.0.1:8081", or set admin_key`)
	}
	v.unless(s.Admin != s.Listen, at, "this is the address of listen", "name another port")
}

func (v *validator) serverTLS(at Path, tls *ServerTLS) {
	v.unless((tls.CertFile == "") == (tls.KeyFile == ""), at, "cert_file and key_file belong together", "")
	v.unless(tls.ClientCAFile == "" || tls.CertFile != "", at, "client_ca_file needs cert_file and key_file", "")
	v.readable(at.Child("cert_file"), tls.CertFile)
	v.readable(at.Child("key_file"), tls.KeyFile)
	v.readable(at.Child("client_ca_file"), tls.ClientCAFile)
}

// readable reports a file that is not there.
func (v *validator) readable(at Path, name string) {
	if name == "" {
		return
	}
	info, err := os.Stat(name)
	if err != nil {
		v.add(at, shortName(name)+": "+reason(err), "")
		return
	}
	v.unless(!info.IsDir(), at, shortName(name)+" is a folder, not a file", "")
}

func (v *validator) outbound() {
	o, at := &v.cfg.Outbound, Path{"outbound"}
	v.readable(at.Child("ca_file"), o.CAFile)
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		v.unless(err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme),
			at.Child("proxy"), "this is not the URL of a proxy", "write it like http://proxy.example:3128")
	}
	for i, allowed := range o.Allow {
		v.unless(isDestination(allowed), at.Child("allow", strconv.Itoa(i)), fmt.Sprintf("%q is not a destination", allowed),
			"write a host, host:port, or a network such as 10.0.0.0/8")
	}
}

// url checks an absolute URL of one of the schemes, and reports whether it is one. No message repeats one that may hold
// a password.
func (v *validator) url(at Path, text string, schemes ...string) bool {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		v.add(at, "the URL holds a user name", "")
	case err != nil || !slices.Contains(schemes, u.Scheme) || u.Hostname() == "":
		hint := "write it like https://host.example"
		if !strings.Contains(text, "://") && strings.Contains(text, ".") && !strings.ContainsAny(text, " \"<>") {
			hint = "did you mean https://" + strings.TrimLeft(text, "/") + "?"
		}
		v.add(at, fmt.Sprintf("%q is not a URL", text), hint)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		v.add(at, fmt.Sprintf("%q has a query or a fragment", text), "write it like https://host.example")
	default:
		return true
	}
	return false
}

// isNetwork reports whether text is an address or a network in CIDR notation.
func isNetwork(text string) bool {
	_, prefixErr := netip.ParsePrefix(text)
	_, addrErr := netip.ParseAddr(text)
	return prefixErr == nil || addrErr == nil
}

// isDestination reports whether text is a host, host:port, or a network.
func isDestination(text string) bool {
	if isNetwork(text) {
		return true
	}
	host := text
	if strings.Contains(text, ":") {
		h, port, err := net.SplitHostPort(text)
		number, portErr := strconv.Atoi(port)
		if err != nil || portErr != nil || number < 1 || number > 65535 {
			return false
		}
		host = h
	}
	return host != "" && !strings.ContainsAny(host, "/ {}@?#")
}

// isOrigin reports whether text is what a browser sends as Origin (RFC 6454), or "*".
func isOrigin(text string) bool {
	if text == "*" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}
