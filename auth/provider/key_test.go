package provider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
)

func write(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func block(t *testing.T, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// TestPrivateKeyJWT logs in and refreshes with keys of every kind and form.
func TestPrivateKeyJWT(t *testing.T) {
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	p256 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return block(t, "PRIVATE KEY", der, err)
	}
	sec1, err := x509.MarshalECPrivateKey(p256)
	parameters := append(block(t, "EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil), block(t, "EC PRIVATE KEY", sec1, err)...)
	jwk, err := json.Marshal(jose.JSONWebKey{Key: p256, KeyID: "of-the-jwk"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, algorithm string
		file            []byte
		public          crypto.PublicKey
		kid             string
	}{
		{"RSA, PKCS 8", "", pkcs8(rsaKey), rsaKey.Public(), "k1"},
		{"RSA, PKCS 1, PS256", "PS256", block(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil), rsaKey.Public(), "k1"},
		{"P-256, SEC 1 with parameters", "ES256", parameters, p256.Public(), "k1"},
		{"P-384, PKCS 8", "", pkcs8(p384), p384.Public(), "k1"},
		{"Ed25519", "", pkcs8(edKey), edKey.Public(), "k1"},
		{"JWK", "", jwk, p256.Public(), "of-the-jwk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := fakeidp.Options{Clients: []fakeidp.Client{{ID: "mcpgate", Key: tt.public, KeyID: tt.kid}}}
			l := newLab(t, o, func(cfg *config.Provider, _ *fakeidp.IdP) {
				cfg.TokenEndpointAuthMethod = methodAssertion
				cfg.PrivateKey = config.PrivateKey{KeyFile: write(t, tt.file), Algorithm: tt.algorithm}
				if tt.kid == "k1" {
					cfg.PrivateKey.KeyID = "k1"
				}
			})
			tokens, _ := l.login()
			fresh, err := l.Refresh(t.Context(), tokens)
			if err != nil {
				t.Fatalf("%v: %s", err, cause(err))
			}
			if err := l.Revoke(t.Context(), fresh); err != nil {
				t.Errorf("%v: %s", err, cause(err))
			}
			l.quiet()
		})
	}
}

func TestAudienceOfTheAssertion(t *testing.T) {
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der, err := x509.MarshalECPrivateKey(key)
	o := fakeidp.Options{Clients: []fakeidp.Client{{ID: "mcpgate", Key: key.Public()}}}
	file := write(t, block(t, "EC PRIVATE KEY", der, err))
	for audience, taken := range map[string]bool{"": true, "https://id.example": true, "https://other.example": false} {
		l := newLab(t, o, func(cfg *config.Provider, _ *fakeidp.IdP) {
			cfg.PrivateKey = config.PrivateKey{KeyFile: file, Audience: audience}
		})
		if _, _, err := l.Exchange(t.Context(), l.browse()); (err == nil) != taken {
			t.Errorf("%q: %v: %s", audience, err, cause(err))
		}
	}
}

func TestKeyFilesThatCannotBeUsed(t *testing.T) {
	weak := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	p256 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p224 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	sec1 := must[[]byte](t)(x509.MarshalECPrivateKey(p256))
	public := must[[]byte](t)(json.Marshal(jose.JSONWebKey{Key: p256.Public()}))
	oct := must[[]byte](t)(json.Marshal(jose.JSONWebKey{Key: []byte("a-shared-secret")}))
	for _, tt := range []struct {
		want, algorithm string
		file            []byte
	}{
		{"holds no private key", "", nil},
		{"holds no private key", "", []byte("secret words")},
		{"holds no private key", "", block(t, "CERTIFICATE", []byte("x"), nil)},
		{"can't be read", "", block(t, "PRIVATE KEY", []byte("secret words"), nil)},
		{"is encrypted", "", block(t, "ENCRYPTED PRIVATE KEY", []byte("x"), nil)},
		{"too short", "", block(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak), nil)},
		{"RS256 is not for this key, which signs [ES256]", "RS256", block(t, "EC PRIVATE KEY", sec1, nil)},
		{"ES384 is not for this key", "ES384", block(t, "EC PRIVATE KEY", sec1, nil)},
		{"curve P-224", "", block(t, "EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(p224)), nil)},
		{"public key", "", public},
		{"no JWK", "", oct},
		{"no JWK", "", []byte(`{"kty":"EC","d":"secret words"}`)},
	} {
		cfg := &config.Provider{Issuer: "https://id.example", PrivateKey: config.PrivateKey{KeyFile: write(t, tt.file), Algorithm: tt.algorithm}}
		_, err := New(cfg, Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "private_key") || strings.Contains(err.Error(), "secret words") {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
}
