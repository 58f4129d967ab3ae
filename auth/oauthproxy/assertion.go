package oauthproxy

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"mcpgate/auth/tokenstore"
)

const (
	assertionType    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 section 2.2
	maxAssertion     = 8 << 10                                                  // bytes
	maxAssertionLife = 5 * time.Minute
	assertionLeeway  = 30 * time.Second // for clocks that differ
	minKeyRefetch    = time.Minute      // a key set is fetched anew for a key that it lacks, at most that often
	minRSABits       = 2048
	maxRSABits       = 8192
)

// signatures are what clients may sign with. Nothing symmetric: a public key is no secret.
var signatures = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// assertionAlgorithms are their names, for the metadata.
func assertionAlgorithms() []string {
	names := make([]string, len(signatures))
	for i, each := range signatures {
		names[i] = string(each)
	}
	return names
}

// replay stands for an assertion that was used. Its key is the SHA-256 of client id and jti (hexadecimal).
type replay struct{}

// clientKeys are what a client signs with: in its document, or at an address of their own.
type clientKeys struct {
	inline []jose.JSONWebKey
	uri    string
}

func (k clientKeys) none() bool { return len(k.inline) == 0 && k.uri == "" }

// parseKeys reads a key set (RFC 7517 section 5). What can't verify a signature is left out; the error is a *refusedError.
func parseKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, &refusedError{"its jwks is not a key set"}
	}
	if len(set.Keys) > maxKeys {
		return nil, &refusedError{"its jwks holds more than 20 keys"}
	}
	var keys []jose.JSONWebKey
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(text, &key); err != nil {
			continue // a kind of key that is not known here may stand beside one that is
		}
		if !key.IsPublic() {
			return nil, &refusedError{"its jwks holds a private or shared key"}
		}
		if !key.Valid() || key.Use == "enc" || !isStrong(key) {
			continue
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func isStrong(key jose.JSONWebKey) bool {
	public, ok := key.Key.(*rsa.PublicKey)
	return !ok || (public.N.BitLen() >= minRSABits && public.N.BitLen() <= maxRSABits)
}

// readAssertion checks the type of the assertion, and takes the client's id from it where the form has none (RFC 7521 section 4.2).
func (c *credentials) readAssertion(form url.Values) *Error {
	if kinds := form["client_assertion_type"]; len(kinds) != 1 || kinds[0] != assertionType {
		return bad("invalid_request", "client_assertion_type has to be "+assertionType)
	}
	token, err := parseAssertion(c.assertion)
	if err != nil {
		return refusedAssertion("it is not a JWT with a signature that is taken here", err)
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return refusedAssertion("its claims can't be read", err)
	}
	if c.id == "" {
		c.id = claims.Subject
	}
	return nil
}

func parseAssertion(text string) (*jwt.JSONWebToken, error) {
	if len(text) > maxAssertion {
		return nil, errors.New("the assertion is too long")
	}
	token, err := jwt.ParseSigned(text, signatures)
	if err == nil && len(token.Headers) != 1 {
		err = errors.New("the assertion has not one signature")
	}
	return token, err
}

func refusedAssertion(reason string, cause error) *Error {
	e := unknownClient("the client assertion is refused: " + reason)
	e.Cause = cause
	return e
}

// checkAssertion verifies private_key_jwt (RFC 7523 section 3): signed by a key of the client's, by it and about it, for this
// server, for a few minutes at most, and once. The error is an *Error.
func (s *Server) checkAssertion(ctx context.Context, c *client, assertion string) error {
	token, err := parseAssertion(assertion)
	if err != nil {
		return refusedAssertion("it is not a JWT with a signature that is taken here", err)
	}
	claims, err := s.verifyAssertion(ctx, c, token)
	if err != nil {
		return err
	}
	now := s.parts.Now()
	switch {
	case claims.Issuer != c.ID || claims.Subject != c.ID:
		return refusedAssertion("its iss and sub have to be the client_id", nil)
	case !s.isAudience(claims.Audience):
		return refusedAssertion("its aud has to be the issuer or the token endpoint, exactly", nil)
	case claims.Expiry == nil || claims.ID == "":
		return refusedAssertion("it needs exp and jti", nil)
	}
	expires := claims.Expiry.Time()
	switch {
	case !now.Before(expires.Add(assertionLeeway)):
		return refusedAssertion("its time is over", nil)
	case expires.Sub(now) > maxAssertionLife+assertionLeeway:
		return refusedAssertion("its exp is more than 5 minutes ahead", nil)
	case claims.NotBefore != nil && claims.NotBefore.Time().Sub(now) > assertionLeeway, claims.IssuedAt != nil && claims.IssuedAt.Time().Sub(now) > assertionLeeway:
		return refusedAssertion("its time has not come", nil)
	}
	sum := sha256.Sum256([]byte(c.ID + "\x00" + claims.ID))
	err = s.directory.replays.Create(ctx, hex.EncodeToString(sum[:]), replay{}, expires.Sub(now)+2*assertionLeeway)
	switch {
	case errors.Is(err, tokenstore.ErrConflict):
		return refusedAssertion("its jti was used before", nil)
	case err != nil:
		return unavailable(err)
	}
	return nil
}

// isAudience takes one of our own names alone: an assertion that is for others too could be replayed there.
func (s *Server) isAudience(audience jwt.Audience) bool {
	return len(audience) > 0 && !slices.ContainsFunc(audience, func(name string) bool { return name != s.issuer && name != s.issuer+"/token" })
}

// verifyAssertion returns the claims, if a key of the client's has signed them.
func (s *Server) verifyAssertion(ctx context.Context, c *client, token *jwt.JSONWebToken) (*jwt.Claims, error) {
	header := token.Headers[0]
	for _, maxAge := range []time.Duration{maxFresh, minKeyRefetch} {
		keys, err := s.keysOf(ctx, c, maxAge)
		if err != nil {
			return nil, err
		}
		known := false
		for _, key := range keys {
			if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
				continue
			}
			known = true
			claims := &jwt.Claims{}
			if token.Claims(key, claims) == nil {
				return claims, nil
			}
		}
		if known && header.KeyID != "" || c.keys.uri == "" {
			break
		}
		// The client may have changed its keys since they were fetched.
	}
	return nil, refusedAssertion("no key of the client's has signed it", nil)
}

// keysOf returns the client's keys, at most maxAge old unless new ones can't be had.
func (s *Server) keysOf(ctx context.Context, c *client, maxAge time.Duration) ([]jose.JSONWebKey, error) {
	if c.keys.uri == "" {
		return c.keys.inline, nil
	}
	if s.directory.documents.keys == nil {
		return nil, refusedAssertion("this gateway fetches no key sets; the pinned document needs jwks", nil)
	}
	u, err := parseDocumentURL(c.keys.uri, nil)
	if err != nil {
		return nil, refusedAssertion("its jwks_uri can't be read", err)
	}
	keys, err := s.directory.documents.keys.get(ctx, c.keys.uri, strings.ToLower(u.host), maxAge)
	if err != nil {
		return nil, asClientError(err, "the client's jwks_uri")
	}
	return keys, nil
}
