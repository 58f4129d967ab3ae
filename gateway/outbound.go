package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"

	"mcpgate/config"
)

const (
	dialTimeout       = 10 * time.Second // an attempt's own timeout ends it earlier where it is shorter
	handshakeTimeout  = 10 * time.Second
	idleTimeout       = 55 * time.Second // below the 60 s after which usual load balancers close: a POST on a closing one can't be repeated
	pingAfter         = 30 * time.Second // of silence on HTTP/2, so that a dead connection is found before a call finds it
	pingTimeout       = 15 * time.Second
	idlePerHost       = 64
	maxResponseHeader = 256 << 10 // bytes
	documentTimeout   = time.Minute
	maxRedirects      = 5
)

// newTransport returns a pool of connections that obeys outbound. With a guard it opens none to an address that the
// guard refuses; without one it goes wherever it is told, which is right for what gateway.yaml itself names.
func newTransport(outbound config.Outbound, guard *guard) (*http.Transport, error) {
	roots, err := rootCAs(outbound.CAFile)
	if err != nil {
		return nil, err
	}
	proxy, err := newProxy(outbound, guard)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                  proxy.choose,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true, // net/http switches it off where DialContext is set
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxIdleConns:           2 * idlePerHost,
		MaxIdleConnsPerHost:    idlePerHost,
		IdleConnTimeout:        idleTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxResponseHeader,
		OnProxyConnectResponse: checkConnect,
	}
	if guard != nil {
		transport.DialContext = guard.dialer(proxy.address)
	}
	return transport, nil
}

// outboundClient returns the client that fetches documents, and what decides about the URLs that documents name. The
// hosts of the spec URLs of gateway.yaml are allowed as they stand; a document's own $refs lead there, or to hosts in
// outbound.allow, and nowhere else.
func outboundClient(cfg *config.Config) (*http.Client, func(*url.URL) error, error) {
	guard, err := newGuard(cfg.Outbound)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range cfg.Upstreams {
		guard.allowLocations(u.Spec)
	}
	transport, err := newTransport(cfg.Outbound, guard)
	if err != nil {
		return nil, nil, err
	}
	client := &http.Client{Transport: transport, Timeout: documentTimeout, CheckRedirect: checkDocumentRedirect}
	return client, guard.allowReference, nil
}

// checkDocumentRedirect bounds how far a document's URL may lead; where it leads is the guard's business, at the dial.
func checkDocumentRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("a redirect from https to http is not followed")
	}
	return nil
}

// rootCAs returns the system's authorities and those of file; nil, which means the system's, without a file.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("outbound.ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any; the file is what counts
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("outbound.ca_file: %s holds no PEM certificate", file)
	}
	return pool, nil
}

// proxy chooses between the way through outbound.proxy and the direct one.
type proxy struct {
	address string // host:port of the proxy; "" without one
	rule    func(*url.URL) (*url.URL, error)
	guard   *guard
}

func newProxy(outbound config.Outbound, guard *guard) (*proxy, error) {
	if outbound.Proxy == "" {
		return &proxy{}, nil
	}
	parsed, err := url.Parse(outbound.Proxy)
	if err != nil || parsed.Host == "" {
		return nil, errors.New("outbound.proxy: it is not a URL such as http://proxy.example:3128")
	}
	switch parsed.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return nil, fmt.Errorf("outbound.proxy: %q is not a proxy's scheme; it is http, https, socks5 or socks5h", parsed.Scheme)
	}
	rule := httpproxy.Config{HTTPProxy: outbound.Proxy, HTTPSProxy: outbound.Proxy, NoProxy: outbound.NoProxy}
	return &proxy{net.JoinHostPort(parsed.Hostname(), portOf(parsed)), rule.ProxyFunc(), guard}, nil
}

// choose is http.Transport's Proxy. The target's address is looked at here, before the proxy is asked for it, because
// the dial only sees the proxy's own.
func (p *proxy) choose(req *http.Request) (*url.URL, error) {
	if p.rule == nil {
		return nil, nil
	}
	via, err := p.rule(req.URL)
	if via == nil || err != nil || p.guard == nil {
		return via, err
	}
	return via, p.guard.checkHost(req.Context(), req.URL.Hostname(), portOf(req.URL))
}

// checkConnect gives a proxy's refusal a type, where net/http would have only its text.
func checkConnect(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: fmt.Errorf("the proxy answered %s", answer.Status)}
}

// dialer returns a DialContext that looks at each address after the name is resolved, so that a name which changes its
// address between a check and the dial gains nothing. proxy (host:port) is exempt: gateway.yaml names it.
func (g *guard) dialer(proxy string) func(ctx context.Context, network, address string) (net.Conn, error) {
	open := &net.Dialer{Timeout: dialTimeout}
	checked := &net.Dialer{Timeout: dialTimeout, ControlContext: g.control}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if g.names(host, port) || (proxy != "" && strings.EqualFold(address, proxy)) {
			return open.DialContext(ctx, network, address)
		}
		return checked.DialContext(ctx, network, address)
	}
}

// control looks at the address of a socket that is about to connect: whatever notation or name led to it.
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q can't be checked: %w", address, err)
	}
	return g.checkAddress(resolved.Addr())
}

// isWeb reports whether u is an absolute http or https URL.
func isWeb(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// portOf returns the port of a URL, the scheme's usual one where it names none.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	switch u.Scheme {
	case "http":
		return "80"
	case "socks5", "socks5h":
		return "1080"
	}
	return "443"
}
