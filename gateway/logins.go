package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/oauthproxy"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/seal"
)

// clientDocumentTimeout bounds the fetch of a client's metadata document.
const clientDocumentTimeout = 10 * time.Second

// Logins are what the gateway keeps of people who logged in: the store, their upstream tokens, the providers, and with
// auth.mode oauth the authorization server. It is safe for concurrent use.
type Logins struct {
	Store     tokenstore.Store
	Ring      *seal.Ring
	Providers map[string]*provider.Provider
	Grants    *grant.Keeper
	Server    *oauthproxy.Server // nil unless auth.mode is oauth

	ready    atomic.Bool // once store, keys and first discovery were there: what fails later never turns it back
	cancel   context.CancelFunc
	running  sync.WaitGroup
	idle     []*http.Client
	provider string // where people log in, with auth.mode oauth
}

// LoginOptions are what OpenLogins can do without.
type LoginOptions struct {
	Logger *slog.Logger // nil discards
	Now    func() time.Time
}

// NeedsLogins reports whether anything in gateway.yaml is about people who log in.
func NeedsLogins(cfg *config.Config) bool {
	if cfg.Auth.Mode == "oauth" {
		return true
	}
	for _, u := range cfg.Upstreams {
		if u.Credential.Type == "login" && !u.Sandbox() {
			return true
		}
	}
	return false
}

// OpenLogins opens the store and prepares the providers of gateway.yaml; discovery goes on in the background. The error
// is the author's: a folder that can't be written, a key file that can't be read. A store or a provider that can't be reached is none.
func OpenLogins(ctx context.Context, cfg *config.Config, opts LoginOptions) (_ *Logins, err error) {
	log := cmp.Or(opts.Logger, slog.New(slog.DiscardHandler))
	l := &Logins{Providers: make(map[string]*provider.Provider, len(cfg.Providers)), provider: cfg.Auth.OAuth.Provider}
	if l.Ring, err = loginRing(cfg, opts.Now, log); err != nil {
		return nil, err
	}
	if l.Store, err = tokenstore.Open(ctx, cfg.Auth.OAuth.Store, tokenstore.Options{Logger: log, Now: opts.Now}); err != nil {
		return nil, fmt.Errorf("auth.oauth.store: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Store.Close())
		}
	}()
	client, err := l.client(cfg.Outbound)
	if err != nil {
		return nil, err
	}
	refreshers := make(map[string]grant.Refresher, len(cfg.Providers))
	for name, p := range cfg.Providers {
		opened, err := provider.New(p, provider.Options{Client: client, Logger: log, Now: opts.Now})
		if err != nil {
			return nil, fmt.Errorf("providers.%s: %w", name, err)
		}
		l.Providers[name], refreshers[name] = opened, opened
	}
	l.Grants = grant.New(l.Store, l.Ring, refreshers, grant.Options{CacheSize: cfg.Auth.OAuth.CacheSize, Logger: log, Now: opts.Now})
	if cfg.Auth.Mode == "oauth" {
		if err = l.openServer(cfg, opts, log); err != nil {
			return nil, err
		}
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	for _, p := range l.Providers {
		l.running.Go(func() { p.Run(background) })
	}
	return l, nil
}

// openServer makes the authorization server.
func (l *Logins) openServer(cfg *config.Config, opts LoginOptions, log *slog.Logger) error {
	fetch, err := clientDocuments(cfg.Outbound)
	if err != nil {
		return err
	}
	l.idle = append(l.idle, fetch)
	l.Server, err = oauthproxy.New(oauthproxy.Parts{
		Config: cfg, Store: l.Store, Ring: l.Ring, Grants: l.Grants, Provider: l.Providers[l.provider],
		Fetch: fetch, Logger: log, Now: opts.Now,
	})
	return err
}

// client reaches the providers, which gateway.yaml itself names.
func (l *Logins) client(outbound config.Outbound) (*http.Client, error) {
	transport, err := newTransport(outbound, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: transport, CheckRedirect: noRedirect}
	l.idle = append(l.idle, client)
	return client, nil
}

// clientDocuments fetches what a stranger names: the metadata documents of clients. It opens no connection to an address
// inside unless outbound.allow names it, whatever deny_private says, and follows no redirect.
func clientDocuments(outbound config.Outbound) (*http.Client, error) {
	deny := true
	outbound.DenyPrivate = &deny
	guard, err := newGuard(outbound)
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(outbound, guard)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport, Timeout: clientDocumentTimeout, CheckRedirect: noRedirect}, nil
}

// noRedirect hands the redirect itself to whoever asked.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// loginRing is the key ring for what is stored and issued. Where gateway.yaml has no key, which config takes on loopback alone, one
// is kept beside the records of a file store, so that a restart logs nobody out.
func loginRing(cfg *config.Config, now func() time.Time, log *slog.Logger) (*seal.Ring, error) {
	key := cfg.Key.Reveal()
	if key == "" && cfg.Auth.OAuth.Store.Type == "file" {
		local, err := tokenstore.LocalKey(cfg.Auth.OAuth.Store.Path)
		if err != nil {
			return nil, fmt.Errorf("auth.oauth.store.path: %w", err)
		}
		log.Warn("gateway.yaml has no key: one is kept beside the logins, which is good for this machine alone", "folder", cfg.Auth.OAuth.Store.Path)
		key = local
	}
	ring := seal.NewRing(key)
	ring.Now = now
	return ring, nil
}

// Ready returns nil once the store answers and the endpoints of every provider are known, and from then on.
func (l *Logins) Ready(ctx context.Context) error {
	if l.ready.Load() {
		return nil
	}
	if err := l.Store.Check(ctx); err != nil {
		return fmt.Errorf("the store of logins: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Providers)) {
		if err := l.Providers[name].Ready(); err != nil {
			return fmt.Errorf("provider %s: %w", name, err)
		}
	}
	l.ready.Store(true)
	return nil
}

// Close waits for the refreshes under way, within ctx, then lets go of everything.
func (l *Logins) Close(ctx context.Context) error {
	l.cancel()
	err := l.Grants.Close(ctx)
	l.running.Wait()
	for _, client := range l.idle {
		client.CloseIdleConnections()
	}
	return errors.Join(err, l.Store.Close())
}
