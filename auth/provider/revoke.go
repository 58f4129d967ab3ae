package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// Revoke tells the provider that the tokens are no longer needed (RFC 7009): the refresh token, with which a provider ends the
// grant, else the access token. Without a revocation endpoint it does nothing.
func (p *Provider) Revoke(ctx context.Context, t Tokens) error {
	endpoint, err := p.endpoint(p.cfg.RevocationURL, func(m *metadata) string { return m.Revocation })
	if err != nil || endpoint == "" {
		return err
	}
	if t.RefreshToken != "" {
		err := p.revoke(ctx, endpoint, t.RefreshToken, "refresh_token")
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != "unsupported_token_type" { // section 2.2.1
			return err
		}
	}
	if t.AccessToken == "" {
		return nil
	}
	return p.revoke(ctx, endpoint, t.AccessToken, "access_token")
}

func (p *Provider) revoke(ctx context.Context, endpoint, token, hint string) error {
	form := url.Values{"token": {token}, "token_type_hint": {hint}}
	got, err := p.post(ctx, "revocation", endpoint, form)
	if err != nil {
		return p.passing(err)
	}
	if got.ok() { // the body says nothing, section 2.2
		return nil
	}
	failure := p.newError("revocation", got, p.secretsOf(form))
	if got.status == http.StatusUnauthorized || refusesUs[failure.Code] {
		return p.refused(failure)
	}
	return p.unavailable(failure)
}
