package config

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file knows the addresses of a login: which are this machine, which are safe to send secrets to, and which may be
// redirected to.

// IsLoopback reports whether the host of a URL is this machine alone: localhost and the names below it (RFC 6761), and the
// addresses 127.0.0.0/8 and ::1.
func IsLoopback(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || (ip != nil && ip.IsLoopback())
}

// Local reports whether PublicURL is on loopback, where a login does without https and without a key.
func (s *Server) Local() bool {
	u, err := url.Parse(s.PublicURL)
	return err == nil && IsLoopback(u.Hostname())
}

// isCleanPath reports whether a URL's path is written in the one way that no two readers understand differently.
func isCleanPath(text string) bool {
	return text == "" || strings.HasPrefix(text, "/") && path.Clean(text) == strings.TrimSuffix(text, "/") && !strings.ContainsAny(text, `%\`) || text == "/"
}

// endpointURL checks the URL of an endpoint that secrets are sent to.
func (v *validator) endpointURL(at Path, text string) {
	if text == "" {
		return
	}
	base, _, _ := strings.Cut(text, "?") // an endpoint may have a query (RFC 6749 section 3.2)
	if v.url(at, base, "http", "https") {
		v.secure(at, text)
	}
}

// issuer checks the identifier of an issuer, which is compared byte for byte (RFC 8414 section 3.3).
func (v *validator) issuer(at Path, text string) {
	if text == "" {
		return
	}
	for _, suffix := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		if issuer, ok := strings.CutSuffix(text, suffix); ok {
			v.add(at, "this is the address of the issuer's metadata, not the issuer", fmt.Sprintf("did you mean %s?", issuer))
			return
		}
	}
	if v.url(at, text, "http", "https") {
		v.secure(at, text)
	}
}

// secure reports plain http to another machine.
func (v *validator) secure(at Path, text string) {
	u, err := url.Parse(text)
	v.unless(err != nil || u.Scheme == "https" || IsLoopback(u.Hostname()), at, fmt.Sprintf("%q is plain http, which anybody on the way can read and change", text),
		"write https://...; only on loopback plain http is taken")
}

// shown is a URI for a message: without what may be a password.
func shown(uri string) string {
	if strings.Contains(uri, "@") {
		return "this URI"
	}
	return fmt.Sprintf("%q", uri)
}

// unsafeSchemes run or read something in the browser that is sent there.
var unsafeSchemes = []string{"javascript", "data", "file", "vbscript", "blob", "about"}

// redirectURI says what is wrong with the address that a client may be answered at, and the way out; "" where nothing is.
func redirectURI(text string) (wrong, hint string) {
	u, err := url.Parse(text)
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }):
		return "holds a character that a URI can't have", "write it in ASCII: a host's name in punycode, the rest with percent signs"
	case err != nil || u.Scheme == "":
		return "is not a URI", "write it like https://client.example/callback or http://localhost/callback"
	case strings.Contains(text, "*"):
		return "has a wildcard: a client is answered at exactly what it is registered with", "write each address; the port of a loopback address may vary all the same"
	case strings.Contains(text, "#"):
		return "has a fragment (RFC 6749 section 3.1.2)", "leave it out"
	case u.User != nil || strings.Contains(u.Host, "@"):
		return "has a user name", "leave it out"
	case slices.Contains(unsafeSchemes, strings.ToLower(u.Scheme)):
		return "is not for a redirect", "write it like https://client.example/callback or http://localhost/callback"
	case u.Opaque != "" || u.Host == "" && (u.Scheme == "http" || u.Scheme == "https"):
		return "has no host", "write it like https://client.example/callback or http://localhost/callback"
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return "is plain http to another machine", "write https://..."
	case dotSegments(u.EscapedPath()):
		return "has dot segments in its path", "write the path that they lead to"
	}
	return "", ""
}

// dotSegments reports . and .. in a path, also written with percent signs.
func dotSegments(escaped string) bool {
	for segment := range strings.SplitSeq(escaped, "/") {
		switch plain, err := url.PathUnescape(segment); {
		case err != nil, plain == ".", plain == "..", strings.ContainsAny(plain, `/\`):
			return true
		}
	}
	return false
}

// schemeName is a URI's scheme (RFC 3986 section 3.1), as it is written.
var schemeName = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// pattern takes a redirect pattern apart: scheme, host, port and path.
var pattern = regexp.MustCompile(`^(https?)://(\[[0-9a-fA-F:.]+\]|[^/?#:@\[\]]+)(?::([0-9]{1,5}|\*))?(/[^?#]*)?$`)

// redirectPattern says what is wrong with an entry of auth.oauth.clients.redirect_uris, and the way out; "" where nothing is.
// Nothing in a pattern reaches beyond its component, so that https://*.example.com can't mean https://a.example.com.evil.test.
func redirectPattern(text string) (wrong, hint string) {
	switch scheme, _, found := strings.Cut(text, ":"); {
	case slices.Contains(unsafeSchemes, scheme):
		return "is not for a redirect", ""
	case !found || scheme == "http" || scheme == "https" || !schemeName.MatchString(scheme):
	case strings.Contains(text, "*"):
		return "has a wildcard in a private scheme, which any program may claim", "write the URI exactly"
	default: // an application's own scheme (RFC 8252 section 7.1)
		return redirectURI(text)
	}
	parts := pattern.FindStringSubmatch(text)
	if parts == nil {
		return "is not a pattern of redirect URIs", "write it like https://*.example.com/oauth/*, http://localhost:*/callback, or cursor://anysphere.cursor-mcp/oauth/callback"
	}
	scheme, host, port, route := parts[1], parts[2], parts[3], parts[4]
	domain, wild := strings.CutPrefix(host, "*.")
	switch {
	case strings.Contains(domain, "*"), wild && !strings.Contains(domain, "."):
		return "lets any host in", "one *. may begin the host, with two names or more behind it: *.example.com"
	case !hostName.MatchString(strings.Trim(domain, "[]")) && !strings.HasPrefix(domain, "["):
		return "has no host's name", "write a name in ASCII, other ones in punycode"
	case scheme == "http" && !IsLoopback(domain):
		return "is plain http to another machine", "write https://..."
	case port == "*" && !IsLoopback(domain):
		return "has any port of another machine", "only the port of a loopback address may be *"
	case strings.Contains(strings.TrimSuffix(route, "/*"), "*"):
		return "has a * in the middle of its path", "a path is exact, or ends with /*"
	case dotSegments(route):
		return "has dot segments in its path", "write the path that they lead to"
	}
	return "", ""
}

// hostName is a DNS name, or an IPv4 address, in ASCII.
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?$`)

// hostPattern says what is wrong with a host or *.host, with a port or without, and the way out; "" where nothing is.
func hostPattern(text string) (wrong, hint string) {
	domain, wild := strings.CutPrefix(text, "*.")
	if name, port, found := strings.Cut(domain, ":"); found && isPort(port) {
		domain = name
	}
	switch {
	case strings.Contains(text, "://"):
		return "is a URL", "write the host's name alone"
	case wild && !strings.Contains(strings.TrimSuffix(domain, "."), "."), text == "*":
		return "lets any host in", "write two names or more behind *., such as *.example.com"
	case !hostName.MatchString(domain):
		return "is not a host", "write a name such as api.example.com, or *.example.com for every name below it"
	}
	return "", ""
}

func isPort(text string) bool {
	number, err := strconv.Atoi(text)
	return err == nil && number > 0 && number <= 65535
}
