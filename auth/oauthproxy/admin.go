package oauthproxy

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/seal"
)

// AdminOptions are what NewAdmin can do without.
type AdminOptions struct {
	Logger *slog.Logger
}

// Admin lists logins and ends them, for operators. It works on the store alone, whether gateways run on it or not; one that runs sees
// within 5 s what was ended.
type Admin struct {
	clients  *tokenstore.Table[authorized]
	sessions *tokenstore.Table[session]
	grants   *grant.Keeper
	logins   *logins
}

// NewAdmin returns the operators' view of a store. grants may know no providers: then what is ended is not told upstream.
func NewAdmin(store tokenstore.Store, ring *seal.Ring, grants *grant.Keeper, opts AdminOptions) *Admin {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	sessions := tokenstore.NewTable[session](store, ring, "session")
	return &Admin{
		clients:  tokenstore.NewTable[authorized](store, ring, "client"),
		sessions: sessions,
		grants:   grants,
		logins:   &logins{sessions: sessions, grants: grants, log: opts.Logger},
	}
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
	Login      string    `json:"login,omitempty"` // the preferred_username
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
	User     string // subject, the provider's id of the person, e-mail or preferred_username (in any letter case)
	ClientID string
	Session  string
	All      bool // stands alone
}

// ErrNoFilter is a Filter that says nothing: to end all logins has to be said.
var ErrNoFilter = errors.New("whose logins are to end: name a user, a client or a session, or say all of them")

// Clients returns the clients that somebody let in, the oldest first. The error joins what could not be read; the rest is returned
// with it.
func (a *Admin) Clients(ctx context.Context) ([]Client, error) {
	sessions, failed := a.Sessions(ctx)
	count := map[string]int{}
	for _, session := range sessions {
		count[session.ClientID]++
	}
	failures := []error{failed}
	var clients []Client
	for entry, err := range a.clients.All(ctx) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		c := entry.Value
		clients = append(clients, Client{ID: c.ClientID, Name: c.Name, Kind: c.Kind, RedirectURIs: c.RedirectURIs, First: c.First, Last: c.Last,
			Sessions: count[c.ClientID]})
	}
	slices.SortFunc(clients, func(x, y Client) int { return cmp.Or(x.First.Compare(y.First), cmp.Compare(x.ID, y.ID)) })
	return clients, errors.Join(failures...)
}

// Sessions returns the logins that stand, the oldest first. The error joins what could not be read; the rest is returned with it.
func (a *Admin) Sessions(ctx context.Context) ([]Session, error) {
	var sessions []Session
	var failures []error
	for entry, err := range a.sessions.All(ctx) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		sessions = append(sessions, listed(entry.Key, entry.Value))
	}
	slices.SortFunc(sessions, func(x, y Session) int { return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.ID, y.ID)) })
	return sessions, errors.Join(failures...)
}

func listed(id string, s session) Session {
	return Session{
		ID: id, Subject: s.Subject, Person: s.Identity.Subject, Name: claimText(s.Identity.Claims, "name"), Email: claimText(s.Identity.Claims, "email"),
		Login: claimText(s.Identity.Claims, "preferred_username"), Provider: s.Provider, ClientID: s.ClientID, ClientName: s.Client,
		Scopes: s.Scopes, Created: s.Created, Refreshed: cmp.Or(s.Refreshed, s.Created), Expires: s.Expires,
	}
}

func claimText(claims map[string]any, name string) string {
	text, _ := claims[name].(string)
	return text
}

// Revoke ends logins, with their upstream tokens, and tells the provider as far as that goes. It returns those that it ended, also beside an error.
// Clients are forgotten with the last of their logins where they, or all, were asked for.
func (a *Admin) Revoke(ctx context.Context, which Filter) ([]Session, error) {
	if which == (Filter{}) {
		return nil, ErrNoFilter
	}
	sessions, failed := a.Sessions(ctx)
	failures := []error{failed}
	var ended []Session
	for _, s := range sessions {
		if !which.fits(s) {
			continue
		}
		attrs := []slog.Attr{slog.String("sub", s.Subject), clientAttr(s.ClientID), slog.String("session", auth.Fingerprint(s.ID))}
		if err := a.logins.end(ctx, s.ID, s.Provider, "operator", attrs...); err != nil {
			failures = append(failures, err)
			continue
		}
		ended = append(ended, s)
	}
	if which.All {
		failures = append(failures, a.endStray(ctx, sessions))
	}
	failures = append(failures, a.forget(ctx, which))
	return ended, errors.Join(failures...)
}

// fits reports whether a filter names a session.
func (f Filter) fits(s Session) bool {
	if f.All {
		return true
	}
	user := f.User == "" || f.User == s.Subject || f.User == s.Person || strings.EqualFold(f.User, s.Email) || strings.EqualFold(f.User, s.Login)
	return user && (f.ClientID == "" || f.ClientID == s.ClientID) && (f.Session == "" || f.Session == s.ID)
}

// endStray gives up upstream tokens whose session is gone, or can't be read. Those of `mcpgate login` are nobody's session.
func (a *Admin) endStray(ctx context.Context, sessions []Session) error {
	known := map[string]bool{auth.Local().Login: true}
	for _, s := range sessions {
		known[s.ID] = true
	}
	var failures []error
	for g, err := range a.grants.All(ctx) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if !known[g.Owner] {
			failures = append(failures, a.grants.End(ctx, g.Key))
		}
	}
	return errors.Join(failures...)
}

// forget takes clients out of the list whose logins were ended because of the client.
func (a *Admin) forget(ctx context.Context, which Filter) error {
	if !which.All && (which.ClientID == "" || which.User != "" || which.Session != "") {
		return nil
	}
	var failures []error
	for entry, err := range a.clients.All(ctx) {
		switch {
		case err != nil: // told by what was listed
		case which.All || which.ClientID == entry.Value.ClientID:
			failures = append(failures, a.clients.Delete(ctx, entry.Key))
		}
	}
	return errors.Join(failures...)
}
