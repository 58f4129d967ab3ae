package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// credentialKeys says which keys each type of credential has, and which of them it needs.
var credentialKeys = map[string]struct{ needed, optional []string }{
	"none":    {},
	"bearer":  {needed: []string{"token"}},
	"basic":   {needed: []string{"username"}, optional: []string{"password"}},
	"api_key": {needed: []string{"in", "name", "value"}},
	"login":   {needed: []string{"provider"}},
	"forward": {needed: []string{"headers"}},

	"client_credentials": {optional: []string{"provider", "token_url", "client_id", "client_secret", "token_endpoint_auth_method", "key_file", "key_id", "algorithm",
		"scopes", "audience", "token_lifetime", "keep"}},
	"jwt_bearer": {optional: []string{"provider", "token_url", "client_id", "client_secret", "token_endpoint_auth_method", "key_file", "key_id", "algorithm",
		"scopes", "issuer", "subject", "audience", "token_lifetime", "keep"}},
}

// credentialOrder are the keys of a credential, in the order in which problems with them are told.
var credentialOrder = []string{"token", "username", "password", "in", "name", "value", "provider", "token_url", "client_id", "client_secret",
	"token_endpoint_auth_method", "key_file", "key_id", "algorithm", "scopes", "issuer", "subject", "audience", "token_lifetime", "keep", "headers"}

// credential checks that a type has its keys and no others. A secret that comes from an empty variable is no problem
// here: a sandbox needs none, and without it the other upstreams still work.
func (v *validator) credential(u *Upstream, at Path) {
	c := &u.Credential
	filled := map[string]bool{
		"token": !c.Token.IsZero(), "username": !c.Username.IsZero(), "password": !c.Password.IsZero(),
		"in": c.In != "", "name": c.Name != "", "value": !c.Value.IsZero(), "provider": c.Provider != "",
		"token_url": c.TokenURL != "", "client_id": c.ClientID != "", "client_secret": !c.ClientSecret.IsZero(),
		"token_endpoint_auth_method": c.TokenEndpointAuthMethod != "", "key_file": c.KeyFile != "", "key_id": c.KeyID != "", "algorithm": c.Algorithm != "", "scopes": len(c.Scopes) > 0,
		"issuer": c.Issuer != "", "subject": c.Subject != "", "audience": c.Audience != "", "token_lifetime": c.TokenLifetime != 0, "keep": len(c.Keep) > 0,
		"headers": len(c.Headers) > 0,
	}
	keys, ok := credentialKeys[c.Type]
	if !ok {
		return // decoding has reported it
	}
	if c.Type == "none" && !v.given(at.Child("type")) {
		if typ := typeOf(filled); typ != "" {
			v.missing(at, "type", "the credential has no type", "did you mean type: "+typ+"?")
			return
		}
	}
	for _, key := range keys.needed {
		switch {
		case filled[key] || (holdsSecret(key) && v.empty(at.Child(key))):
		case v.given(at.Child(key)):
			v.add(at.Child(key), key+" is empty", "")
		default:
			v.missing(at, key, fmt.Sprintf("type: %s needs %s", c.Type, key), "")
		}
	}
	for _, key := range credentialOrder {
		if filled[key] && !slices.Contains(keys.needed, key) && !slices.Contains(keys.optional, key) {
			v.add(at.Child(key), fmt.Sprintf("%s means nothing with type: %s", key, c.Type), "")
		}
	}
	for key, secret := range map[string]Secret{"token": c.Token, "username": c.Username, "password": c.Password, "value": c.Value} {
		v.unless(!control(secret.Reveal()), at.Child(key), "the value holds a line end or another control character", "check where it comes from")
	}
	v.unless(c.Type != "basic" || !strings.Contains(c.Username.Reveal(), ":"), at.Child("username"), "a user name can't hold a colon (RFC 7617)", "")
	v.unless(c.Name == "" || token.MatchString(c.Name) || c.In == "query", at.Child("name"), fmt.Sprintf("%q can't be the name of a %s", c.Name, c.In), "")
	v.unless(c.In != "header" || !reserved(c.Name), at.Child("name"), fmt.Sprintf("%s is not for a file to set", c.Name), "")
}

// forwarded checks which headers of a caller are passed on: none that is for the gateway, and none that the connection decides.
func (v *validator) forwarded(at Path, c *Credential) {
	if c.Type != "forward" {
		return
	}
	for i, name := range c.Headers {
		path, lower := at.Child("headers", strconv.Itoa(i)), strings.ToLower(name)
		switch {
		case !token.MatchString(name):
			v.add(path, fmt.Sprintf("%q can't be the name of a header", name), "")
		case reserved(name), strings.HasPrefix(lower, "mcp-"), strings.HasPrefix(lower, "proxy-"), strings.HasPrefix(lower, "sec-"),
			slices.Contains([]string{"content-type", "content-encoding", "accept", "accept-encoding", "origin", "forwarded", "last-event-id"}, lower), strings.HasPrefix(lower, "x-forwarded-"):
			v.add(path, name+" belongs to the request to the gateway", "a header of the API's own, such as X-Tenant, can be passed on")
		case lower == "cookie":
			v.add(path, "cookies of a caller end at the gateway", "")
		case (lower == "authorization" || lower == "x-api-key") && v.cfg.Auth.Mode != "none":
			v.add(path, fmt.Sprintf("with auth.mode: %s this header carries what is for the gateway", v.cfg.Auth.Mode), "let clients send the API's own in another header")
		}
		v.unless(slices.IndexFunc(c.Headers, func(other string) bool { return strings.EqualFold(other, name) }) == i, path, fmt.Sprintf("%q is here twice", name), "")
	}
}

// typeOf guesses the type from the keys that are there.
func typeOf(filled map[string]bool) string {
	switch {
	case filled["token_url"], filled["client_id"], filled["client_secret"]:
		return "client_credentials"
	case filled["provider"]:
		return "login"
	case filled["token"]:
		return "bearer"
	case filled["username"] || filled["password"]:
		return "basic"
	case filled["value"] || filled["in"] || filled["name"]:
		return "api_key"
	}
	return ""
}

// headers checks the headers of an upstream or a query.
func (v *validator) headers(u *Upstream, at Path, headers map[string]Secret) {
	seen := map[string]string{}
	for _, name := range sortedNames(headers) {
		path, lower := at.Child(name), strings.ToLower(name)
		v.unless(token.MatchString(name), path, fmt.Sprintf("%q can't be the name of a header", name), "")
		v.unless(!reserved(name), path, name+" is not for a file to set", "the connection decides it")
		v.unless(!control(headers[name].Reveal()), path, "the value holds a line end or another control character", "check where it comes from")
		v.unless(seen[lower] == "", path, fmt.Sprintf("%q and %q are one header", name, seen[lower]), "the case of letters does not count")
		v.unless(lower != credentialHeader(&u.Credential), path, "credential sets this header already", "leave one of them out")
		seen[lower] = name
	}
}

// credentialHeader is the header that a credential takes, in lower case.
func credentialHeader(c *Credential) string {
	switch {
	case slices.Contains([]string{"bearer", "basic", "login", "client_credentials", "jwt_bearer"}, c.Type):
		return "authorization"
	case c.Type == "api_key" && c.In == "header":
		return strings.ToLower(c.Name)
	}
	return ""
}

// reserved reports a header that belongs to the connection (RFC 9110, section 7.6.1) or that is made from the request.
func reserved(name string) bool {
	return slices.Contains([]string{
		"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	}, strings.ToLower(name))
}

// control reports a character that would end a header or hide in it.
func control(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f })
}

// holdsSecret reports whether a key of a credential holds a secret, which usually comes from a variable.
func holdsSecret(key string) bool {
	return slices.Contains([]string{"token", "username", "password", "value", "client_secret"}, key)
}
