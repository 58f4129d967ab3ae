package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpgate/config"
)

// certificate writes a new self-signed client certificate and its key as PEM files.
func certificate(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, name+".pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, filepath.Join(dir, name+"-key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})))
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// An upstream that demands a client certificate gets it, trusted by an authority of its own; a host that it redirects to doesn't.
func TestMutualTLS(t *testing.T) {
	dir := t.TempDir()
	client := certificate(t, dir, "gateway")
	strangers := 0
	stranger := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strangers += len(r.TLS.PeerCertificates)
		_, _ = io.WriteString(w, `{}`)
	}))
	stranger.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/2") {
			http.Redirect(w, r, stranger.URL, http.StatusTemporaryRedirect)
			return
		}
		replyJSON(w, http.StatusOK, map[string]string{"client": r.TLS.PeerCertificates[0].Subject.CommonName})
	}))
	pool := x509.NewCertPool()
	pool.AddCert(client)
	api.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	api.StartTLS()
	t.Cleanup(api.Close)
	write(t, filepath.Join(dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw})))
	write(t, filepath.Join(dir, "pets.yaml"), petstore)
	load := func(tls string) *Gateway {
		write(t, filepath.Join(dir, "gateway.yaml"), `outbound: {ca_file: ca.pem, allow: ["`+strings.TrimPrefix(stranger.URL, "https://")+`"]}
upstreams:
  pets: {spec: pets.yaml, base_url: "`+api.URL+`", retry: {attempts: 1}, tls: `+tls+`}
`)
		cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		g, err := New(t.Context(), cfg, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Close(t.Context()) })
		return g
	}
	g := load("{cert_file: gateway.pem, key_file: gateway-key.pem, ca_file: ca.pem}")
	if got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`)); !got.OK || !strings.Contains(string(got.Data), "gateway") {
		t.Errorf("%+v %s", got.Errors, got.Data)
	}
	if got := g.Call(t.Context(), "getPet", json.RawMessage(`{"id":2}`)); !got.OK || strangers != 0 {
		t.Errorf("the host that it was sent to saw %d certificates: %+v", strangers, got.Errors)
	}
	if got := load("{ca_file: ca.pem}").Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`)); got.OK {
		t.Error("without a certificate")
	}
}
