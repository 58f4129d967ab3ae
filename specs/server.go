package specs

import (
	"net/url"
	"slices"
	"strings"
)

// documentServers reads the document's servers. A relative one is resolved against the URL that the document came
// from; of a file it stays relative.
func (r *reader) documentServers() []Server {
	if r.dialect == swagger2 {
		return r.swaggerServers()
	}
	servers := r.readServers(r.root.get("servers"))
	if len(servers) == 0 && r.files.main.url != nil {
		servers = []Server{{URL: r.absolute("/")}} // OpenAPI's default
	}
	return servers
}

func (r *reader) operationServers(item, n *node) []Server {
	if r.dialect == swagger2 {
		return r.swaggerSchemes(n)
	}
	if servers := r.readServers(n.get("servers")); len(servers) > 0 {
		return servers
	}
	return r.readServers(item.get("servers"))
}

func (r *reader) readServers(n *node) []Server {
	var list []Server
	for _, item := range r.list(n, "servers") {
		address := strings.TrimSpace(r.text(item.get("url")))
		if address == "" {
			continue
		}
		server := Server{URL: r.absolute(address), Description: r.text(item.get("description"))}
		for _, e := range r.entries(item.get("variables"), "variables") {
			variable := ServerVariable{Default: r.text(e.value.get("default"))}
			for _, value := range r.list(e.value.get("enum"), "enum") {
				variable.Enum = append(variable.Enum, r.text(value))
			}
			if variable.Default == "" && len(variable.Enum) > 0 && !slices.Contains(variable.Enum, "") {
				variable.Default = variable.Enum[0]
			}
			if server.Variables == nil {
				server.Variables = map[string]ServerVariable{}
			}
			server.Variables[e.key] = variable
		}
		list = append(list, server)
	}
	return list
}

// absolute resolves a relative server. Templates are not parsed as URLs: {region} is none.
func (r *reader) absolute(address string) string {
	base := r.files.main.url
	if base == nil || strings.Contains(address, "://") || strings.HasPrefix(address, "{") {
		return address
	}
	origin := url.URL{Scheme: base.Scheme, Host: base.Host}
	switch {
	case strings.HasPrefix(address, "//"):
		return base.Scheme + ":" + address
	case strings.HasPrefix(address, "/"):
		return origin.String() + address
	}
	relative, err := url.Parse(address)
	if err != nil || strings.Contains(address, "{") {
		return origin.String() + base.Path[:strings.LastIndex(base.Path, "/")+1] + address
	}
	resolved := base.ResolveReference(relative)
	resolved.User, resolved.RawQuery, resolved.Fragment = nil, "", ""
	return resolved.String()
}
