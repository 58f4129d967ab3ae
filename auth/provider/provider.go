// Package provider speaks to an identity provider: its endpoints, how the gateway proves who it is there, and what its
// answers mean. It knows nothing of MCP clients, of our own tokens, nor where upstream tokens are kept.
package provider

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"mcpgate/config"
)

const (
	requestTimeout = 30 * time.Second
	maxAnswer      = 1 << 20 // bytes of any answer
	leeway         = 60 * time.Second
)

// Options are what New can do without.
type Options struct {
	Client *http.Client // reaches the provider; nil is http.DefaultClient
	Logger *slog.Logger
	Now    func() time.Time
}

// Provider is one entry of providers. It is safe for concurrent use.
type Provider struct {
	Name string

	cfg      *config.Provider
	method   string        // token_endpoint_auth_method
	key      *assertionKey // of private_key_jwt
	client   *http.Client  // follows no redirect
	own      *http.Transport
	log      *slog.Logger
	now      func() time.Time
	metadata atomic.Pointer[metadata] // nil until discovered
	failure  atomic.Pointer[error]    // why it is nil
}

// New prepares a provider; nothing is dialled. The error is the author's: a key file that can't be read, say.
func New(cfg *config.Provider, opts Options) (*Provider, error) {
	p := &Provider{
		Name: cfg.Name, cfg: cfg, method: cfg.TokenEndpointAuthMethod,
		log: cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)), now: opts.Now,
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.log = p.log.With(slog.String("provider", cfg.Name))
	if cfg.Issuer == "" && cfg.TokenURL == "" {
		return nil, errors.New("it needs an issuer, or a token_url")
	}
	if err := p.setMethod(); err != nil {
		return nil, err
	}
	client, own, err := newClient(opts.Client, cfg.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	p.client, p.own = client, own
	return p, nil
}

// setMethod decides how the gateway proves itself, once. It is never found out by trying: a strict provider burns the
// code at the first try.
func (p *Provider) setMethod() (err error) {
	secret := !p.cfg.ClientSecret.IsZero()
	switch {
	case p.method != "":
	case secret:
		p.method = methodBasic
	case p.cfg.PrivateKey.KeyFile != "":
		p.method = methodAssertion
	default:
		p.method = methodNone
	}
	switch p.method {
	case methodBasic, methodPost:
		if !secret {
			return fmt.Errorf("token_endpoint_auth_method: %s needs a client_secret", p.method)
		}
	case methodAssertion, methodNone:
	default:
		return fmt.Errorf("token_endpoint_auth_method: %q is not one of %s, %s, %s, %s", p.method, methodBasic, methodPost, methodAssertion, methodNone)
	}
	if p.method == methodAssertion || p.cfg.PrivateKey.KeyFile != "" { // it may sign assertions that are a grant by themselves
		if p.key, err = readKey(p.cfg.PrivateKey); err != nil {
			return fmt.Errorf("private_key: %w", err)
		}
	}
	return nil
}

// askedScopes are the provider's own scopes: those that every login asks for.
func (p *Provider) askedScopes() []string {
	if p.cfg.Scopes == nil && p.cfg.Issuer != "" {
		return []string{"openid"}
	}
	return p.cfg.Scopes
}

// mapped is what one of our scopes is at the provider; ok is false where it is only ours.
func (p *Provider) mapped(scope string) (theirs []string, ok bool) {
	text, ok := p.cfg.ScopeMap[scope]
	return strings.Fields(text), ok
}

func on(flag *bool) bool { return flag == nil || *flag }
