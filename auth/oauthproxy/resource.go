package oauthproxy

import (
	"net"
	"net/url"
	"strings"
)

// sameResource reports whether a client means ours (RFC 8707): scheme and host have no case, a default port may be said, one
// slash may end the path, and a query that a client puts behind it counts for nothing.
func sameResource(asked, ours string) bool {
	a, err := canonicalResource(asked)
	if err != nil {
		return false
	}
	b, err := canonicalResource(ours)
	return err == nil && a == b
}

func canonicalResource(resource string) (string, error) {
	u, err := url.Parse(resource)
	if err != nil {
		return "", err
	}
	if !u.IsAbs() || u.Host == "" || u.User != nil || strings.Contains(resource, "#") { // section 2: no fragment
		return "", net.InvalidAddrError("not a resource")
	}
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(host, port) + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}
