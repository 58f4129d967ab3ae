package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// maxToken is how large a token may be, in bytes. Header fields are cut at about that in most servers.
const maxToken = 8 << 10

// defaultAlgorithms are those that the issuer alone can sign with (RFC 8725 section 3.1): none and HS256 are never among
// the ones that are taken, since whoever knows the issuer's public key could make such tokens.
var defaultAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// JWTOptions are what NewJWT can do without.
type JWTOptions struct {
	Logger *slog.Logger
	Now    func() time.Time
}

// JWT verifies the tokens of an issuer: JWTs by its keys, others by asking it. It is safe for concurrent use.
type JWT struct {
	issuer     string
	audience   []string
	algorithms []jose.SignatureAlgorithm
	leeway     time.Duration
	required   []string
	keys       *keySet        // nil where every token is asked about
	asked      *introspection // nil where none is
	log        *slog.Logger
	now        func() time.Time
}

// NewJWT prepares the verifier of auth.mode jwt; nothing is dialled. resource is what tokens are for where cfg names no audience. client reaches the
// issuer. The error is the author's.
func NewJWT(cfg config.JWTAuth, resource string, client *http.Client, opts JWTOptions) (*JWT, error) {
	v := &JWT{issuer: cfg.Issuer, audience: cfg.Audience, leeway: time.Duration(cfg.Leeway), required: cfg.RequiredScopes, log: opts.Logger, now: opts.Now}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	if v.now == nil {
		v.now = time.Now
	}
	if client == nil {
		client = http.DefaultClient
	}
	if len(v.audience) == 0 {
		v.audience = []string{resource}
	}
	if slices.Contains(v.audience, "") {
		return nil, errors.New("auth.jwt needs an audience, or server.public_url")
	}
	algorithms := cfg.Algorithms
	if len(algorithms) == 0 {
		algorithms = defaultAlgorithms
	}
	for _, name := range algorithms {
		if !slices.Contains(defaultAlgorithms, name) {
			return nil, fmt.Errorf("auth.jwt.algorithms: %q is not taken", name)
		}
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(name))
	}
	if cfg.Issuer != "" || cfg.JWKSURL != "" {
		v.keys = &keySet{issuer: cfg.Issuer, url: cfg.JWKSURL, client: client, now: v.now}
	}
	if cfg.IntrospectionURL != "" {
		v.asked = newIntrospection(cfg, client, v.now)
	}
	if v.keys == nil && v.asked == nil {
		return nil, errors.New("auth.jwt needs an issuer, a jwks_url or an introspection_url")
	}
	return v, nil
}

// Run fetches the issuer's keys in the background, and keeps them up to date. It returns when ctx ends.
func (v *JWT) Run(ctx context.Context) {
	if v.keys == nil {
		return
	}
	v.keys.run(ctx, func(err error) { v.log.Warn("the keys of the issuer can't be fetched", slog.Any("error", err)) })
}

// Ready returns nil once the issuer's keys are there, and from then on; before, why not (fault.Unavailable).
func (v *JWT) Ready() error {
	if v.keys == nil {
		return nil
	}
	return v.keys.ready()
}

// Verify returns who shows the token (auth.Verifier). A token that is good and lacks required scopes is fault.Permission, which
// names all that it lacks.
func (v *JWT) Verify(ctx context.Context, token string) (*Principal, error) {
	if len(token) > maxToken {
		return nil, fault.New(fault.TokenInvalid, "the token is too long", nil)
	}
	var c *claims
	var err error
	switch {
	case v.keys != nil && (v.asked == nil || isJWT(token)):
		c, err = v.signed(ctx, token)
	default:
		c, err = v.asked.about(ctx, token)
	}
	if err != nil {
		return nil, err
	}
	if err := v.check(c); err != nil {
		return nil, err
	}
	principal := c.principal()
	if principal.Subject == "" {
		return nil, fault.New(fault.TokenInvalid, "the token does not say whose it is", nil)
	}
	if principal.Issuer == "" {
		principal.Issuer = v.issuer
	}
	missing := slices.DeleteFunc(slices.Clone(v.required), func(scope string) bool { return slices.Contains(principal.Scopes, scope) })
	if len(missing) > 0 {
		return nil, fault.New(fault.Permission, "the token lacks scopes: "+strings.Join(missing, " "), nil)
	}
	return principal, nil
}

// Canonical reports whether a compact JWT is written in the one way that there is: decoders skip line ends and bits that nobody needs,
// so that one token would have many texts.
func Canonical(token string) bool {
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	return true
}

// isJWT reports whether the token looks like a signed JWT: three parts, the first of which is a JSON object.
func isJWT(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	return err == nil && len(header) > 0 && header[0] == '{' && json.Valid(header)
}

// signed returns the claims of a JWT whose signature is the issuer's. Its header is asked for alg, typ and kid alone: jku, x5u and
// jwk would let its maker choose the key (RFC 8725 section 3.10).
func (v *JWT) signed(ctx context.Context, token string) (*claims, error) {
	jws, err := jose.ParseSignedCompact(token, v.algorithms)
	if err == nil && !Canonical(token) {
		err = errors.New("its base64url is not written as RFC 7515 section 2 has it")
	}
	if err != nil {
		return nil, fault.New(fault.TokenInvalid, "the token is no JWT, or is signed with an algorithm that is not taken", err)
	}
	header := jws.Signatures[0].Protected
	if !takenType(header.ExtraHeaders[jose.HeaderType]) {
		return nil, fault.New(fault.TokenInvalid, "the token is a JWT of another kind", nil)
	}
	keys, err := v.keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return nil, err
	}
	payload, ok := verified(jws, keys)
	if !ok && header.KeyID == "" { // which can't tell that its key is a new one
		if err := v.keys.renew(ctx); err != nil {
			return nil, err
		}
		payload, ok = verified(jws, v.keys.match("", header.Algorithm))
	}
	if !ok {
		return nil, fault.New(fault.TokenInvalid, "the token is not signed with a key of its issuer", nil)
	}
	return readClaims(payload)
}

func verified(jws *jose.JSONWebSignature, keys []jose.JSONWebKey) (payload []byte, ok bool) {
	for i := range keys {
		if payload, err := jws.Verify(&keys[i]); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// takenType tells access tokens (RFC 9068 section 2.1), and JWTs that don't say what they are for, from logout tokens, DPoP
// proofs and the like (RFC 8725 section 3.11).
func takenType(typ any) bool {
	text, ok := typ.(string)
	switch strings.TrimPrefix(strings.ToLower(text), "application/") {
	case "jwt", "at+jwt":
		return true
	case "":
		return ok || typ == nil
	}
	return false
}

// check judges issuer, audience and time (RFC 9068 section 4).
func (v *JWT) check(c *claims) error {
	now := v.now()
	switch {
	case v.issuer != "" && c.Issuer != v.issuer && (c.Issuer != "" || !c.asked):
		return fault.New(fault.TokenInvalid, "the token is of another issuer", nil)
	case !slices.ContainsFunc(c.Audience, func(a string) bool { return slices.Contains(v.audience, a) }):
		return fault.New(fault.TokenInvalid, "the token is for another audience", fmt.Errorf("aud is %q, wanted is %q", []string(c.Audience), v.audience))
	case c.Expires == nil && !c.asked:
		return fault.New(fault.TokenInvalid, "the token never ends", nil)
	case c.Expires != nil && !now.Before(c.Expires.time().Add(v.leeway)):
		return fault.New(fault.TokenExpired, "the token's time is over", nil)
	case c.NotBefore != nil && now.Add(v.leeway).Before(c.NotBefore.time()):
		return fault.New(fault.TokenInvalid, "the token does not hold yet", nil)
	case c.IssuedAt != nil && now.Add(v.leeway).Before(c.IssuedAt.time()):
		return fault.New(fault.TokenInvalid, "the token was issued in the future", nil)
	}
	return nil
}
