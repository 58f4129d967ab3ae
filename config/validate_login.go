package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// login checks a credential that is the caller's own token.
func (v *validator) login(u *Upstream, at Path) {
	c := &u.Credential
	if c.Type != "login" {
		return
	}
	switch mode := v.cfg.Auth.Mode; {
	case mode == "api_key" || mode == "jwt":
		v.add(at.Child("type"), "with auth.mode: "+mode+" nobody logs in at a provider, so there is no token of the caller's",
			"write auth: {mode: oauth, ...}, or a credential of the gateway's own")
		return
	case c.Provider != "":
		v.providerName(at, c.Provider, "")
	}
}

// HTTPProblems are what keeps the configuration from being served over HTTP, though it is good for stdio: upstreams that want
// the caller's own token, where callers don't log in at the provider that it comes from. Over stdio `mcpgate login` gets it.
func (c *Config) HTTPProblems() Problems {
	var found Problems
	for _, name := range sortedNames(c.Upstreams) {
		u := c.Upstreams[name]
		if u.Credential.Type != "login" || u.Sandbox() {
			continue
		}
		at := u.Path().Child("credential")
		switch {
		case c.Auth.Mode == "none":
			found = append(found, c.Problem(at.Child("type"), "over HTTP nobody logs in, since auth.mode is none",
				fmt.Sprintf("write auth: {mode: oauth, oauth: {provider: %s}}, or serve with --stdio after `mcpgate login %s`", u.Credential.Provider, u.Credential.Provider)))
		case c.Auth.Mode == "oauth" && u.Credential.Provider != c.Auth.OAuth.Provider:
			found = append(found, c.Problem(at.Child("provider"),
				fmt.Sprintf("over HTTP people log in at %q alone, which auth.oauth.provider names", c.Auth.OAuth.Provider),
				fmt.Sprintf("serve this upstream by a gateway of its own, or with --stdio after `mcpgate login %s`", u.Credential.Provider)))
		}
	}
	return found
}

// tokenVariable checks a {token.NAME} of a base_url.
func (v *validator) tokenVariable(u *Upstream, path Path, name string) {
	field := strings.TrimPrefix(name, "token.")
	c := &u.Credential
	switch {
	case c.Type == "login":
	case (c.Type == "client_credentials" || c.Type == "jwt_bearer") && c.Provider == "":
		v.unknownName(path, fmt.Sprintf("the credential does not keep %q", field), field, c.Keep, fmt.Sprintf("write credential: {keep: [%s]}", field))
		return
	case c.Type == "client_credentials" || c.Type == "jwt_bearer":
	default:
		v.add(path, fmt.Sprintf("{%s} is of the caller's login, and the credential is none", name), "write credential: {type: login, provider: ...}")
		return
	}
	p := v.cfg.Providers[u.Credential.Provider]
	if p == nil {
		return // reported as that
	}
	v.unknownName(path, fmt.Sprintf("provider %q does not keep %q", p.Name, field), field, p.Keep,
		fmt.Sprintf("write providers: {%s: {keep: [%s]}}", p.Name, field))
}

// allowHosts checks the hosts that a login may choose. Without them whoever answers for the provider could have tokens sent
// anywhere.
func (v *validator) allowHosts(u *Upstream, at Path) {
	path := at.Child("allow_hosts")
	for i, host := range u.AllowHosts {
		wrong, hint := hostPattern(host)
		v.unless(wrong == "", path.Child(strconv.Itoa(i)), fmt.Sprintf("%q %s", host, wrong), hint)
	}
	chosen := slices.ContainsFunc(placeholders(u.BaseURL), func(name string) bool { return strings.HasPrefix(name, "token.") })
	switch {
	case chosen && len(u.AllowHosts) == 0:
		v.missing(at, "allow_hosts", "a base_url that a login chooses needs allow_hosts", `write allow_hosts: ["*.my.salesforce.com"]: tokens are sent there and nowhere else`)
	case !chosen && len(u.AllowHosts) > 0:
		v.add(path, "allow_hosts means nothing where base_url has no {token.NAME}", "")
	}
}

// withToken replaces each {token.NAME} by what it may stand for: a whole URL at the beginning, a name elsewhere.
func withToken(baseURL string) string {
	for _, name := range placeholders(baseURL) {
		if !strings.HasPrefix(name, "token.") {
			continue
		}
		variable := "{" + name + "}"
		if rest, ok := strings.CutPrefix(baseURL, variable); ok {
			baseURL = "https://token.invalid" + rest
		}
		baseURL = strings.ReplaceAll(baseURL, variable, "0")
	}
	return baseURL
}
