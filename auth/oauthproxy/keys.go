package oauthproxy

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/internal/seal"
)

// accessTokenType is the typ of our access tokens (RFC 9068 section 2.1), so that no other JWT of ours or of the provider passes for one.
const accessTokenType = "at+jwt"

// A refresh token is the session's id, random bytes, and a mark that only this gateway can make: it tells an old token of ours, whose
// reuse ends the login, from one that somebody made up around a session's id, which must not.
const (
	sessionBytes = 16
	secretBytes  = 32 // 256 bits, what nobody guesses
	markBytes    = 16
)

// text takes one text for one value only: unused bits have to be zero.
var text = base64.RawURLEncoding.Strict()

// keys are what the ring's secrets come to for tokens. The first secret makes, all verify, so that a secret is rotated by putting the new one
// behind the old one on every process, then before it, and by taking the old one out when what it made is over.
type keys struct {
	signer jose.Signer
	public map[string]ed25519.PublicKey // by kid
	set    jose.JSONWebKeySet           // the same, for /jwks
	marks  [][]byte
}

func newKeys(ring *seal.Ring) (*keys, error) {
	seeds, err := ring.Derive("access token", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	marks, err := ring.Derive("refresh token", sha256.Size)
	if err != nil {
		return nil, err
	}
	k := &keys{public: map[string]ed25519.PublicKey{}, marks: marks}
	for i, seed := range seeds {
		private := ed25519.NewKeyFromSeed(seed)
		public := private.Public().(ed25519.PublicKey)
		id := keyID(public)
		k.public[id] = public
		k.set.Keys = append(k.set.Keys, jose.JSONWebKey{Key: public, KeyID: id, Algorithm: string(jose.EdDSA), Use: "sig"})
		if i > 0 {
			continue
		}
		k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: id}},
			new(jose.SignerOptions).WithType(accessTokenType))
		if err != nil {
			return nil, fmt.Errorf("signing access tokens: %w", err)
		}
	}
	return k, nil
}

// keyID names a public key: the same on every process, without a list.
func keyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return text.EncodeToString(sum[:12])
}

// newSessionID returns 128 random bits.
func newSessionID() string { return randomText(sessionBytes) }

func randomText(n int) string {
	random := make([]byte, n)
	_, _ = rand.Read(random) // never fails: it ends the program instead
	return text.EncodeToString(random)
}

// digest is under what a secret is stored: its SHA-256, hexadecimal.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// newRefreshToken makes a refresh token of a session.
func (k *keys) newRefreshToken(session string) (string, error) {
	token, err := text.DecodeString(session)
	if err != nil || len(token) != sessionBytes {
		return "", fmt.Errorf("%q is no session's id", session)
	}
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret)
	token = append(token, secret...)
	return text.EncodeToString(append(token, mark(k.marks[0], token)...)), nil
}

// refreshToken is what a refresh token says of itself.
type refreshToken struct {
	session string
	digest  string
	ours    bool // made by this gateway, under a key that is still in the ring
}

// readRefreshToken reports false for what can't be one.
func (k *keys) readRefreshToken(shown string) (refreshToken, bool) {
	const length = sessionBytes + secretBytes + markBytes
	if len(shown) != text.EncodedLen(length) { // the decoder skips line ends
		return refreshToken{}, false
	}
	token, err := text.DecodeString(shown)
	if err != nil || len(token) != length {
		return refreshToken{}, false
	}
	body, shownMark := token[:sessionBytes+secretBytes], token[sessionBytes+secretBytes:]
	read := refreshToken{session: text.EncodeToString(body[:sessionBytes]), digest: digest(shown)}
	for _, key := range k.marks {
		read.ours = read.ours || hmac.Equal(mark(key, body), shownMark)
	}
	return read, true
}

func mark(key, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return mac.Sum(nil)[:markBytes]
}
