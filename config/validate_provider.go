package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (v *validator) providers() {
	for _, name := range sortedNames(v.cfg.Providers) {
		v.provider(Path{"providers", name}, v.cfg.Providers[name])
	}
}

func (v *validator) provider(at Path, p *Provider) {
	v.unless(nameOfOurs.MatchString(p.Name), at, fmt.Sprintf("%q can't be the name of a provider", p.Name), "use up to 40 letters, digits, _ and -")
	v.endpoints(at, p)
	if p.ClientID == "" {
		if v.given(at.Child("client_id")) {
			v.add(at.Child("client_id"), "client_id is empty", "")
		} else {
			v.missing(at, "client_id", "the gateway needs a client_id at the provider", "register a client there; its redirect URI is public_url with auth.oauth.redirect_path")
		}
	}
	v.providerProof(at, p)
	v.scopes(at.Child("scopes"), p.Scopes)
	ours, known := v.ourScopes()
	for _, scope := range sortedNames(p.ScopeMap) {
		path := at.Child("scope_map", scope)
		theirs := strings.Fields(p.ScopeMap[scope])
		v.unless(len(theirs) > 0, path, "this maps to no scope", "write the provider's scope for "+scope+", or leave it out")
		for _, each := range theirs {
			v.unless(scopeToken.MatchString(each), path, fmt.Sprintf("%q is not a scope", each), "write the provider's scope for "+scope+", or several with spaces between")
		}
		if known && v.cfg.Auth.Mode == "oauth" {
			v.ourScope(path, scope, ours)
		}
	}
	v.parameters(at.Child("authorize_params"), p.AuthorizeParams, p.SendResource, authorizeOwn...)
	v.parameters(at.Child("token_params"), p.TokenParams, p.SendResource, tokenOwn...)
	v.parameters(at.Child("refresh", "params"), p.Refresh.Params, p.SendResource, tokenOwn...)
	v.unless(!slices.Contains(strings.Split(p.Subject, "."), ""), at.Child("subject"), fmt.Sprintf("%q names no claim", p.Subject), "write it like sub or user.id")
	v.keep(at.Child("keep"), p.Keep)
	v.unless(p.TokenLifetime >= 0, at.Child("token_lifetime"), "a token can't be over before it begins", "")
	v.unless(p.Refresh.Buffer >= 0, at.Child("refresh", "buffer"), "a token can't be renewed after its end", "write 0s or more")
	v.deadCodes(at.Child("refresh", "dead_codes"), p.Refresh.DeadCodes)
	v.readable(at.Child("ca_file"), p.CAFile)
}

// endpoints checks where the provider is.
func (v *validator) endpoints(at Path, p *Provider) {
	if p.Issuer == "" {
		discovered := v.given(at.Child("issuer"))
		switch {
		case p.AuthorizationURL == "" && p.TokenURL == "" && discovered:
			v.add(at.Child("issuer"), "issuer is empty", "")
		case p.AuthorizationURL == "" && p.TokenURL == "":
			v.missing(at, "issuer", "nothing says where the provider is", "write issuer: https://..., or authorization_url and token_url")
		case p.AuthorizationURL == "":
			v.missing(at, "authorization_url", "nothing says where people log in", "write authorization_url: https://..., or an issuer")
		case p.TokenURL == "":
			v.missing(at, "token_url", "nothing says where codes are exchanged", "write token_url: https://..., or an issuer")
		}
	}
	v.issuer(at.Child("issuer"), p.Issuer)
	v.endpointURL(at.Child("authorization_url"), p.AuthorizationURL)
	v.endpointURL(at.Child("token_url"), p.TokenURL)
	v.endpointURL(at.Child("userinfo_url"), p.UserinfoURL)
	v.endpointURL(at.Child("revocation_url"), p.RevocationURL)
}

// authMethod is how the gateway proves who it is at the token endpoint.
func (p *Provider) authMethod() string {
	switch {
	case p.TokenEndpointAuthMethod != "":
		return p.TokenEndpointAuthMethod
	case !p.ClientSecret.IsZero():
		return "client_secret_basic"
	case p.PrivateKey.KeyFile != "":
		return "private_key_jwt"
	}
	return "none"
}

// providerProof checks that the gateway has what its way to prove itself needs, and nothing that it would not use.
func (v *validator) providerProof(at Path, p *Provider) {
	method, secret := p.authMethod(), at.Child("client_secret")
	why := "with token_endpoint_auth_method: " + method
	switch method {
	case "client_secret_basic", "client_secret_post":
		switch {
		case !p.ClientSecret.IsZero():
		case v.given(secret):
			v.add(secret, "client_secret is empty", "")
		default:
			v.missing(at, "client_secret", method+" needs a client_secret", "write client_secret: ${CLIENT_SECRET}")
		}
	case "private_key_jwt":
		if p.PrivateKey.KeyFile == "" {
			v.missing(at, "private_key", method+" needs a key that signs", "write private_key: {key_file: key.pem}")
		}
		v.unless(p.ClientSecret.IsZero(), secret, "client_secret means nothing "+why, "")
	default:
		v.unless(p.ClientSecret.IsZero(), secret, "client_secret means nothing "+why, "leave the method out for client_secret_basic")
		v.unless(*p.PKCE, at.Child("pkce"), "without a client_secret PKCE is all that protects a login's code", "leave it on, or add a client_secret")
	}
	key := at.Child("private_key")
	v.unless(method == "private_key_jwt" || !v.given(key), key, "private_key means nothing "+why, "write token_endpoint_auth_method: private_key_jwt, and no client_secret")
	v.readable(key.Child("key_file"), p.PrivateKey.KeyFile)
	v.endpointURL(key.Child("audience"), p.PrivateKey.Audience)
}

// The parameters that the gateway itself puts on requests to a provider.
var (
	authorizeOwn = []string{"client_id", "response_type", "response_mode", "redirect_uri", "state", "nonce", "scope", "code_challenge", "code_challenge_method", "request", "request_uri"}
	tokenOwn     = []string{"grant_type", "code", "code_verifier", "redirect_uri", "refresh_token", "client_id", "client_secret", "client_assertion", "client_assertion_type"}
)

func (v *validator) parameters(at Path, params map[string]string, resource bool, own ...string) {
	for _, name := range sortedNames(params) {
		v.unless(!slices.Contains(own, name), at.Child(name), name+" is the gateway's own to send", "leave it out")
		v.unless(name != "resource" || !resource, at.Child(name), "send_resource sets this already", "leave one of them out")
	}
}

// keptName can stand in {token.NAME}.
var keptName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// keep checks the fields that are kept with a login. A token is none of them: what is kept stands in URLs.
func (v *validator) keep(at Path, names []string) {
	for i, name := range names {
		path := at.Child(strconv.Itoa(i))
		v.unless(keptName.MatchString(name), path, fmt.Sprintf("%q can't be the name of a field", name), "write it as the token answer does, such as instance_url")
		v.unless(!slices.Contains([]string{"access_token", "refresh_token", "id_token", "code", "state"}, name), path,
			name+" is a secret, and what is kept is for URLs", "tokens are kept anyway, and sent as a credential")
		v.unless(slices.Index(names, name) == i, path, fmt.Sprintf("%q is here twice", name), "")
	}
}

// deadCodes checks that no failure which passes ends a login.
func (v *validator) deadCodes(at Path, codes []string) {
	for i, code := range codes {
		path := at.Child(strconv.Itoa(i))
		v.unless(scopeToken.MatchString(code), path, fmt.Sprintf("%q is not an error code", code), "write it like invalid_grant")
		v.unless(code != "temporarily_unavailable" && code != "server_error" && code != "slow_down", path,
			code+" passes: it can't end a login", "leave it out")
	}
}
