package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcpgate/config"
)

// authority signs certificates for a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate for localhost and its key, both as PEM, signed by parent, or by itself where that is nil.
func issue(t *testing.T, parent *authority) (certificate, key string, issued *authority) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "mcpgate test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	signer := &authority{template, private}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, &private.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})), &authority{parsed, private}
}

// The main address asks for client certificates; the health paths are on an address of their own, for probes that
// have none; the admin address asks for its key.
func TestServeTLS(t *testing.T) {
	ca, _, root := issue(t, nil)
	certificate, key, _ := issue(t, root)
	health, admin := freePort(t), freePort(t)
	p := start(t, map[string]string{
		"ca.pem": ca, "cert.pem": certificate, "key.pem": key,
		"gateway.yaml": fmt.Sprintf(`
server:
  listen: "127.0.0.1:0"
  health: "127.0.0.1:%s"
  admin: "127.0.0.1:%s"
  admin_key: ${ADMIN:-k3y-of-the-admin-address-0123456}
  tls: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem}
upstreams: {petstore: {spec: petstore.yaml, base_url: "sandbox:"}}
`, health, admin),
	})
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("MCP is at %s", p.url)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root.certificate)
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	if resp, err := stranger.Get(p.url); err == nil {
		resp.Body.Close()
		t.Errorf("without a certificate: %s", resp.Status)
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	friend := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}, ForceAttemptHTTP2: true,
	}}
	resp, err := friend.Get(strings.TrimSuffix(p.url, "/mcp") + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Errorf("with a certificate: %s over %s", resp.Status, resp.Proto)
	}
	check := exec.Command("mcpgate", "health")
	check.Dir = p.command.Dir // it asks where gateway.yaml says
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("health: %v\n%s", err, out)
	}
	resp, err = http.Get("http://127.0.0.1:" + admin + "/debug/vars")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the admin address without its key: %s", resp.Status)
	}
	friend.CloseIdleConnections()
	p.signal(syscall.SIGTERM)
	if state, log := p.wait(); state.ExitCode() != exitOK {
		t.Errorf("%s\n%s", state, log)
	}
}

func TestHealthURL(t *testing.T) {
	for want, server := range map[string]config.Server{
		"http://127.0.0.1:8080/healthz":  {Listen: ":8080", Health: "off"},
		"http://127.0.0.1:8081/healthz":  {Listen: "0.0.0.0:8081"},
		"http://127.0.0.1:8082/healthz":  {Listen: "[::]:8082"},
		"http://[::1]:8083/healthz":      {Listen: "[::1]:8083"},
		"http://10.0.0.7:8084/healthz":   {Listen: "10.0.0.7:8084"},
		"https://localhost:8443/healthz": {Listen: "localhost:8443", TLS: config.ServerTLS{CertFile: "c.pem"}},
		"http://127.0.0.1:8001/healthz":  {Listen: ":8443", Health: ":8001", TLS: config.ServerTLS{CertFile: "c.pem"}},
	} {
		if got := healthURL(server); got != want {
			t.Errorf("healthURL(%+v) = %s, want %s", server, got, want)
		}
	}
}

// With format: json every line on stderr is a record, from the first one on.
func TestServeLogsJSON(t *testing.T) {
	dir := t.TempDir()
	if err := copyFile("testdata/petstore.yaml", filepath.Join(dir, "petstore.yaml")); err != nil {
		t.Fatal(err)
	}
	text := `
name: shop
telemetry: {log: {format: json}}
upstreams:
  petstore: {spec: petstore.yaml}
  notes: {spec: petstore.yaml, base_url: "https://x.example", tools: {lost: {operation: nothing}}}
`
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, "mcpgate", "serve", "--sandbox", "--listen", "127.0.0.1:0")
	command.Dir = dir
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var messages []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var record struct {
			Message   string   `json:"msg"`
			Name      string   `json:"name"`
			URL       string   `json:"url"`
			Tools     int      `json:"tools"`
			Withheld  int      `json:"withheld"`
			Sandboxes []string `json:"sandboxes"`
			Problem   string   `json:"problem"`
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Errorf("%v: %s", err, lines.Text())
		}
		messages = append(messages, record.Message)
		switch record.Message {
		case "serving":
			if record.Name != "shop" || !strings.HasSuffix(record.URL, "/mcp") || record.Tools != 4 || record.Withheld != 4 || len(record.Sandboxes) != 2 {
				t.Errorf("record %+v", record)
			}
		case "lost while loading":
			if !strings.Contains(record.Problem, `no operation "nothing"`) {
				t.Errorf("record %+v", record)
			}
			if err := command.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	if len(messages) < 2 {
		t.Errorf("messages %q", messages)
	}
}
