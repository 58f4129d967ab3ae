package gateway

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpgate/internal/fault"
)

// tlsServer serves a certificate for name that is valid until the given time.
func tlsServer(t *testing.T, name string, until time.Time) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// rawServer writes text to every connection, after the request's first bytes.
func rawServer(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// Every way in which a connection fails has words of its own, against real servers where one can be had.
func TestNetworkFaults(t *testing.T) {
	hour := time.Now().Add(time.Hour)
	good, expired, other := tlsServer(t, "127.0.0.1", hour), tlsServer(t, "127.0.0.1", time.Now().Add(-time.Hour)), tlsServer(t, "other.example", hour)
	demanding := tlsServer(t, "127.0.0.1", hour)
	demanding.TLS.ClientAuth = tls.RequireAnyClientCert
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	trust := func(server *httptest.Server) string { return "/outbound: {ca_file: " + caFile(t, server) + "}" }
	tests := []struct {
		name, base, line string
		code             fault.Code
		message, hint    string
		retryable        bool
	}{
		{"unknown authority", good.URL, "/outbound: {}", fault.Connection, "authority that the gateway does not trust", "outbound.ca_file", false},
		{"expired", expired.URL, trust(expired), fault.Connection, "has expired", "clock", false},
		{"another name", other.URL, trust(other), fault.Connection, "certificate for another host name", "base_url", false},
		{"no TLS there", strings.Replace(plain.URL, "http:", "https:", 1), "/outbound: {}", fault.Connection, "does not speak TLS", "http://", false},
		{"client certificate", demanding.URL, trust(demanding), fault.Connection, "refused the TLS handshake", "", false},
		{"no HTTP there", rawServer(t, "SSH-2.0-OpenSSH_9.6\r\n"), "/outbound: {}", fault.UnexpectedResponse, "not HTTP", "port", false},
		{"empty answer", rawServer(t, ""), "/outbound: {}", fault.Connection, "closed the connection", "", true},
		{"half an answer", rawServer(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "/outbound: {}", fault.Connection, "before the answer was complete", "", true},
		{"bad chunks", rawServer(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "/outbound: {}", fault.Connection, "broke the connection", "", true},
		{"no such name", "http://no-such-host.invalid", "/outbound: {}", fault.Connection, "has a host name that", "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLabAt(t, test.base, test.line, "retry: {attempts: 1}")
			e := l.failed(l.call("read", arguments["read"]))
			if e.Code != test.code || e.Retryable != test.retryable || !strings.Contains(e.Message, test.message) || !strings.Contains(e.Hint, test.hint) {
				t.Errorf("%+v\n%s", e, l.log.String())
			}
			if strings.Contains(e.Message, "127.0.0.1") || strings.Contains(e.Message, "invalid") || !strings.Contains(e.Message, `"up"`) {
				t.Errorf("%s", e.Message)
			}
		})
	}
}

func TestHTTP2StreamThatEnds(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	l := newLabAt(t, server.URL, "/outbound: {ca_file: "+caFile(t, server)+"}", "retry: {backoff: 1ms}")
	e := l.failed(l.call("read", arguments["read"]))
	if e.Code != fault.Connection || !e.Retryable || !strings.Contains(e.Message, "HTTP/2 stream") || !strings.Contains(e.Message, "tried 4 times") {
		t.Errorf("%+v", e)
	}
	e = l.failed(l.call("write", arguments["write"]))
	if e.Retryable || strings.Contains(e.Message, "tried") {
		t.Errorf("%+v", e)
	}
}

func TestCertificateIsNotTriedAgain(t *testing.T) {
	server := tlsServer(t, "127.0.0.1", time.Now().Add(time.Hour))
	l := newLabAt(t, server.URL)
	e := l.failed(l.call("read", arguments["read"]))
	if l.upstream.retry.attempts != 4 || !strings.Contains(l.log.String(), `"attempts":1`) || strings.Contains(e.Message, "tried") {
		t.Errorf("%+v %s", e, l.log)
	}
}

func TestBrokenCompression(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "this is not gzip at all")
	}))
	if e := l.failed(l.call("read", arguments["read"])); e.Code != fault.UnexpectedResponse || !strings.Contains(e.Message, "compression") {
		t.Errorf("%+v", e)
	}
}

// A small answer that unpacks to a large one is bounded by what it unpacks to.
func TestCompressedBombIsTooLarge(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "application/json")
		packed := gzip.NewWriter(w)
		zeros := make([]byte, 1<<20)
		for range 100 {
			if _, err := packed.Write(zeros); err != nil {
				return
			}
		}
		_ = packed.Close()
	}), "response: {max_bytes: 1MiB}")
	if e := l.failed(l.call("read", arguments["read"])); e.Code != fault.TooLarge {
		t.Errorf("%+v", e)
	}
}

func TestExplainKeepsTheURLOut(t *testing.T) {
	cause := &url.Error{Op: "Get", URL: "https://up.example/things/argument-value?q=private", Err: syscall.ECONNRESET}
	failure := explain("up", cause, 0)
	if text := failure.fault.Cause.Error(); strings.Contains(text, "private") || !strings.Contains(text, "reset") {
		t.Error(text)
	}
	if failure.unsent {
		t.Error("a reset counts as if nothing had been sent")
	}
}
