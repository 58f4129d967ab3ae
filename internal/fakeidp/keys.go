package fakeidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

type signingKey struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

func newSigningKey(algorithm string) signingKey {
	var private crypto.Signer
	var err error
	if algorithm == "ES256" {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return signingKey{random("k-"), jose.SignatureAlgorithm(algorithm), private}
}

func (k signingKey) sign(typ string, claims map[string]any) string {
	key := jose.SigningKey{Algorithm: k.algorithm, Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		panic(err) // an algorithm that is not for the key
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // a test's own claims
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// RotateKeys signs with a new key from now on. The old ones stay in the set of keys where keep says so.
func (p *IdP) RotateKeys(keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := newSigningKey(p.options.Algorithm)
	if !keep {
		p.keys = nil
	}
	p.keys = append([]signingKey{fresh}, p.keys...)
}

func (p *IdP) jwks(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.algorithm), Use: "sig"})
	}
	reply(w, http.StatusOK, set)
}

// idToken is called with the lock held.
func (p *IdP) idToken(g *grant) string {
	o := p.options
	issuer := p.issuer()
	if o.TokenIssuer != "" {
		issuer = strings.ReplaceAll(o.TokenIssuer, "{origin}", o.Origin)
	}
	now := o.Now()
	claims := map[string]any{
		"iss": issuer, "sub": g.user.Subject, "aud": g.client, "iat": now.Unix(), "exp": now.Add(o.AccessTokenTTL).Unix(), "auth_time": g.created.Unix(),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	for name, value := range g.user.Claims {
		claims[name] = value
	}
	if o.ChangeIDToken != nil {
		o.ChangeIDToken(claims)
	}
	if o.ForgeIDToken != nil {
		return o.ForgeIDToken(claims)
	}
	return p.keys[0].sign("JWT", claims)
}

// accessTokenText is called with the lock held.
func (p *IdP) accessTokenText(g *grant) string {
	if !p.options.JWTAccessTokens {
		return random("at-")
	}
	now := p.options.Now()
	return p.keys[0].sign("at+jwt", map[string]any{
		"iss": p.issuer(), "sub": g.user.Subject, "aud": "api", "client_id": g.client, "scope": strings.Join(g.scopes, " "),
		"iat": now.Unix(), "exp": now.Add(p.options.AccessTokenTTL).Unix(), "jti": random(""),
	})
}

func has(list []string, value string) bool { return slices.Contains(list, value) }
