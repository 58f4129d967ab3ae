package credential

import (
	"cmp"
	"context"
	"fmt"

	"mcpgate/auth/provider"
	"mcpgate/config"
)

// newClientCredentials is a token that the gateway gets for itself (RFC 6749 section 4.4): with a secret, or with an assertion that its key signs, as
// NetSuite's machine-to-machine flow wants it.
func newClientCredentials(c config.Credential, opts Options) (Source, error) {
	p, err := tokenEndpoint(c, opts)
	if err != nil {
		return nil, err
	}
	params := audience(c)
	return newAppToken(p, opts, func(ctx context.Context) (provider.Tokens, error) {
		return p.ClientCredentials(ctx, c.Scopes, params)
	}), nil
}

// newJWTBearer is a token for whom a signed assertion names (RFC 7523 section 2.1): Salesforce, and Google's service accounts.
func newJWTBearer(c config.Credential, opts Options) (Source, error) {
	p, err := tokenEndpoint(c, opts)
	if err != nil {
		return nil, err
	}
	assertion := provider.Assertion{Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience}
	return newAppToken(p, opts, func(ctx context.Context) (provider.Tokens, error) {
		return p.JWTBearer(ctx, assertion, c.Scopes, nil)
	}), nil
}

func newAppToken(p *provider.Provider, opts Options, request func(context.Context) (provider.Tokens, error)) *appToken {
	return &appToken{request: request, ahead: p.RefreshAhead, now: opts.now()}
}

// audience is what Auth0 and others want with client_credentials.
func audience(c config.Credential) map[string]string {
	if c.Audience == "" {
		return nil
	}
	return map[string]string{"audience": c.Audience}
}

// tokenEndpoint is where the token comes from: one of providers, or what the credential itself says.
func tokenEndpoint(c config.Credential, opts Options) (*provider.Provider, error) {
	cfg := &config.Provider{
		Name: cmp.Or(opts.Upstream, "the token endpoint"), TokenURL: c.TokenURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		TokenEndpointAuthMethod: c.TokenEndpointAuthMethod, TokenLifetime: c.TokenLifetime, Keep: c.Keep,
		PrivateKey: config.PrivateKey{KeyFile: c.KeyFile, KeyID: c.KeyID, Algorithm: c.Algorithm},
	}
	cfg.Refresh.Buffer = defaultBuffer
	if c.Type == "jwt_bearer" && cfg.TokenEndpointAuthMethod == "" && cfg.ClientSecret.IsZero() {
		cfg.TokenEndpointAuthMethod = "none" // the assertion is the proof
	}
	if c.Provider != "" {
		known, ok := opts.Providers[c.Provider]
		if !ok {
			return nil, fmt.Errorf("there is no provider %q", c.Provider)
		}
		cfg = known
	}
	return provider.New(cfg, provider.Options{Client: opts.Client, Logger: opts.Logger, Now: opts.Now})
}
