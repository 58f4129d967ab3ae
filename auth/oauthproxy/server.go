// Package oauthproxy logs people in through a provider and issues our tokens: to an MCP client it is an OAuth 2.1
// authorization server, to the provider a client. It knows nothing of tools, documents, or MCP.
package oauthproxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/seal"
)

var errNotBuilt = errors.New("not built yet")

// Parts are what a Server is made of. The required ones come first.
type Parts struct {
	Config   *config.Config // auth.mode is oauth
	Store    tokenstore.Store
	Ring     *seal.Ring
	Grants   *grant.Keeper
	Provider *provider.Provider // where people log in: auth.oauth.provider

	Fetch  *http.Client // for client metadata documents: it checks the address at the dial and follows no redirect; nil takes none
	Logger *slog.Logger
	Now    func() time.Time
}

// Server is the authorization server. It is safe for concurrent use, and with others on the same store.
type Server struct {
	parts    Parts
	issuer   string // public_url without a trailing slash: the issuer, byte for byte everywhere (RFC 8414 section 3.3)
	resource string // public_url + path: what our tokens are for (RFC 8707)

	codes    *tokenstore.Table[code]
	sessions *tokenstore.Table[session]
	clients  *tokenstore.Table[authorized]
	flow     *flow
}

// New returns the authorization server of gateway.yaml.
func New(parts Parts) (*Server, error) {
	if parts.Logger == nil {
		parts.Logger = slog.New(slog.DiscardHandler)
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	flow, err := newFlow(parts)
	if err != nil {
		return nil, err
	}
	issuer := strings.TrimRight(parts.Config.Server.PublicURL, "/")
	return &Server{
		parts:    parts,
		issuer:   issuer,
		resource: issuer + "/" + strings.Trim(parts.Config.Server.Path, "/"),
		flow:     flow,
		codes:    tokenstore.NewTable[code](parts.Store, parts.Ring, "code"),
		sessions: tokenstore.NewTable[session](parts.Store, parts.Ring, "session"),
		clients:  tokenstore.NewTable[authorized](parts.Store, parts.Ring, "client"),
	}, nil
}

// Register adds the server's paths to mux: metadata, /authorize, /consent, the provider's callback, /token, /register, /revoke and
// /jwks, below public_url's own path where it has one.
func (s *Server) Register(mux *http.ServeMux) { s.registerFlow(mux) }

// Verify says who shows one of our access tokens (auth.Verifier): signature, type, issuer, audience and time, then whether the login
// still stands, which is looked up at most every 5 s.
func (s *Server) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	return nil, errNotBuilt
}
