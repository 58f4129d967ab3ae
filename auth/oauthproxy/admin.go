package oauthproxy

import (
	"context"
	"log/slog"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/seal"
)

// AdminOptions are what NewAdmin can do without.
type AdminOptions struct {
	Logger *slog.Logger
	Now    func() time.Time
}

// Admin lists logins and ends them, for operators. It works on the store alone, whether gateways run on it or not; one that runs sees
// within 5 s what was ended.
type Admin struct{}

// NewAdmin returns the operators' view of a store. grants may know no providers: then what is ended is not told upstream.
func NewAdmin(store tokenstore.Store, ring *seal.Ring, grants *grant.Keeper, opts AdminOptions) *Admin {
	return &Admin{}
}

// Client is a client that somebody let in.
type Client struct {
	ID           string    `json:"client_id"`
	Name         string    `json:"name,omitempty"`
	Kind         string    `json:"kind"` // known (in gateway.yaml), document (its id is a URL) or registered (by itself)
	RedirectURIs []string  `json:"redirect_uris"`
	First        time.Time `json:"first"` // when somebody let it in
	Last         time.Time `json:"last"`
	Sessions     int       `json:"sessions"` // logins that stand
}

// Session is one person's login through one client.
type Session struct {
	ID         string    `json:"id"`
	Subject    string    `json:"subject"` // as our tokens' sub and the audit log have it
	Person     string    `json:"person"`  // the provider's id of the person
	Name       string    `json:"name,omitempty"`
	Email      string    `json:"email,omitempty"`
	Provider   string    `json:"provider"`
	ClientID   string    `json:"client_id"`
	ClientName string    `json:"client_name,omitempty"`
	Scopes     []string  `json:"scopes"`
	Created    time.Time `json:"created"`
	Refreshed  time.Time `json:"refreshed"` // when the client last asked for tokens
	Expires    time.Time `json:"expires"`   // the latest; a login that lies idle ends before
}

// Filter says which logins Revoke ends: those that all of its texts fit.
type Filter struct {
	User     string // subject, the provider's id of the person, e-mail or preferred_username; letter case counts in the first two
	ClientID string
	Session  string
	All      bool // stands alone
}

// Clients returns the clients that somebody let in, the oldest first. The error joins what could not be read; the rest is returned
// with it.
func (a *Admin) Clients(ctx context.Context) ([]Client, error) { return nil, errNotBuilt }

// Sessions returns the logins that stand, the oldest first. The error joins what could not be read; the rest is returned with it.
func (a *Admin) Sessions(ctx context.Context) ([]Session, error) { return nil, errNotBuilt }

// Revoke ends logins, with their upstream tokens, and tells the provider as far as that goes. It returns those that it ended, also beside an error.
func (a *Admin) Revoke(ctx context.Context, which Filter) ([]Session, error) { return nil, errNotBuilt }
