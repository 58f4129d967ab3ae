package gateway

import (
	"bufio"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// caFile writes a test server's certificate where outbound.ca_file can name it.
func caFile(t *testing.T, server *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestUpstreamOverHTTP2(t *testing.T) {
	var protocols []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocols = append(protocols, r.Proto)
		_, _ = io.WriteString(w, "ok")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	l := newLabAt(t, server.URL, "/outbound: {ca_file: "+caFile(t, server)+"}")
	for range 2 {
		if outcome := l.call("read", arguments["read"]); !outcome.OK {
			t.Fatal(asJSON(t, outcome))
		}
	}
	if diff := cmp.Diff([]string{"HTTP/2.0", "HTTP/2.0"}, protocols); diff != "" {
		t.Error(diff)
	}
}

func TestCAFileThatCannotBeUsed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{empty: "holds no PEM certificate", empty + "x": "no such file"} {
		cfg := &config.Config{Outbound: config.Outbound{CAFile: file}}
		if _, err := newUpstream(cfg, &config.Upstream{Name: "up"}, upstreamOptions{}); err == nil ||
			!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "outbound.ca_file") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What only the document names must not lead inside, and the message says what the operator can do.
func TestBaseURLOfTheDocumentIsGuarded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close()
	named := newLabAt(t, server.URL)
	if outcome := named.call("read", arguments["read"]); !outcome.OK {
		t.Fatal(asJSON(t, outcome))
	}
	fromDocument := func(outbound string) *lab {
		l := newLabAt(t, server.URL, outbound)
		c := *l.upstream.config
		c.BaseURL = "" // the tools keep the URL, as if a document had named it
		cfg := loadConfig(t, outbound[1:]+"\nupstreams: {x: {spec: x.yaml}}\n")
		upstream, err := newUpstream(cfg, &c, upstreamOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l.upstream = upstream
		return l
	}
	e := fromDocument("/outbound: {}").failed(fromDocument("/outbound: {}").call("read", arguments["read"]))
	if e.Code != fault.ConfigurationInvalid || e.Retryable || !strings.Contains(e.Hint, "base_url") || strings.Contains(e.Message, "127.0.0.1") {
		t.Errorf("%+v", e)
	}
	beside := fromDocument("/outbound: {}")
	beside.upstream.guard.allowLocations([]string{server.URL + "/openapi.yaml"})
	if outcome := beside.call("read", arguments["read"]); !outcome.OK {
		t.Errorf("beside the document: %s", asJSON(t, outcome))
	}
	for _, outbound := range []string{"/outbound: {deny_private: false}", "/outbound: {allow: [127.0.0.0/8]}",
		"/outbound: {allow: ['" + strings.TrimPrefix(server.URL, "http://") + "']}"} {
		if outcome := fromDocument(outbound).call("read", arguments["read"]); !outcome.OK {
			t.Errorf("%s: %s", outbound, asJSON(t, outcome))
		}
	}
}

// A name that is public when it is looked up, and not when it is dialled, gains nothing: the dial looks at the address.
func TestGuardAtTheDial(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	g := newTestGuard(t)
	g.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
	}
	if err := g.checkHost(t.Context(), "localhost", port); err != nil {
		t.Fatal(err)
	}
	dial := g.dialer("")
	for _, host := range []string{"localhost", "127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "127.1"} {
		conn, err := dial(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s was dialled", host)
		} else if _, dns := errors.AsType[*net.DNSError](err); !isForbidden(err) && !dns {
			t.Errorf("%s: %v", host, err)
		}
	}
	g.allowHost("localhost", port)
	conn, err := dial(t.Context(), "tcp", net.JoinHostPort("localhost", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// connectProxy is an HTTP proxy that notes what it is asked for and answers itself.
func connectProxy(t *testing.T) (address string, asked *[]string) {
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.Host)
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, "from the proxy")
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestProxyIsUsed(t *testing.T) {
	address, asked := connectProxy(t)
	l := newLabAt(t, "http://api.example", "/outbound: {proxy: '"+address+"', no_proxy: direct.example}")
	if outcome := l.call("read", arguments["read"]); !outcome.OK || !strings.Contains(string(outcome.Data), "from the proxy") {
		t.Error(asJSON(t, outcome))
	}
	if diff := cmp.Diff([]string{"GET api.example"}, *asked); diff != "" {
		t.Error(diff)
	}
	l = newLabAt(t, "https://api.example", "/outbound: {proxy: '"+address+"'}", "retry: {attempts: 1}")
	e := l.failed(l.call("read", arguments["read"]))
	if e.Code != fault.Connection || !strings.Contains(e.Message, "outbound proxy") {
		t.Errorf("%+v", e)
	}
	req, _ := http.NewRequest(http.MethodGet, "https://direct.example", nil)
	if via, err := l.upstream.base.(*http.Transport).Proxy(req); err != nil || via == nil {
		t.Errorf("without no_proxy: %v %v", via, err)
	}
}

// The proxy would dial for us, so the address is looked at before it is asked.
func TestProxyIsNotAskedForWhatIsInside(t *testing.T) {
	address, asked := connectProxy(t)
	g := newTestGuard(t)
	transport, err := newTransport(config.Outbound{Proxy: address}, g)
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, target := range []string{"http://private.example/", "https://private.example/", "http://10.0.0.1/", "http://unknown.example/"} {
		if resp, err := client.Get(target); !isForbidden(err) {
			if err == nil {
				_ = resp.Body.Close()
			}
			t.Errorf("%s: %v", target, err)
		}
	}
	if len(*asked) != 0 {
		t.Errorf("the proxy was asked for %v", *asked)
	}
	resp, err := client.Get("http://public.example/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

func TestProxyOfTheEnvironmentDoesNotCount(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	transport, err := newTransport(config.Outbound{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodGet, "https://api.example", nil)
	if via, err := transport.Proxy(req); via != nil || err != nil {
		t.Errorf("%v %v", via, err)
	}
}

func TestProxyThatCannotBeUsed(t *testing.T) {
	for _, proxy := range []string{"proxy.example:3128", "ftp://proxy.example", "://", "/x"} {
		if _, err := newTransport(config.Outbound{Proxy: proxy}, nil); err == nil || !strings.Contains(err.Error(), "outbound.proxy") {
			t.Errorf("%q: %v", proxy, err)
		}
	}
}

func TestDocumentClientDoesNotFollowEverything(t *testing.T) {
	hops := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer server.Close()
	cfg := loadConfig(t, "upstreams: {up: {spec: '"+server.URL+"/openapi.yaml'}}\n")
	client, _, err := outboundClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	resp, err := client.Get(server.URL + "/openapi.yaml")
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil || hops != maxRedirects+1 {
		t.Errorf("%d hops: %v", hops, err)
	}
	downgrade := &http.Request{URL: &url.URL{Scheme: "http", Host: "docs.example"}}
	first := &http.Request{URL: &url.URL{Scheme: "https", Host: "docs.example"}}
	if err := checkDocumentRedirect(downgrade, []*http.Request{first}); err == nil {
		t.Error("a redirect from https to http is followed")
	}
}

// Headers without end are cut off.
func TestResponseHeaderLimit(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		for range 1000 {
			if _, err := io.WriteString(conn, "X-Filler: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return
			}
		}
	}()
	l := newLabAt(t, "http://"+listener.Addr().String())
	e := l.failed(l.call("read", arguments["read"]))
	if e.Code != fault.UnexpectedResponse || e.Retryable || !strings.Contains(e.Message, "headers larger than 256 KiB") {
		t.Errorf("%+v", e)
	}
}
