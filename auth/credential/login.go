package credential

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

// login shows the token that a provider gave to the caller. It is a Renewer and a Varier.
type login struct {
	provider string
	grants   Grants
}

func newLogin(c config.Credential, grants Grants) (Source, error) {
	if c.Provider == "" {
		return nil, errors.New("a login credential needs a provider")
	}
	if grants == nil {
		return nil, errors.New("a login credential needs people who log in: auth.mode oauth, or stdio after `mcpgate login`")
	}
	return &login{c.Provider, grants}, nil
}

// Authorize sets the Authorization header to the caller's token.
func (l *login) Authorize(ctx context.Context, req *http.Request) error {
	tokens, err := l.tokens(ctx)
	if err != nil {
		return err
	}
	if err := l.checkScheme(req.URL, tokens); err != nil {
		return err
	}
	value, err := l.authorization(tokens)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", value)
	return nil
}

// Renew asks for another token than the one that req carries. What req carries was for this caller, as ctx is.
func (l *login) Renew(ctx context.Context, req *http.Request) (bool, error) {
	_, refused, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	key, err := l.key(ctx)
	if refused == "" || err != nil {
		return false, err
	}
	tokens, err := l.grants.Renew(ctx, key, refused)
	if err != nil {
		return false, l.advised(err, key)
	}
	return tokens.AccessToken != refused, nil
}

// Variables returns the fields that were kept of the caller's login.
func (l *login) Variables(ctx context.Context) (map[string]string, error) {
	tokens, err := l.tokens(ctx)
	if err != nil {
		return nil, err
	}
	return maps.Clone(tokens.Kept), nil
}

func (l *login) tokens(ctx context.Context) (provider.Tokens, error) {
	key, err := l.key(ctx)
	if err != nil {
		return provider.Tokens{}, err
	}
	tokens, err := l.grants.Tokens(ctx, key)
	return tokens, l.advised(err, key)
}

// key says whose grant the call needs.
func (l *login) key(ctx context.Context) (grant.Key, error) {
	if p := auth.FromContext(ctx); p != nil && p.Login != "" {
		return grant.Key{Owner: p.Login, Provider: l.provider}, nil
	}
	f := fault.New(fault.LoginRequired, fmt.Sprintf("this needs a person who is logged in at %q, and the caller is none", l.provider), nil)
	f.Hint = "connect to the gateway with a client that logs in (OAuth), not with a key"
	return grant.Key{}, f
}

// advised adds to a missing login what the person can do about it.
func (l *login) advised(err error, key grant.Key) error {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.Hint != "" || !fault.LoginRequired.Contains(f.Code) {
		return err
	}
	told := *f // the fault may be another caller's as well
	told.Hint = "log in again: disconnect and connect the gateway in the client"
	if key.Owner == auth.Local().Login {
		told.Hint = fmt.Sprintf("run `mcpgate login %s` where the gateway runs, then try again", l.provider)
	}
	return &told
}

// authorization writes the header's value. The type of a token is a scheme's name (RFC 6749 section 7.1, RFC 9110 section 11.4), and
// a type that wants more on a request than the token itself is not used.
func (l *login) authorization(t provider.Tokens) (string, error) {
	scheme := cmp.Or(t.TokenType, "Bearer")
	switch strings.ToLower(scheme) {
	case "bearer", "bearertoken": // Apigee writes the latter and wants the former
		scheme = "Bearer"
	case "dpop", "mac", "pop", "n_a", "basic", "digest": // proofs of possession; no access token (RFC 8693 section 2.2.1); passwords
		return "", l.unusable("a token of type " + strings.ToLower(scheme))
	}
	if !httpguts.ValidHeaderFieldName(scheme) { // a token of RFC 9110 section 5.6.2, as a scheme's name is
		return "", l.unusable("a token of a type that can't be sent")
	}
	if t.AccessToken == "" || !httpguts.ValidHeaderFieldValue(t.AccessToken) || strings.ContainsAny(t.AccessToken, " \t,") {
		return "", l.unusable("a token that can't be sent in a header")
	}
	return scheme + " " + t.AccessToken, nil
}

func (l *login) unusable(what string) error {
	f := fault.New(fault.UnexpectedResponse, fmt.Sprintf("the login at %q gave %s", l.provider, what), nil)
	f.Hint = "whoever runs the gateway has to look at the provider's settings; logging in again will not help"
	return f
}

// checkScheme keeps a token off the open network where the token answer itself named the host. A base_url with http: that the
// operator wrote is theirs to decide, as it is inside of a cluster.
func (l *login) checkScheme(target *url.URL, t provider.Tokens) error {
	if target.Scheme != "http" || loopback(target.Hostname()) {
		return nil
	}
	for name, value := range t.Kept {
		if u, err := url.Parse(value); value == target.Hostname() || value == target.Host || err == nil && u.Host != "" && u.Host == target.Host {
			f := fault.New(fault.ConfigurationInvalid, fmt.Sprintf("the login at %q named a host without https; its token is not sent there", l.provider), nil)
			f.Hint = fmt.Sprintf("whoever runs the gateway has to write base_url with https:// around {token.%s}", name)
			return f
		}
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
