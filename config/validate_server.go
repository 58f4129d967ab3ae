package config

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// own are the paths that the gateway answers itself.
var own = []string{"/", "/health", "/healthz", "/readyz", "/sse", "/messages"}

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
	v.url(at.Child("public_url"), s.PublicURL, "http", "https")
	v.unless(strings.HasPrefix(s.Path, "/") && !strings.ContainsAny(s.Path, " {}?#%") && !strings.Contains(s.Path, "//"), at.Child("path"),
		fmt.Sprintf("%q is not a path", s.Path), "write it like /mcp")
	v.unless(!slices.Contains(own, "/"+strings.Trim(s.Path, "/")), at.Child("path"), fmt.Sprintf("%q is a path of the gateway's own", s.Path), "write it like /mcp")
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

// minKeyBytes is what an HMAC-SHA-256 key needs at least (RFC 7518, section 3.2).
const minKeyBytes = 32

// key checks `new,old`.
func (v *validator) key() {
	if v.cfg.Key.IsZero() {
		return
	}
	for each := range strings.SplitSeq(v.cfg.Key.Reveal(), ",") {
		if len(strings.TrimSpace(each)) < minKeyBytes {
			v.add(Path{"key"}, fmt.Sprintf("a key has to have %d bytes or more", minKeyBytes), "`openssl rand -base64 32` makes one")
			return
		}
	}
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

func (v *validator) auth() {
	a, at := &v.cfg.Auth, Path{"auth"}
	keys := at.Child("api_key", "keys")
	if a.Mode != "api_key" {
		// Somebody who wrote keys believes that they are asked for.
		v.unless(len(a.APIKey.Keys) == 0 || a.Mode != "none", keys, "the keys are not asked for", "write auth: {mode: api_key, ...}")
		return
	}
	if len(a.APIKey.Keys) == 0 {
		v.missing(at, "api_key", "mode: api_key needs at least one key", "write api_key: {keys: [{name: ci, sha256: ...}]}")
	}
	names, hashes := map[string]bool{}, map[string]bool{}
	for i := range a.APIKey.Keys {
		key, path := &a.APIKey.Keys[i], keys.Child(strconv.Itoa(i))
		v.hide(path.Child("sha256")) // it may be the key itself, by mistake
		key.SHA256 = strings.ToLower(key.SHA256)
		if key.Name == "" {
			v.missing(path, "name", "a key needs a name", "it is shown in logs")
		}
		v.unless(key.Name == "" || !names[key.Name], path.Child("name"), fmt.Sprintf("%q names two keys", key.Name), "")
		raw, err := hex.DecodeString(key.SHA256)
		switch {
		case key.SHA256 == "":
			v.missing(path, "sha256", "a key needs its sha256", "`printf %s \"$KEY\" | sha256sum` makes it")
		case err != nil || len(raw) != 32:
			v.add(path.Child("sha256"), "this is not a SHA-256 in hexadecimal, which has 64 digits", "`printf %s \"$KEY\" | sha256sum` makes it")
		default:
			v.unless(!hashes[key.SHA256], path.Child("sha256"), "this key is here twice", "")
		}
		names[key.Name], hashes[key.SHA256] = true, true
	}
}

// url checks an absolute URL of one of the schemes. No message repeats one that may hold a password.
func (v *validator) url(at Path, text string, schemes ...string) {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		v.add(at, "the URL holds a user name", "")
	case err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "":
		v.add(at, fmt.Sprintf("%q is not a URL", text), "write it like https://host.example")
	case u.RawQuery != "" || u.Fragment != "":
		v.add(at, fmt.Sprintf("%q has a query or a fragment", text), "write it like https://host.example")
	}
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
