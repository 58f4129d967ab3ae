package gateway

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"mcpgate/auth/credential"
	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/specs"
)

// newSource returns what puts the upstream's credential on a request. The sandbox asks for none. A credential that was
// left empty - its variable is not set - fails the upstream's calls, and keeps nothing else from being served.
func newSource(cfg *config.Config, u *config.Upstream, opts upstreamOptions) (credential.Source, error) {
	if u.Sandbox() {
		return credential.New(config.Credential{Type: "none"}, credential.Options{})
	}
	if key := emptyCredential(u.Credential); key != "" {
		return noCredential{upstream: u.Name, key: key}, nil
	}
	options := credential.Options{Grants: opts.Grants, Providers: cfg.Providers, Upstream: u.Name, Logger: opts.Logger, Now: opts.Now}
	if u.Credential.Type == "client_credentials" || u.Credential.Type == "jwt_bearer" { // gateway.yaml itself names the token endpoint
		transport, err := newTransport(cfg.Outbound, nil)
		if err != nil {
			return nil, err
		}
		options.Client = &http.Client{Transport: transport, CheckRedirect: noRedirect}
	}
	return credential.New(u.Credential, options)
}

// emptyCredential is the key of the secret that a credential lacks, or "".
func emptyCredential(c config.Credential) string {
	switch {
	case c.Type == "bearer" && c.Token.IsZero():
		return "token"
	case c.Type == "basic" && c.Username.IsZero() && c.Password.IsZero():
		return "password"
	case c.Type == "api_key" && c.Value.IsZero():
		return "value"
	case c.Type == "client_credentials" && c.Provider == "" && c.ClientID == "":
		return "client_id"
	case c.Type == "client_credentials" && c.Provider == "" && c.ClientSecret.IsZero() && c.KeyFile == "":
		return "client_secret"
	default:
		return ""
	}
}

// noCredential stands where an upstream's credential is empty.
type noCredential struct{ upstream, key string }

// Authorize refuses.
func (n noCredential) Authorize(context.Context, *http.Request) error {
	f := fault.New(fault.ConfigurationMissing, fmt.Sprintf("the gateway has no credential for upstream %q", n.upstream),
		fmt.Errorf("upstreams.%s.credential.%s is empty", n.upstream, n.key))
	f.Hint = "whoever runs the gateway has to set it; calling again will not help"
	return f
}

// credentialWarnings tells about the credentials that are empty.
func credentialWarnings(cfg *config.Config) []specs.Warning {
	var warnings []specs.Warning
	for _, name := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		u := cfg.Upstreams[name]
		key := emptyCredential(u.Credential)
		if u.Sandbox() || key == "" {
			continue
		}
		path := u.Path().Child("credential", key)
		pos := cfg.Problem(path, "", "").Pos
		warnings = append(warnings, specs.Warning{
			Message: fmt.Sprintf("%s is empty; calls of %s fail until it is set", path, name),
			Pos:     specs.Position{File: pos.File, Line: pos.Line, Column: pos.Column},
		})
	}
	return warnings
}
