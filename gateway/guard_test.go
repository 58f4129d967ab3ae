package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"mcpgate/config"
)

func TestIsPublic(t *testing.T) {
	inside := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1",
		"64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "5f00::1", "4000::1",
		"100.127.255.255", "192.168.255.255", "239.255.255.255", "::ffff:0:7f00:1", "::ffff:100.64.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::6440:1", "64:ff9b:1:7f00:1::",
		"64:ff9b:1:ffff::808:808", "2002:a9fe:a9fe::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2600::5efe:127.0.0.1", "2600::200:5efe:10.0.0.1",
		"2600:1234::5efe:8.8.8.8", "fe80::5efe:192.168.1.1", "ff0e::1", "::ffff:169.254.169.254", "fd20:ce::254",
	}
	for _, text := range inside {
		if isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as public", text)
		}
	}
	outside := []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255",
		"2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		"2600::5efe", "2600:5efe::1", "2600::1:5efe:808:808",
	}
	for _, text := range outside {
		if !isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s does not count as public", text)
		}
	}
}

// An IPv4 address decides alike in every notation that leads to it.
func FuzzIsPublicAgreesAcrossNotations(f *testing.F) {
	f.Add(uint32(0x7f000001))
	f.Add(uint32(0x08080808))
	f.Fuzz(func(t *testing.T, bits uint32) {
		four := [4]byte{byte(bits >> 24), byte(bits >> 16), byte(bits >> 8), byte(bits)}
		plain := netip.AddrFrom4(four)
		nat := nat64.Addr().As16()
		copy(nat[12:], four[:])
		for _, other := range []netip.Addr{netip.AddrFrom16(plain.As16()), netip.AddrFrom16(nat)} {
			if isPublic(other) != isPublic(plain) {
				t.Errorf("%s and %s", plain, other)
			}
		}
	})
}

// FuzzNoAddressInsideIsDialed holds that an address which is let through is, to net/netip, a global one, and carries none inside
// it that is not; and that the dial decides the same, whatever the notation.
func FuzzNoAddressInsideIsDialed(f *testing.F) {
	for _, text := range []string{"127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:1:2::80ff:fffe", "2600::5efe:7f00:1", "fe80::1%eth0",
		"8.8.8.8", "2606:4700::1111", "100.64.0.1", "0.0.0.0", "::", "ff02::1", "::7f00:1", "::ffff:0:7f00:1", "127.1", "0177.0.0.1", "2130706433"} {
		f.Add(text)
	}
	g := &guard{denyPrivate: true}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := netip.ParseAddr(text)
		if err != nil {
			if g.control(t.Context(), "tcp", net.JoinHostPort(text, "443"), nil) == nil {
				t.Fatalf("%q is dialed and is no address", text)
			}
			return
		}
		allowed := g.checkAddress(address) == nil
		if dialed := g.control(t.Context(), "tcp", net.JoinHostPort(text, "443"), nil) == nil; dialed != allowed {
			t.Fatalf("%s: allowed %v, dialed %v", text, allowed, dialed)
		}
		if !allowed {
			return
		}
		bytes := address.As16()
		inner := []netip.Addr{address.Unmap()}
		if address.Is6() && !address.Is4In6() {
			switch first, second := binary.BigEndian.Uint16(bytes[:]), binary.BigEndian.Uint16(bytes[2:]); {
			case first == 0x2002, first == 0x2001 && second == 0, first == 0x64 && second == 0xff9b && bytes[5] == 1, binary.BigEndian.Uint32(bytes[8:])&^0x02000000 == 0x5efe:
				t.Fatalf("%s is a tunnel", text)
			case first == 0x64:
				inner = []netip.Addr{netip.AddrFrom4([4]byte(bytes[12:]))}
			}
		}
		for _, each := range inner {
			if !each.IsGlobalUnicast() || each.IsPrivate() || each.IsLoopback() || each.IsLinkLocalUnicast() || each.Zone() != "" ||
				netip.MustParsePrefix("100.64.0.0/10").Contains(each) || netip.MustParsePrefix("0.0.0.0/8").Contains(each) {
				t.Fatalf("%s leads to %s", text, each)
			}
		}
	})
}

// A name or a notation that only the resolver understands is looked at when it has become an address.
func TestNoNotationOfLoopbackConnects(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	g, err := newGuard(config.Outbound{})
	if err != nil {
		t.Fatal(err)
	}
	dial := g.dialer("")
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0", "0.0.0.0", "::"} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		connection, err := dial(ctx, "tcp", net.JoinHostPort(host, port))
		cancel()
		if err == nil {
			connection.Close()
			t.Errorf("%s connects", host)
		}
	}
}

// A client metadata document is named by a stranger: nothing inside is asked for one, not even where deny_private is off for documents of APIs,
// and a name is looked at when it has become an address.
func TestClientDocumentsAreNotFetchedInside(t *testing.T) {
	asked := false
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer inside.Close()
	off := false
	for name, outbound := range map[string]config.Outbound{"": {}, "deny_private: false": {DenyPrivate: &off}} {
		client, err := clientDocuments(outbound)
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
		for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
			answer, err := client.Get("https://" + host + ":" + port + "/client.json")
			if err == nil {
				answer.Body.Close()
			}
			if !isForbidden(err) {
				t.Errorf("%s %s: %v", name, host, err)
			}
		}
		client.CloseIdleConnections()
	}
	if asked {
		t.Error("it was asked")
	}
}

func newTestGuard(t *testing.T, allow ...string) *guard {
	t.Helper()
	g, err := newGuard(config.Outbound{Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	g.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		known := map[string][]netip.Addr{
			"public.example":  {netip.MustParseAddr("93.184.216.34")},
			"private.example": {netip.MustParseAddr("10.1.2.3")},
			"both.example":    {netip.MustParseAddr("93.184.216.34"), netip.MustParseAddr("127.0.0.1")},
		}
		if addresses, ok := known[host]; ok {
			return addresses, nil
		}
		return nil, errors.New("no such host")
	}
	return g
}

func TestGuardChecksHosts(t *testing.T) {
	g := newTestGuard(t, "erp.internal:443", "Wiki.Internal", "10.9.0.0/16", "192.168.7.7", "[fd00::7]")
	tests := []struct {
		host, port string
		allowed    bool
	}{
		{"public.example", "443", true},
		{"private.example", "443", false},
		{"both.example", "443", false},
		{"unknown.example", "443", false},
		{"127.0.0.1", "80", false},
		{"::1", "80", false},
		{"8.8.8.8", "80", true},
		{"erp.internal", "443", true},
		{"ERP.internal.", "443", true},
		{"erp.internal", "80", false},
		{"wiki.internal", "8080", true},
		{"10.9.1.1", "80", true},
		{"::ffff:10.9.1.1", "80", true},
		{"10.8.1.1", "80", false},
		{"192.168.7.7", "80", true},
		{"192.168.7.8", "80", false},
		{"fd00::7", "80", true},
	}
	for _, test := range tests {
		err := g.checkHost(t.Context(), test.host, test.port)
		if (err == nil) != test.allowed {
			t.Errorf("%s:%s: %v", test.host, test.port, err)
		}
		if err != nil && (!isForbidden(err) || !strings.Contains(err.Error(), "outbound.allow")) {
			t.Errorf("%s:%s: the error says no way out: %v", test.host, test.port, err)
		}
	}
}

func TestGuardThatDeniesNothing(t *testing.T) {
	off := false
	g, err := newGuard(config.Outbound{DenyPrivate: &off})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.checkHost(t.Context(), "127.0.0.1", "80"); err != nil {
		t.Error(err)
	}
	if err := g.checkAddress(netip.MustParseAddr("169.254.169.254")); err != nil {
		t.Error(err)
	}
}

func TestGuardRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, entry := range []string{"", "http://erp.internal", "10.0.0.0/33", "*.internal", "erp internal", "erp:443:1", ":443"} {
		if _, err := newGuard(config.Outbound{Allow: []string{entry}}); err == nil || !strings.Contains(err.Error(), "outbound.allow") {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

func TestReferencesLeadOnlyWhereGatewayYAMLSays(t *testing.T) {
	cfg := loadConfig(t, "outbound: {allow: [schemas.example]}\nupstreams: {up: {spec: 'https://docs.example/api/openapi.yaml'}}\n")
	_, allow, err := outboundClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{
		"https://docs.example/api/common.yaml": true,
		"https://docs.example:8443/x":          false,
		"http://docs.example/x":                false, // another port
		"https://schemas.example/x":            true,
		"http://schemas.example/x":             true,
		"https://elsewhere.example/x":          false,
		"file:///etc/passwd":                   false,
		"ftp://docs.example/x":                 false,
	}
	for text, want := range tests {
		u, _ := url.Parse(text)
		if err := allow(u); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
