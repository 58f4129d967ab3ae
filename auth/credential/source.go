// Package credential puts the right credential on an upstream request. It knows nothing of tools, schemas, responses
// or retries.
package credential

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/config"
)

// Source puts a credential on a request; each attempt of a call asks anew.
type Source interface {
	// Authorize changes req, which belongs to it. An error is a fault.
	Authorize(ctx context.Context, req *http.Request) error
}

// Renewer is a Source that can get another credential in the place of one that the upstream refused.
type Renewer interface {
	// Renew is for a request that was answered with 401: the authorized one, as a RoundTripper below Transport sees it.
	// It reports whether there is another credential by now, so that sending the call once more makes sense: renewed here, or
	// by somebody else meanwhile. One call renews once: an API answers 401 for other reasons too. An error is a fault.
	Renew(ctx context.Context, req *http.Request) (renewed bool, err error)
}

// Varier is a Source whose credential comes with variables for the upstream's base_url, such as a login's instance_url.
type Varier interface {
	// Variables returns what the provider said at the caller's login: {token.NAME} of a base_url. It was not checked: a host
	// that is made of it has to be https and on the upstream's allow_hosts before Authorize is asked. An error is a fault.
	Variables(ctx context.Context) (map[string]string, error)
}

// Grants keep people's upstream tokens: grant.Keeper does. Its errors are faults.
type Grants interface {
	Tokens(ctx context.Context, key grant.Key) (provider.Tokens, error)
	Renew(ctx context.Context, key grant.Key, refused string) (provider.Tokens, error)
}

// Options are what New can do without.
type Options struct {
	Grants    Grants                      // credentials of type login need them
	Providers map[string]*config.Provider // those of gateway.yaml, by name
	Upstream  string                      // its name, for messages
	Client    *http.Client                // reaches token endpoints; nil is http.DefaultClient
	Logger    *slog.Logger
	Now       func() time.Time
}

// defaultBuffer is how long before its end a token is renewed, at most, where no provider says it.
const defaultBuffer = config.Duration(5 * time.Minute)

func (o Options) now() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

// New returns the source for a credential of gateway.yaml. The error names what is missing, for the author. The source of a
// login is a Renewer and a Varier.
func New(c config.Credential, opts Options) (Source, error) {
	switch c.Type {
	case "", "none":
		return none{}, nil
	case "bearer":
		return newBearer(c)
	case "basic":
		return newBasic(c)
	case "api_key":
		return newAPIKey(c)
	case "login":
		return newLogin(c, opts.Grants)
	case "forward":
		return newForward(c)
	case "client_credentials":
		return newClientCredentials(c, opts)
	case "jwt_bearer":
		return newJWTBearer(c, opts)
	}
	return nil, fmt.Errorf("credential type %q is not known; it is none, bearer, basic, api_key, login, client_credentials, jwt_bearer or forward", c.Type)
}
