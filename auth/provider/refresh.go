package provider

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"mcpgate/internal/fault"
)

var deadCodes = []string{"invalid_grant", "unauthorized_client"} // where gateway.yaml says none

// Refresh asks for new tokens. What the answer leaves out is kept from the old ones: refresh token, kept fields, scopes. It does not
// repeat the request. The error is a fault: fault.TokenRefreshFailed where the provider said that the grant is over, fault.CredentialsInvalid where it refused the gateway itself,
// and fault.Unavailable for everything that may pass.
func (p *Provider) Refresh(ctx context.Context, old Tokens) (Tokens, error) {
	if old.RefreshToken == "" {
		return Tokens{}, fault.New(fault.TokenRefreshFailed, "the login at "+p.Name+" is over; log in again", errors.New("there is no refresh token"))
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken}}
	if scopes := p.refreshScopes(old); p.cfg.Refresh.SendScopes && len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	fields, err := p.askTokens(ctx, form, p.cfg.Refresh.Params, p.cfg.TokenParams)
	if err != nil {
		return Tokens{}, p.refreshFault(err)
	}
	tokens, bad, err := p.readTokens(fields, nil, old)
	if err != nil {
		return Tokens{}, p.unavailable(err)
	}
	if len(bad) > 0 { // the old value stays: to refuse the answer would lose a rotated token
		p.log.LogAttrs(ctx, slog.LevelWarn, "fields of a token answer can't be kept; what was kept before stays", slog.Any("fields", bad))
	}
	return tokens, nil
}

// refreshScopes are what was granted, and those of the provider's own that answers leave out, though they were asked for (Entra leaves
// offline_access out).
func (p *Provider) refreshScopes(old Tokens) []string {
	if old.Scopes == nil {
		return p.askedScopes()
	}
	scopes := slices.Clone(old.Scopes)
	for _, scope := range p.askedScopes() {
		switch scope {
		case "openid", "profile", "email", "offline_access":
			if !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	return scopes
}

// refreshFault tells a grant that is over from everything else. Only the token endpoint's own word ends one: whatever a proxy, a
// network or a server in trouble says may pass, and a login that was ended for it is lost for nothing.
func (p *Provider) refreshFault(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || !e.definitive() {
		return p.passing(err)
	}
	dead := p.cfg.Refresh.DeadCodes
	if dead == nil {
		dead = deadCodes
	}
	switch {
	case slices.Contains(dead, e.Code):
		return fault.New(fault.TokenRefreshFailed, "the login at "+p.Name+" is over; log in again", e)
	case refusesUs[e.Code]:
		return p.refused(e)
	default:
		return p.unavailable(e)
	}
}
