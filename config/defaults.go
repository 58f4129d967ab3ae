package config

import (
	"net"
	"path/filepath"
	"strings"
)

// defaultPort is where the gateway listens where the file does not say.
const defaultPort = "8080"

// inherit writes into the tree what an upstream takes from defaults:, and its tools and queries from the upstream. What
// is nearest wins, key by key; the built-in defaults come last, when the structs are filled.
func inherit(root *node) {
	defaults, upstreams := root.get("defaults"), root.get("upstreams")
	for i := range entriesOf(upstreams) {
		upstream := &upstreams.entries[i].value
		for _, key := range []string{"timeout", "retry", "response"} {
			*upstream = (*upstream).with(key, defaults.get(key))
		}
		for _, section := range []string{"tools", "queries"} {
			tools := (*upstream).get(section)
			for j := range entriesOf(tools) {
				tools.entries[j].value = tools.entries[j].value.with("response", (*upstream).get("response"))
			}
		}
	}
}

func entriesOf(n *node) []entry {
	if n == nil {
		return nil
	}
	return n.entries
}

// with returns n with value under key: n's own value wins, and where both are mappings, key by key. n is not changed,
// since an alias may share it.
func (n *node) with(key string, value *node) *node {
	if value == nil || (n.kind != mapping && n.kind != null) {
		return n
	}
	out := *n
	out.kind = mapping
	out.entries = nil
	found := false
	for _, e := range n.entries {
		if e.key == key && e.value.kind != null {
			found = true
			if e.value.kind == mapping && value.kind == mapping {
				for _, inner := range value.entries {
					e.value = e.value.with(inner.key, inner.value)
				}
			}
		}
		if e.key != key || e.value.kind != null {
			out.entries = append(out.entries, e)
		}
	}
	if !found {
		out.entries = append(out.entries, entry{key: key, line: value.keyLine, column: value.keyColumn, value: value})
	}
	return &out
}

// complete fills in the defaults that depend on other values, and the names.
func (c *Config) complete(env func(string) (string, bool)) {
	if c.Name == "" {
		c.Name = filepath.Base(c.Dir)
	}
	if c.Server.Listen == "" {
		c.Server.Listen = defaultListen(c.Auth.Mode, env)
	}
	if c.Server.PublicURL == "" {
		c.Server.PublicURL = c.Server.localURL()
	}
	// The issuer of a login is repeated byte for byte in metadata, tokens and redirects: it is brought into shape here, and
	// nowhere again (RFC 8414 section 3.3).
	c.Server.PublicURL = strings.TrimRight(c.Server.PublicURL, "/")
	c.Auth.OAuth.Store.Path = resolvePath(c.Auth.OAuth.Store.Path, c.Dir) // the default, which no file names
	for name, provider := range c.Providers {
		provider.Name = name
		if provider.Scopes == nil && provider.Issuer != "" {
			provider.Scopes = []string{"openid"}
		}
	}
	for name, upstream := range c.Upstreams {
		upstream.Name = name
		upstream.complete(len(c.Upstreams) == 1)
	}
}

// defaultListen is every address at the port that the platform names: a container platform sends PORT (or WEBSITES_PORT,
// Azure's name for it) and calls from outside. Without one it is loopback where anybody may call.
func defaultListen(authMode string, env func(string) (string, bool)) string {
	for _, name := range []string{"PORT", "WEBSITES_PORT"} {
		if port, ok := env(name); ok && port != "" {
			return ":" + port
		}
	}
	if authMode == "none" {
		return "127.0.0.1:" + defaultPort
	}
	return ":" + defaultPort
}

// Relisten changes the address, and the public URL with it where nobody chose one.
func (s *Server) Relisten(address string) {
	derived := s.PublicURL == s.localURL()
	s.Listen = address
	if derived {
		s.PublicURL = s.localURL()
	}
}

// localURL is the gateway's root as a client on the same machine sees it.
func (s *Server) localURL() string {
	scheme := "http"
	if s.TLS.CertFile != "" {
		scheme = "https"
	}
	_, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		port = defaultPort
	}
	return scheme + "://localhost:" + port
}

func (u *Upstream) complete(alone bool) {
	if u.Prefix == nil {
		prefix := u.Name + "_"
		if alone {
			prefix = ""
		}
		u.Prefix = &prefix
	}
	if u.Limits.Burst == 0 {
		u.Limits.Burst = u.Limits.Rate.Events
	}
	for name, tool := range u.Tools {
		tool.Name = name
		if tool.Timeout == 0 {
			tool.Timeout = u.Timeout
		}
		if tool.Request != "" {
			tool.complete()
		}
	}
	for name, record := range u.Records {
		record.Name = name
	}
	for name, query := range u.Queries {
		query.Name = name
	}
}

// complete puts the arguments that the path names into the path.
func (t *Tool) complete() {
	for _, name := range placeholders(t.Request) {
		a := t.Arguments[name]
		if a == nil {
			continue
		}
		if a.In == "" {
			a.In = "path"
		}
		if a.In == "path" && a.Required == nil {
			required := true
			a.Required = &required
		}
	}
}

// Open reports whether anybody who reaches Listen may call: nobody is asked who they are, and the address is not on
// loopback. serve demands --insecure then.
func (c *Config) Open() bool {
	if c.Auth.Mode != "none" {
		return false
	}
	host, _, err := net.SplitHostPort(c.Server.Listen)
	return err != nil || !loopback(host)
}

// loopback reports whether host is this machine alone. An empty host is every address.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
