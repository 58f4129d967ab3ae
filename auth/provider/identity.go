package provider

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"

	"mcpgate/internal/fault"
)

const maxSubject = 1 << 10 // bytes

// Identity is who logged in.
type Identity struct {
	Issuer  string         `json:"issuer"`           // the provider's issuer, or its name in gateway.yaml where it has none
	Subject string         `json:"subject"`          // as config.Provider.Subject says
	Claims  map[string]any `json:"claims,omitempty"` // of the id_token and the userinfo answer, for roles
}

// identify says who logged in: by the id_token, by userinfo where that does not say, by the token answer at last.
func (p *Provider) identify(ctx context.Context, fields answer, nonce string) (Identity, error) {
	who := Identity{Issuer: p.Name}
	if p.cfg.Issuer != "" {
		who.Issuer = p.cfg.Issuer
	}
	name := p.cfg.Subject
	if name == "" {
		name = "sub"
	}
	var claims answer
	if raw := fields.text("id_token"); raw != "" {
		var err error
		if claims, err = p.verifyIDToken(ctx, raw, nonce); err != nil {
			return Identity{}, err
		}
		if found := p.metadata.Load(); found != nil && strings.Contains(found.Issuer, tenant) {
			who.Issuer = claims.text("iss") // the tenant's: subjects of two tenants are two people
		}
	}
	subject, known := subjectIn(claims, name)
	if !known {
		info, err := p.userinfo(ctx, fields.text("access_token"), claims)
		if err != nil {
			return Identity{}, err
		}
		if subject, known = subjectIn(info, name); !known {
			subject, known = subjectIn(fields, name)
		}
		claims = merged(info, claims)
	}
	if !known {
		return Identity{}, p.strange(fmt.Errorf("nobody says who logged in: subject %q is not in the id_token, the userinfo answer or the token answer", name))
	}
	who.Subject, who.Claims = subject, plain(claims)
	return who, nil
}

func subjectIn(fields answer, name string) (string, bool) {
	value, ok := lookup(fields, name)
	if !ok {
		return "", false
	}
	text, ok := scalar(value)
	return text, ok && text != "" && len(text) <= maxSubject && !strings.ContainsFunc(text, unicode.IsControl)
}

// verifyIDToken checks an id_token as OpenID Connect Core section 3.1.3.7 says. Without an issuer there are no keys: there the
// connection to the token endpoint, which gateway.yaml names, stands for the signature, as number 6 of the section allows.
func (p *Provider) verifyIDToken(ctx context.Context, raw, nonce string) (answer, error) {
	claims, err := p.signedClaims(ctx, raw)
	if errors.Is(err, errNoKeys) {
		return nil, p.unavailable(err)
	}
	if err == nil {
		err = p.judgeClaims(claims, nonce)
	}
	if err != nil {
		return nil, fault.New(fault.TokenInvalid, p.Name+" sent an id_token that can't be accepted; the gateway's log says why", fmt.Errorf("id_token: %w", err))
	}
	return claims, nil
}

// errNoKeys marks an id_token that could not be judged, for the provider's keys can't be had.
var errNoKeys = errors.New("the provider's keys can't be had")

func (p *Provider) signedClaims(ctx context.Context, raw string) (answer, error) {
	found := p.metadata.Load()
	if found == nil {
		if p.cfg.Issuer != "" {
			return nil, fmt.Errorf("%w: discovery has not been done yet", errNoKeys)
		}
		if claims := payload(raw); claims != nil {
			return claims, nil
		}
		return nil, errors.New("it is no JWT")
	}
	template := issuerTemplate(found.Issuer)
	verifier := oidc.NewVerifier(p.cfg.Issuer, found.keys, &oidc.Config{
		ClientID: p.cfg.ClientID, SupportedSigningAlgs: found.Algorithms, SkipIssuerCheck: strings.Contains(found.Issuer, tenant),
		Now: func() time.Time { return p.now().Add(-leeway) },
	})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") { // go-oidc wraps with %v
			return nil, fmt.Errorf("%w: %s", errNoKeys, masked(err.Error(), nil))
		}
		return nil, errors.New(masked(err.Error(), nil))
	}
	claims := payload(raw)
	if tid, _ := claims["tid"].(string); strings.Contains(found.Issuer, tenant) && (errorCode(tid) == "" || token.Issuer != template.of(tid)) {
		return nil, fmt.Errorf("its iss %q is not the issuer of its tenant", masked(token.Issuer, nil))
	}
	return claims, nil
}

// judgeClaims checks what go-oidc leaves to its caller, and the rest again for tokens that it did not see.
func (p *Provider) judgeClaims(claims answer, nonce string) error {
	now := p.now()
	audience, _ := claims["aud"].([]any)
	if one, ok := claims["aud"].(string); ok {
		audience = []any{one}
	}
	expires, hasExpires := claims.time("exp")
	issued, hasIssued := claims.time("iat")
	switch {
	case !slices.Contains(audience, any(p.cfg.ClientID)):
		return errors.New("its aud is not the client_id")
	case claims["azp"] != nil && claims.text("azp") != p.cfg.ClientID:
		return errors.New("its azp is another client")
	case !hasExpires || !now.Before(expires.Add(leeway)):
		return errors.New("it is over, or has no exp; the clocks may differ")
	case hasIssued && issued.After(now.Add(leeway)):
		return errors.New("its iat is in the future; the clocks differ")
	case nonce != "" && subtle.ConstantTimeCompare([]byte(claims.text("nonce")), []byte(nonce)) != 1:
		return errors.New("its nonce is not that of this login")
	}
	return nil
}

func (a answer) says(name string) bool { return a[name] != nil }

func (a answer) time(name string) (time.Time, bool) {
	number, ok := a[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	return time.Unix(int64(seconds), 0), err == nil
}

// userinfo asks who an access token is for (OpenID Connect Core section 5.3); nil without such an endpoint. go-oidc's own takes
// no answer without OpenID's types, such as GitHub's.
func (p *Provider) userinfo(ctx context.Context, accessToken string, claims answer) (answer, error) {
	endpoint, err := p.endpoint(p.cfg.UserinfoURL, func(m *metadata) string { return m.Userinfo })
	if err != nil || endpoint == "" {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, p.strange(err)
	}
	r.Header.Set("Authorization", "Bearer "+accessToken)
	r.Header.Set("Accept", "application/json")
	got, err := p.do(r, "userinfo")
	if err != nil {
		return nil, p.unavailable(err)
	}
	info, err := readAnswer(got.header.Get("Content-Type"), got.body)
	if got.status != http.StatusOK || err != nil {
		failure := p.newError("userinfo", got, []string{accessToken})
		if got.status < 500 && got.status != http.StatusTooManyRequests {
			return nil, p.strange(failure)
		}
		return nil, p.unavailable(failure)
	}
	// Section 5.3.2: the sub has to be the id_token's, or the answer is not used.
	if sub := claims.text("sub"); sub != "" && info.text("sub") != sub {
		return nil, fault.New(fault.TokenInvalid, p.Name+" answers for two people in one login", errors.New("the sub of the userinfo answer is not the id_token's"))
	}
	return info, nil
}

// payload is what a JWT says, unverified; nil where text is none.
func payload(text string) answer {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	claims, err := readObject(body)
	if err != nil {
		return nil
	}
	return claims
}

// merged is both, where what the id_token says wins.
func merged(info, claims answer) answer {
	both := answer{}
	maps.Copy(both, info)
	maps.Copy(both, claims)
	return both
}

// plain are the claims as a stored record gives them back, without those that only belong to the token.
func plain(claims answer) map[string]any {
	kept := maps.Clone(claims)
	for _, name := range []string{"nonce", "at_hash", "c_hash", "s_hash", "jti", "iat", "exp", "nbf", "auth_time"} {
		delete(kept, name)
	}
	if len(kept) == 0 {
		return nil
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil
	}
	var out map[string]any
	if json.Unmarshal(text, &out) != nil { // a number beyond float64
		return nil
	}
	return out
}
