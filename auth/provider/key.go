package provider

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/config"
)

const assertionLife = 60 * time.Second

// assertionKey signs what private_key_jwt shows.
type assertionKey struct{ signer jose.Signer }

// readKey reads a private key: PEM as PKCS #8, PKCS #1 or SEC 1, a JWK, or the JSON file of a Google service account.
func readKey(cfg config.PrivateKey) (*assertionKey, error) {
	if cfg.KeyFile == "" {
		return nil, errors.New("private_key_jwt needs a key_file")
	}
	text, err := os.ReadFile(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	key, id, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("key_file: %s: %w", cfg.KeyFile, err)
	}
	if cfg.KeyID != "" {
		id = cfg.KeyID
	}
	algorithm, err := algorithmFor(key, cfg.Algorithm)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	return &assertionKey{signer}, nil
}

// parseKey returns the key, and the kid that a JWK may have. No error quotes the file.
func parseKey(text []byte) (key crypto.PrivateKey, id string, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		var account struct { // as Google hands out for a service account
			PrivateKey string `json:"private_key"`
			ID         string `json:"private_key_id"`
		}
		if json.Unmarshal(text, &account) == nil && strings.HasPrefix(account.PrivateKey, "-----BEGIN") {
			key, _, err = parseKey([]byte(account.PrivateKey))
			return key, account.ID, err
		}
		var jwk jose.JSONWebKey
		if json.Unmarshal(text, &jwk) != nil || !jwk.Valid() {
			return nil, "", errors.New("it is no JWK")
		}
		if jwk.IsPublic() {
			return nil, "", errors.New("the JWK is a public key; the private one is needed")
		}
		return jwk.Key, jwk.KeyID, nil
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.Contains(block.Type, "ENCRYPTED") || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, "", errors.New("the key is encrypted; write it without a passphrase, e.g. by `openssl pkey`, into a file that only the gateway can read")
		case block.Type == "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue // a certificate, or the parameters of a curve
		}
		if err != nil {
			return nil, "", errors.New("the PEM block " + block.Type + " can't be read")
		}
		return key, "", nil
	}
	return nil, "", errors.New("it holds no private key in PEM, and is no JWK")
}

// algorithmFor checks that an algorithm is for the key, or chooses one.
func algorithmFor(key crypto.PrivateKey, asked string) (jose.SignatureAlgorithm, error) {
	var fitting []jose.SignatureAlgorithm // the default first
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return "", fmt.Errorf("an RSA key of %d bits is too short; 2048 is the least", k.N.BitLen())
		}
		fitting = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	case *ecdsa.PrivateKey:
		byCurve := map[string]jose.SignatureAlgorithm{"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512}
		algorithm, ok := byCurve[k.Curve.Params().Name]
		if !ok {
			return "", fmt.Errorf("no signature algorithm is for the curve %s", k.Curve.Params().Name)
		}
		fitting = []jose.SignatureAlgorithm{algorithm}
	case ed25519.PrivateKey:
		fitting = []jose.SignatureAlgorithm{jose.EdDSA}
	default:
		return "", fmt.Errorf("a key of this kind (%T) can't sign assertions", key)
	}
	if asked == "" {
		return fitting[0], nil
	}
	for _, algorithm := range fitting {
		if string(algorithm) == asked {
			return algorithm, nil
		}
	}
	return "", fmt.Errorf("algorithm: %s is not for this key, which signs %v", asked, fitting)
}

// assertion is a proof of the client that holds for a minute, once (RFC 7523 section 3). scope is NetSuite's: with client_credentials it reads the
// scopes there, and others don't mind the claim.
func (k *assertionKey) assertion(clientID, audience, scope string, now time.Time) (string, error) {
	claims := map[string]any{
		"iss": clientID, "sub": clientID, "aud": audience, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
	if scope != "" {
		claims["scope"] = scope
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return k.sign(text)
}

// sign writes claims as a compact JWT.
func (k *assertionKey) sign(claims []byte) (string, error) {
	signed, err := k.signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}
