package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"mcpgate/auth/credential"
	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/internal/telemetry"
	"mcpgate/mapping"
)

// This file has what a call does for an upstream whose credential is a token that was obtained: the caller's own, of a login, or the gateway's.

// login is such a credential.
type login interface {
	credential.Renewer
	credential.Varier
}

// authorized remembers the last request with the credential on it: what was refused, and what must not be repeated to a client.
type authorized struct {
	call *call
	next http.RoundTripper
}

// RoundTrip sends.
func (s *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	s.call.authorized = req
	return s.next.RoundTrip(req)
}

// renewed reports whether a call that failed is to be sent once more, with a new token: the upstream refused the one
// that it was shown, and there is another. A refusal is a hint alone. APIs answer 401 for other reasons too, so a call asks once, and what
// ends a login is the provider's word. The error is the provider's.
func (c *call) renewed(ctx context.Context, failure error) (bool, error) {
	if c.upstream.login == nil || c.renewal || c.authorized == nil || !refusesToken(failure) {
		return false, nil
	}
	c.renewal = true
	tell(ctx, "the API refused the access token; asking for a new one")
	return c.upstream.login.Renew(ctx, c.authorized)
}

// refusesToken reports whether an upstream's answer means that the token is gone: a 401, or a code that errors.faults says so of.
func refusesToken(err error) bool {
	return errors.Is(err, fault.CredentialsInvalid) || errors.Is(err, fault.Token)
}

// refused says of a 401 whose token it was: with a login the caller's, and not the gateway's own.
func (c *call) refused(err error) error {
	f, ok := errors.AsType[*fault.Fault](err)
	if !c.upstream.personal || !ok || !refusesToken(f) {
		return err
	}
	told := *f
	told.Code = fault.TokenInvalid
	told.Hint = "the API refuses this person's access token, also a fresh one: the account may lack the permission there, or may have to log in anew"
	return &told
}

// again is the request once more, from its beginning.
func again(req *http.Request) (*http.Request, error) {
	repeated := req.Clone(req.Context())
	if req.GetBody == nil {
		return repeated, nil
	}
	body, err := req.GetBody()
	repeated.Body = body
	return repeated, err
}

// fillToken puts what the caller's login brought along into the base URL.
func (c *call) fillToken(ctx context.Context, tool *mapping.Tool, args mapping.Arguments) error {
	names := tool.TokenVariables()
	if len(names) == 0 {
		return nil
	}
	if c.upstream.login == nil {
		return fault.New(fault.ConfigurationInvalid, "this API's address comes with a login, and its credential is none", nil)
	}
	variables, err := c.upstream.login.Variables(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		value, ok := variables[name]
		if !ok {
			f := fault.New(fault.ConfigurationInvalid, fmt.Sprintf("the login gave no %q, which is a part of this API's address", name), nil)
			f.Hint = "whoever runs the gateway has to look at `keep` of the provider; then log in again"
			return f
		}
		args.FillToken(name, value)
	}
	return nil
}

// checkHost holds a URL that a login filled in against allow_hosts, before any credential is put on a request to it. What
// gateway.yaml wrote whole is its own affair.
func (u *upstream) checkHost(target *url.URL) error {
	if !fromToken(u.config) {
		return nil
	}
	if target.Scheme != "https" && !isLoopback(target.Hostname()) {
		return u.strayed(target, "is not https")
	}
	if !slices.ContainsFunc(u.config.AllowHosts, func(pattern string) bool { return hostMatches(pattern, target) }) {
		return u.strayed(target, "is not among allow_hosts")
	}
	return nil
}

// strayed is the fault of a login that leads elsewhere. Where to is for the log alone.
func (u *upstream) strayed(target *url.URL, why string) error {
	f := fault.New(fault.ConfigurationInvalid, fmt.Sprintf("the login leads to an address that upstream %q does not allow", u.name),
		fmt.Errorf("%s://%s %s", target.Scheme, target.Host, why))
	f.Hint = "whoever runs the gateway finds it in the log, and can add it to allow_hosts"
	return f
}

// fromToken reports whether the upstream's address comes with the caller's login.
func fromToken(u *config.Upstream) bool { return strings.Contains(u.BaseURL, "{token.") }

// hostMatches compares a host with a pattern of allow_hosts: a name, one below *.NAME, and a port where the pattern has one.
func hostMatches(pattern string, target *url.URL) bool {
	host := canonicalHost(target.Hostname())
	name, port, found := strings.Cut(strings.ToLower(pattern), ":")
	if found && port != portOf(target) {
		return false
	}
	if suffix, wild := strings.CutPrefix(name, "*."); wild {
		return strings.HasSuffix(host, "."+suffix)
	}
	return host == name
}

// maskAuthorized takes what the call showed and gateway.yaml does not have out of what the upstream said: a token that was obtained, and the caller's own
// headers.
func (c *call) maskAuthorized(outcome *Outcome) {
	if c.authorized == nil {
		return
	}
	var secrets []config.Secret
	if _, token, found := strings.Cut(c.authorized.Header.Get("Authorization"), " "); found && c.upstream.login != nil {
		secrets = append(secrets, config.NewSecret(token))
	}
	if credential := c.upstream.config.Credential; credential.Type == "forward" {
		for _, name := range credential.Headers {
			for _, value := range c.authorized.Header.Values(name) {
				secrets = append(secrets, config.NewSecret(value), config.NewSecret(value[strings.IndexByte(value, ' ')+1:])) // with a scheme before it, and without
			}
		}
	}
	if len(secrets) > 0 {
		outcome.mask(telemetry.NewMasker(secrets))
	}
}
