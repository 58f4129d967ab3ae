package oauthproxy

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxURI is the longest URI that is taken from a client, in bytes.
const maxURI = 2048

// Why a URI is refused. They are shown to whoever registers a client, and hold nothing of what was sent.
var (
	errURILength    = errors.New("it is empty or longer than 2048 bytes")
	errURIASCII     = errors.New("it holds a space, a control character or another that a URI can't hold")
	errURIScheme    = errors.New("it has no scheme in lower case")
	errURIFragment  = errors.New("it has a fragment")
	errURIAuthority = errors.New("it has no //host after its scheme")
	errURIUserinfo  = errors.New("it has a user name")
	errURIHost      = errors.New("its host is neither a name nor an address in its usual notation")
	errURIPort      = errors.New("its port is not a number from 1 to 65535")
	errURIEscape    = errors.New("it has a % without two hexadecimal digits, or an escaped control character or backslash")
	errURISegments  = errors.New("its path has a . or .. segment")
)

// webURI is a URI taken apart, and nothing of it changed: scheme://host:port/path?query. What programs read differently
// (browsers, proxies, libraries) does not become one: a backslash, userinfo, dot segments, addresses in odd notations.
type webURI struct {
	scheme string
	host   string // as written; an IPv6 address without its brackets
	port   string // "" where none is written
	path   string
	query  string // with its ?
}

// parseWebURI reads a URI with an authority (RFC 3986), strictly.
func parseWebURI(text string) (webURI, error) {
	if text == "" || len(text) > maxURI {
		return webURI{}, errURILength
	}
	if strings.Contains(text, "#") {
		return webURI{}, errURIFragment
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r) }) {
		return webURI{}, errURIASCII
	}
	scheme, rest, found := strings.Cut(text, ":")
	if !found || !isScheme(scheme) {
		return webURI{}, errURIScheme
	}
	rest, found = strings.CutPrefix(rest, "//")
	if !found {
		return webURI{}, errURIAuthority
	}
	u := webURI{scheme: scheme}
	if at := strings.IndexByte(rest, '?'); at >= 0 {
		rest, u.query = rest[:at], rest[at:]
	}
	authority := rest
	if at := strings.IndexByte(rest, '/'); at >= 0 {
		authority, u.path = rest[:at], rest[at:]
	}
	var err error
	if u.host, u.port, err = parseAuthority(authority); err != nil {
		return webURI{}, err
	}
	if err := checkPath(u.path); err != nil {
		return webURI{}, err
	}
	if _, err := unescape(u.query); err != nil {
		return webURI{}, err
	}
	return u, nil
}

// isScheme is RFC 3986 section 3.1, in lower case only: javaScript: and its like are not looked at twice.
func isScheme(text string) bool {
	for i, c := range []byte(text) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return text != ""
}

// parseAuthority reads host and port.
func parseAuthority(authority string) (host, port string, err error) {
	if authority == "" {
		return "", "", errURIAuthority
	}
	if strings.Contains(authority, "@") {
		return "", "", errURIUserinfo
	}
	host = authority
	colon := strings.LastIndexByte(authority, ':')
	if colon > strings.LastIndexByte(authority, ']') {
		host, port = authority[:colon], authority[colon+1:]
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 || port[0] == '0' || port[0] == '+' {
			return "", "", errURIPort
		}
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		if !found || err != nil || !address.Is6() || address.Zone() != "" {
			return "", "", errURIHost
		}
		return inner, port, nil
	}
	if !isHostname(host) {
		return "", "", errURIHost
	}
	return host, port, nil
}

// isHostname takes a DNS name or an IPv4 address of four decimal numbers. A name whose last label looks like a number is
// none: browsers read 127.1, 0x7f.1 and 2130706433 as addresses. Of names with the root's dot only localhost. is
// taken, since nobody else needs one.
func isHostname(host string) bool {
	name := host
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		name = strings.TrimSuffix(host, ".")
	}
	if len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notInHostname) {
			return false
		}
	}
	last := labels[len(labels)-1]
	if last[0] < '0' || last[0] > '9' {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Is4()
}

func notInHostname(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// checkPath refuses segments that a server or a browser would resolve, also where they are escaped, once or again, and
// with the parameters that some servers cut off (..;x).
func checkPath(path string) error {
	for range 3 {
		for segment := range strings.SplitSeq(path, "/") {
			name, _, _ := strings.Cut(segment, ";")
			if name == "." || name == ".." {
				return errURISegments
			}
		}
		plain, err := unescape(path)
		if err != nil || plain == path {
			return err
		}
		path = plain
	}
	return errURIEscape
}

// unescape decodes percent-encoding, and refuses what must not hide behind it.
func unescape(text string) (string, error) {
	plain, err := url.PathUnescape(text)
	if err != nil || strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return "", errURIEscape
	}
	return plain, nil
}

// isLoopback reports whether the host is this machine: 127.0.0.0/8, ::1, or a name that RFC 6761 section 6.3 keeps for it.
func (u webURI) isLoopback() bool {
	name := strings.TrimSuffix(strings.ToLower(u.host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(u.host)
	return err == nil && address.IsLoopback() && !address.Is4In6()
}

// isIP reports whether the host is an address.
func (u webURI) isIP() bool {
	_, err := netip.ParseAddr(u.host)
	return err == nil
}

// sameButForPort is RFC 8252 section 7.3. An empty path is / (RFC 9110 section 4.2.3): VS Code registers the one and uses the other.
func (u webURI) sameButForPort(other webURI) bool {
	return u.scheme == other.scheme && u.host == other.host && u.query == other.query && rooted(u.path) == rooted(other.path)
}

func rooted(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// forbiddenSchemes run or show something by themselves: none of them leads to a client.
var forbiddenSchemes = []string{"about", "blob", "chrome", "content", "data", "file", "filesystem", "ftp", "intent", "jar", "javascript",
	"mailto", "sms", "tel", "vbscript", "view-source", "ws", "wss"}

// isPrivate reports whether a URI's scheme may be an application's own (RFC 8252 section 7.1).
func isPrivate(uri string) bool {
	scheme, _, found := strings.Cut(uri, ":")
	return found && isScheme(scheme) && scheme != "http" && scheme != "https" && !slices.Contains(forbiddenSchemes, scheme)
}
