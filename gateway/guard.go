package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mcpgate/config"
)

// guard decides where a URL may lead that a document or an answer named, and not gateway.yaml: nowhere inside, unless
// outbound.allow says so.
type guard struct {
	denyPrivate bool
	hosts       map[string]bool // allowed by name: host, or host:port
	networks    []netip.Prefix  // allowed by address
	lookup      func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// forbiddenError says that a URL leads where it must not. It is for the operator: it holds a host name.
type forbiddenError struct {
	host   string // as it was named, or the address
	reason string
}

// Error names the host, the reason and the way out.
func (e *forbiddenError) Error() string {
	return fmt.Sprintf("%s %s; add it to outbound.allow if the gateway may go there", e.host, e.reason)
}

func newGuard(outbound config.Outbound) (*guard, error) {
	g := &guard{
		denyPrivate: outbound.DenyPrivate == nil || *outbound.DenyPrivate,
		hosts:       map[string]bool{},
		lookup:      net.DefaultResolver.LookupNetIP,
	}
	for _, entry := range outbound.Allow {
		if err := g.allow(entry); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// allow takes one entry of outbound.allow: a CIDR, an address, a host, or a host and a port.
func (g *guard) allow(entry string) error {
	if network, ok := parseNetwork(strings.Trim(entry, "[]")); ok {
		g.networks = append(g.networks, network)
		return nil
	}
	if host, port, err := net.SplitHostPort(entry); err == nil && host != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			g.allowHost(host, port)
			return nil
		}
	}
	if entry == "" || strings.ContainsAny(entry, "/:@ *") {
		return fmt.Errorf("outbound.allow: %q is not a host, a host:port or a CIDR such as 10.1.0.0/16", entry)
	}
	g.hosts[canonicalHost(entry)] = true
	return nil
}

func (g *guard) allowHost(host, port string) {
	g.hosts[net.JoinHostPort(canonicalHost(host), port)] = true
}

// allowLocations allows the hosts of the URLs among the locations of documents that gateway.yaml gives.
func (g *guard) allowLocations(locations []string) {
	for _, location := range locations {
		if parsed, err := url.Parse(location); err == nil && isWeb(parsed) {
			g.allowHost(parsed.Hostname(), portOf(parsed))
		}
	}
}

// names reports whether a host is allowed by its name, or by its address where that is how it is written. Its other
// addresses are not looked at then.
func (g *guard) names(host, port string) bool {
	host = canonicalHost(host)
	if g.hosts[host] || g.hosts[net.JoinHostPort(host, port)] {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && anyContains(g.networks, address.Unmap())
}

// allowReference decides about a URL that a document names in a $ref: only hosts that gateway.yaml names will do.
func (g *guard) allowReference(u *url.URL) error {
	if !isWeb(u) {
		return fmt.Errorf("%q is not an http or https URL", u.Scheme+":")
	}
	if !g.names(u.Hostname(), portOf(u)) {
		return &forbiddenError{u.Hostname(), "is not a host that gateway.yaml names"}
	}
	return nil
}

// checkHost resolves a host and refuses it when any of its addresses is refused. A name that can't be resolved here is
// refused too: what can't be looked at can't be let through.
func (g *guard) checkHost(ctx context.Context, host, port string) error {
	if !g.denyPrivate || g.names(host, port) {
		return nil
	}
	addresses := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, literal)
	} else if addresses, err = g.lookup(ctx, "ip", host); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.Join(&forbiddenError{host, "can't be resolved here, so its address can't be checked"}, err)
	}
	for _, address := range addresses {
		if err := g.checkAddress(address); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress refuses an address inside: loopback, link-local, private, shared, metadata, and the like.
func (g *guard) checkAddress(address netip.Addr) error {
	address = address.Unmap()
	if !g.denyPrivate || anyContains(g.networks, address) || isPublic(address) {
		return nil
	}
	return &forbiddenError{address.String(), "is not a public address"}
}

// canonicalHost is a host's one spelling: lower case, without the root's dot.
func canonicalHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// The address blocks that are not the public Internet: IANA's special-purpose registries (RFC 6890 and its successors),
// multicast, and two addresses of clouds that lie in public blocks.
var notPublic4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // Azure's platform, on every virtual machine
)

// Of IPv6 only 2000::/3 is public, apart from these: transition mechanisms carry an IPv4 address that nobody checked.
var (
	global6    = netip.MustParsePrefix("2000::/3")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	notPublic6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

// isPublic reports whether an address is on the public Internet.
func isPublic(address netip.Addr) bool {
	address = address.Unmap()
	if address.Zone() != "" {
		return false
	}
	if address.Is4() {
		return !anyContains(notPublic4, address)
	}
	if nat64.Contains(address) { // RFC 6052: the last 32 bits are the IPv4 address that is reached
		bytes := address.As16()
		return isPublic(netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return global6.Contains(address) && !anyContains(notPublic6, address) && !isISATAP(address)
}

// isISATAP reports whether the lower half of an address is an IPv4 address in a tunnel's notation, 0:5efe:a.b.c.d or
// 200:5efe:a.b.c.d (RFC 5214 section 6.1): below any prefix, a host at that address inside may be reached.
func isISATAP(address netip.Addr) bool {
	bytes := address.As16()
	return bytes[8]&^0x02 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe
}

func anyContains(prefixes []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

// parseNetwork reads a CIDR, or an address as the network of itself alone.
func parseNetwork(text string) (netip.Prefix, bool) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network.Masked(), true
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	address = address.Unmap()
	return netip.PrefixFrom(address, address.BitLen()), true
}

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		parsed[i] = netip.MustParsePrefix(text)
	}
	return parsed
}
