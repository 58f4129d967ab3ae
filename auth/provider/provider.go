// Package provider speaks to an identity provider: its endpoints, how the gateway proves who it is there, and what its
// answers mean. It knows nothing of MCP clients, of our own tokens, nor where upstream tokens are kept.
package provider

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"mcpgate/config"
)

var errNotBuilt = errors.New("not built yet")

// Tokens are what a provider's token endpoint answered (RFC 6749 section 5.1), with what of it has to be kept. It prints as
// [tokens] everywhere but in JSON, which only goes into sealed records.
type Tokens struct {
	AccessToken    string            `json:"access_token"`
	TokenType      string            `json:"token_type"` // as the answer writes it; "" is Bearer
	RefreshToken   string            `json:"refresh_token,omitempty"`
	Obtained       time.Time         `json:"obtained"`
	Expires        time.Time         `json:"expires,omitzero"`         // the zero time where nobody says
	RefreshExpires time.Time         `json:"refresh_expires,omitzero"` // refresh_expires_in; 0 there means never
	Scopes         []string          `json:"scopes,omitempty"`         // the provider's, as granted
	Kept           map[string]string `json:"kept,omitempty"`           // config.Provider.Keep: of the token answer and the callback
}

// Identity is who logged in.
type Identity struct {
	Issuer  string         `json:"issuer"`           // the provider's issuer, or its name in gateway.yaml where it has none
	Subject string         `json:"subject"`          // as config.Provider.Subject says
	Claims  map[string]any `json:"claims,omitempty"` // of the id_token and the userinfo answer, for roles
}

// Options are what New can do without.
type Options struct {
	Client *http.Client // reaches the provider; nil is http.DefaultClient
	Logger *slog.Logger
	Now    func() time.Time
}

// Provider is one entry of providers. It is safe for concurrent use.
type Provider struct {
	Name string
}

// New prepares a provider; nothing is dialled. The error is the author's: a key file that can't be read, say.
func New(cfg *config.Provider, opts Options) (*Provider, error) {
	return &Provider{Name: cfg.Name}, nil
}

// Run discovers the provider's endpoints in the background, again and again until it succeeds, then once in a while. It returns when ctx ends.
func (p *Provider) Run(ctx context.Context) {}

// Ready returns nil once the endpoints are known, and from then on; before, why not (fault.Unavailable).
func (p *Provider) Ready() error { return nil }

// AuthorizeRequest is what the authorization request says (RFC 6749 section 4.1.1).
type AuthorizeRequest struct {
	State, Nonce string
	Verifier     string // of our own PKCE pair; its challenge is sent where config says pkce
	RedirectURI  string
	Scopes       []string // ours; mapped by scope_map and added to the provider's own
	Resource     string   // sent where config says send_resource
}

// AuthorizeURL is where the person's browser goes to log in. The error is fault.Unavailable before the endpoints are known.
func (p *Provider) AuthorizeURL(r AuthorizeRequest) (string, error) { return "", errNotBuilt }

// Callback is what the provider sent the browser back with, and what belongs to it.
type Callback struct {
	Query       url.Values // code, iss, and what Keep names
	Verifier    string
	Nonce       string
	RedirectURI string
	Resource    string
}

// Exchange redeems the code, once, and checks the id_token (issuer, audience, time, nonce, algorithm) and the iss of the callback. The
// error is a fault; an *Error is its cause where the provider answered.
func (p *Provider) Exchange(ctx context.Context, c Callback) (Tokens, Identity, error) {
	return Tokens{}, Identity{}, errNotBuilt
}

// OurScopes translates what the provider granted back to ours: the wanted ones that the grant covers. Where the answer does not say
// what was granted, all of them were (RFC 6749 section 5.1). Ours that scope_map does not name are granted by the login itself.
func (p *Provider) OurScopes(wanted []string, granted Tokens) []string { return nil }

// Refresh asks for new tokens. What the answer leaves out is kept from the old ones: refresh token, kept fields, scopes. It does not
// repeat the request. The error is a fault: fault.TokenRefreshFailed where the provider said that the grant is over, fault.CredentialsInvalid where it refused the gateway itself,
// and fault.Unavailable for everything that may pass.
func (p *Provider) Refresh(ctx context.Context, old Tokens) (Tokens, error) {
	return Tokens{}, errNotBuilt
}

// Revoke tells the provider that the tokens are no longer needed (RFC 7009), the refresh token if there is one. Without a revocation endpoint it does
// nothing.
func (p *Provider) Revoke(ctx context.Context, t Tokens) error { return errNotBuilt }

// RefreshAhead is how long before its end an access token is renewed: min(refresh.buffer, life/4); 0 where the end is not known.
func (p *Provider) RefreshAhead(t Tokens) time.Duration { return 0 }
