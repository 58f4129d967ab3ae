package gateway

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// serverWarnings tells at load, and not only at the first call, about documents whose own server is inside: a call
// goes there only where gateway.yaml names it. A host that has to be looked up is left to the calls.
func serverWarnings(cfg *config.Config, documents map[string][]*specs.Document) []specs.Warning {
	var warnings []specs.Warning
	for _, name := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		u := cfg.Upstreams[name]
		g, err := newGuard(cfg.Outbound)
		if u.BaseURL != "" || err != nil { // an error is newUpstream's to report
			continue
		}
		g.allowLocations(u.Spec)
		for _, document := range documents[name] {
			if len(document.Servers) == 0 || !g.plainlyInside(document.Servers[0].URL) {
				continue
			}
			warnings = append(warnings, specs.Warning{
				Message: fmt.Sprintf("its server %s is not public, and only the document names it: calls of %s are refused until "+
					"upstreams.%s.base_url or outbound.allow says that it is meant", document.Servers[0].URL, name, name),
				Pos: specs.Position{File: document.Location},
			})
		}
	}
	return warnings
}

// plainlyInside reports whether a URL's host is refused as it is written, without looking it up.
func (g *guard) plainlyInside(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !isWeb(u) || !g.denyPrivate || g.names(u.Hostname(), portOf(u)) {
		return false
	}
	host := canonicalHost(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 section 6.3
		return g.checkAddress(netip.AddrFrom4([4]byte{127, 0, 0, 1})) != nil
	}
	address, err := netip.ParseAddr(host)
	return err == nil && g.checkAddress(address) != nil
}
