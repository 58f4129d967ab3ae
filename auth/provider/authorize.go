package provider

import (
	"fmt"
	"io"
	"log/slog"
	"slices"

	"golang.org/x/oauth2"
)

// AuthorizeRequest is what the authorization request says (RFC 6749 section 4.1.1). It prints as [authorize].
type AuthorizeRequest struct {
	State, Nonce string
	Verifier     string // of our own PKCE pair; its challenge is sent where config says pkce
	RedirectURI  string
	Scopes       []string // ours; mapped by scope_map and added to the provider's own
	Resource     string   // sent where config says send_resource
}

// Format prints [authorize] for every verb (fmt.Formatter).
func (AuthorizeRequest) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[authorize]") }

// LogValue is [authorize] (slog.LogValuer).
func (AuthorizeRequest) LogValue() slog.Value { return slog.StringValue("[authorize]") }

// AuthorizeURL is where the person's browser goes to log in. The error is fault.Unavailable before the endpoints are known.
func (p *Provider) AuthorizeURL(r AuthorizeRequest) (string, error) {
	endpoint, err := p.endpoint(p.cfg.AuthorizationURL, func(m *metadata) string { return m.Authorization })
	if err != nil {
		return "", err
	}
	scopes := p.scopesFor(r.Scopes)
	params := map[string]string{}
	for name, value := range p.cfg.AuthorizeParams {
		params[name] = value
	}
	if on(p.cfg.PKCE) {
		params["code_challenge"], params["code_challenge_method"] = oauth2.S256ChallengeFromVerifier(r.Verifier), "S256"
	}
	if slices.Contains(scopes, "openid") && r.Nonce != "" {
		params["nonce"] = r.Nonce
	}
	if p.cfg.SendResource && r.Resource != "" {
		params["resource"] = r.Resource
	}
	// What authorize_params must not change: the answer would come to somebody else, or by a way that loses it.
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "state"} {
		delete(params, name)
	}
	options := make([]oauth2.AuthCodeOption, 0, len(params))
	for name, value := range params {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	request := oauth2.Config{ClientID: p.cfg.ClientID, Endpoint: oauth2.Endpoint{AuthURL: endpoint}, RedirectURL: r.RedirectURI, Scopes: scopes}
	return request.AuthCodeURL(r.State, options...), nil
}

// scopesFor are the provider's own scopes and what ours are there, each once.
func (p *Provider) scopesFor(ours []string) []string {
	scopes := slices.Clone(p.askedScopes())
	for _, scope := range ours {
		theirs, _ := p.mapped(scope)
		scopes = append(scopes, theirs...)
	}
	var each []string
	for _, scope := range scopes {
		if !slices.Contains(each, scope) {
			each = append(each, scope)
		}
	}
	return each
}

// OurScopes translates what the provider granted back to ours: the wanted ones that the grant covers. Where the answer does not say
// what was granted, all of them were (RFC 6749 section 5.1). Ours that scope_map does not name are granted by the login itself.
func (p *Provider) OurScopes(wanted []string, granted Tokens) []string {
	var ours []string
	for _, scope := range wanted {
		theirs, _ := p.mapped(scope)
		covered := granted.Scopes == nil || !slices.ContainsFunc(theirs, func(s string) bool { return !slices.Contains(granted.Scopes, s) })
		if covered {
			ours = append(ours, scope)
		}
	}
	return ours
}
