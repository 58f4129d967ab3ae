package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"mcpgate/internal/fault"
)

// This file asks for tokens that no person is behind.

const grantAssertion = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// maxAssertionLife is below the three minutes that Salesforce takes at most.
const maxAssertionLife = 2 * time.Minute

// ClientCredentials asks for a token of the gateway's own (RFC 6749 section 4.4), with these scopes and parameters besides. The error is a
// fault: fault.CredentialsInvalid where the endpoint refused, fault.Unavailable for everything that may pass.
func (p *Provider) ClientCredentials(ctx context.Context, scopes []string, params map[string]string) (Tokens, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	return p.ask(ctx, form, scopes, params)
}

// Assertion is what a signed assertion says of the one that it is for (RFC 7523 section 3).
type Assertion struct {
	Issuer   string // "" is the client's id
	Subject  string // whom the token is for
	Audience string // "" is the token endpoint
}

// JWTBearer asks for a token with an assertion that the provider's private key signs (RFC 7523 section 2.1). Its errors are those of ClientCredentials.
func (p *Provider) JWTBearer(ctx context.Context, a Assertion, scopes []string, params map[string]string) (Tokens, error) {
	if p.key == nil {
		return Tokens{}, p.strange(errors.New("there is no private key that could sign the assertion"))
	}
	endpoint, err := p.endpointFor(ctx)
	if err != nil {
		return Tokens{}, err
	}
	claims := map[string]any{
		"iss": a.Issuer, "sub": a.Subject, "aud": a.Audience, "jti": rand.Text(), "iat": p.now().Unix(), "exp": p.now().Add(maxAssertionLife).Unix(),
	}
	if a.Issuer == "" {
		claims["iss"] = p.cfg.ClientID
	}
	if a.Audience == "" {
		claims["aud"] = endpoint
	}
	if len(scopes) > 0 { // Google reads it here, and the form's nowhere
		claims["scope"] = strings.Join(scopes, " ")
	}
	text, err := json.Marshal(claims)
	if err != nil {
		return Tokens{}, err
	}
	assertion, err := p.key.sign(text)
	if err != nil {
		return Tokens{}, err
	}
	return p.ask(ctx, url.Values{"grant_type": {grantAssertion}, "assertion": {assertion}}, scopes, params)
}

// endpointFor returns the token endpoint, which is discovered first where it has to be.
func (p *Provider) endpointFor(ctx context.Context) (string, error) {
	if endpoint, err := p.tokenEndpoint(); err == nil {
		return endpoint, nil
	}
	if err := p.Discover(ctx); err != nil {
		return "", p.unavailable(err)
	}
	return p.tokenEndpoint()
}

func (p *Provider) ask(ctx context.Context, form url.Values, scopes []string, params map[string]string) (Tokens, error) {
	if _, err := p.endpointFor(ctx); err != nil {
		return Tokens{}, err
	}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	fields, err := p.askTokens(ctx, form, params, p.cfg.TokenParams)
	if err != nil {
		return Tokens{}, p.machineFault(err)
	}
	tokens, bad, err := p.readTokens(fields, nil, Tokens{})
	if err != nil {
		return Tokens{}, p.unavailable(err)
	}
	if len(bad) > 0 {
		p.log.LogAttrs(ctx, slog.LevelWarn, "fields of a token answer can't be kept", slog.Any("fields", bad))
	}
	return tokens, nil
}

// machineFault tells what the operator has to mend from what may pass: a token endpoint that says no to the gateway itself means it.
func (p *Provider) machineFault(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return p.passing(err)
	case e.definitive() && e.Code != "temporarily_unavailable" && e.Code != "server_error" && e.Code != "slow_down":
		f := p.refused(e)
		f.Upstream = &fault.Upstream{Status: e.Status, Code: e.Code}
		return f
	default:
		return p.unavailable(e)
	}
}
