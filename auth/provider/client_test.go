package provider

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

// secure serves a fake provider over TLS, with an authority that nobody knows, and returns that as a file.
func secure(t *testing.T) (idp *fakeidp.IdP, caFile string) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	idp = fakeidp.New(fakeidp.Options{Origin: "https://" + server.Listener.Addr().String()})
	server.Config.Handler = idp
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return idp, write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestCAFile(t *testing.T) {
	idp, file := secure(t)
	pool := x509.NewCertPool() // what outbound.ca_file gave the gateway
	base := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool}, ForceAttemptHTTP2: true}
	defer base.CloseIdleConnections()
	cfg := config.Provider{Name: "idp", Issuer: idp.Issuer(), ClientID: "mcpgate"}
	for _, tt := range []struct {
		name, file string
		known      bool
	}{{"without", "", false}, {"with", file, true}} {
		cfg.CAFile = tt.file
		p, err := New(&cfg, Options{Client: &http.Client{Transport: base}})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Discover(t.Context()); (err == nil) != tt.known || err != nil && !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", tt.name, err)
		}
		if p.own != nil {
			if p.own.TLSClientConfig.MinVersion != tls.VersionTLS13 {
				t.Error("the base's own settings are lost")
			}
			p.own.CloseIdleConnections()
		}
	}
	if !pool.Equal(x509.NewCertPool()) {
		t.Error("the authority is known to everybody now")
	}
}

func TestCAFilesThatCannotBeUsed(t *testing.T) {
	cfg := config.Provider{Name: "idp", Issuer: "https://id.example", CAFile: write(t, []byte("no PEM"))}
	if _, err := New(&cfg, Options{}); err == nil || !strings.Contains(err.Error(), "holds no PEM certificate") {
		t.Error(err)
	}
	_, cfg.CAFile = secure(t)
	if _, err := New(&cfg, Options{Client: &http.Client{Transport: bounded{}}}); err == nil || !strings.Contains(err.Error(), "can't be added") {
		t.Error(err)
	}
}

// A redirect would take the code, the verifier and the client's secret to wherever it leads.
func TestRedirectsAreNotFollowed(t *testing.T) {
	visited := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		moved := httptest.NewServer(http.RedirectHandler(other.URL, status))
		p, err := New(&config.Provider{Name: "idp", AuthorizationURL: moved.URL, TokenURL: moved.URL, UserinfoURL: moved.URL, RevocationURL: moved.URL, ClientID: "mcpgate"}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		tokens := Tokens{AccessToken: "a", RefreshToken: "r"}
		if _, err := p.Refresh(t.Context(), tokens); !errors.Is(err, fault.Unavailable) || !strings.Contains(cause(err), "HTTP 30") {
			t.Errorf("%d: %v: %s", status, err, cause(err))
		}
		if err := p.Revoke(t.Context(), tokens); !errors.Is(err, fault.Unavailable) {
			t.Errorf("%d: %v", status, err)
		}
		if _, err := p.userinfo(t.Context(), "a", nil); err == nil {
			t.Errorf("%d: userinfo", status)
		}
		moved.Close()
	}
	if visited {
		t.Error("a redirect was followed")
	}
}
