package fakeidp

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Grants that no person is asked for.
const (
	grantCredentials = "client_credentials"                              // RFC 6749 section 4.4
	grantAssertion   = "urn:ietf:params:oauth:grant-type:jwt-bearer"     // RFC 7523 section 2.1, and Entra's on-behalf-of
	grantExchange    = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693
	typeAccessToken  = "urn:ietf:params:oauth:token-type:access_token"
)

// machine answers them, all without a refresh token.
func (p *IdP) machine(c Client, form url.Values) (map[string]any, *refusal) {
	user, scopes := User{Subject: c.ID}, strings.Fields(form.Get("scope"))
	var refused *refusal
	switch form.Get("grant_type") {
	case grantCredentials:
		if c.method() == "none" {
			return nil, invalid("unauthorized_client", "a public client has no credentials")
		}
		if p.options.ScopeInAssertion {
			scopes = assertedScopes(form.Get("client_assertion"))
		}
	case grantAssertion:
		if form.Get("requested_token_use") == "on_behalf_of" {
			user, refused = p.onBehalfOf(c, form)
		} else {
			user, refused = p.asserted(c, form)
		}
	default:
		user, refused = p.exchanged(form)
	}
	if refused != nil {
		return nil, refused
	}
	for _, scope := range scopes {
		if !slices.Contains(p.options.Scopes, scope) {
			return nil, invalid("invalid_scope", "unknown scope "+scope)
		}
	}
	g := &grant{id: random("g-"), client: c.ID, user: user, scopes: scopes, created: p.options.Now()}
	p.grants[g.id] = g
	answer := p.issue(g, false)
	if form.Get("grant_type") == grantExchange {
		answer["issued_token_type"] = typeAccessToken
	}
	return answer, nil
}

// asserted is RFC 7523 as a grant, with Salesforce's bounds: signed by the client, for this provider, for at most 3 minutes, and for
// a user that it names.
func (p *IdP) asserted(c Client, form url.Values) (User, *refusal) {
	signed, err := jose.ParseSignedCompact(form.Get("assertion"), []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil || c.Key == nil {
		return User{}, invalid("invalid_grant", "the assertion is no signed JWT")
	}
	p.secret(form.Get("assertion"))
	payload, err := signed.Verify(c.Key)
	if err != nil {
		return User{}, invalid("invalid_grant", "the assertion's signature")
	}
	var claims struct {
		Iss, Sub, Aud string
		Exp           int64
	}
	now := p.options.Now()
	switch {
	case json.Unmarshal(payload, &claims) != nil, claims.Iss != c.ID, claims.Sub == "":
		return User{}, invalid("invalid_grant", "the assertion's iss or sub")
	case !slices.Contains([]string{p.options.Origin, p.issuer(), p.issuer() + "/token"}, claims.Aud):
		return User{}, invalid("invalid_grant", "the assertion's aud")
	case claims.Exp <= now.Unix() || claims.Exp > now.Add(3*time.Minute).Unix():
		return User{}, invalid("invalid_grant", "the assertion's time")
	}
	return User{Subject: claims.Sub}, nil
}

// onBehalfOf is Entra's: the token of a person for the client itself becomes one for another API, which scope names.
func (p *IdP) onBehalfOf(c Client, form url.Values) (User, *refusal) {
	g := p.valid(form.Get("assertion"))
	switch {
	case c.method() == "none":
		return User{}, invalid("invalid_client", "AADSTS7000218: The request body must contain client_assertion or client_secret.")
	case g == nil:
		return User{}, invalid("invalid_grant", "AADSTS500133: Assertion is not within its valid time range.")
	case form.Get("scope") == "":
		return User{}, invalid("invalid_request", "AADSTS90014: The required field 'scope' is missing.")
	}
	return g.user, nil
}

// exchanged is RFC 8693: an access token of a person's becomes one for another audience.
func (p *IdP) exchanged(form url.Values) (User, *refusal) {
	g := p.valid(form.Get("subject_token"))
	switch {
	case form.Get("subject_token_type") != typeAccessToken:
		return User{}, invalid("invalid_request", "subject_token_type")
	case g == nil:
		return User{}, invalid("invalid_request", "the subject_token is not good")
	case !form.Has("audience") && !form.Has("resource"):
		return User{}, invalid("invalid_target", "neither audience nor resource")
	}
	return g.user, nil
}

// assertedScopes are those in a client's assertion, which authenticate has verified.
func assertedScopes(assertion string) []string {
	signed, err := jose.ParseSignedCompact(assertion, assertionAlgorithms)
	if err != nil {
		return nil
	}
	var claims struct{ Scope []string }
	_ = json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims) // what is no list is no scope
	return claims.Scope
}
