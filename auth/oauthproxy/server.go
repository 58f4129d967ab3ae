// Package oauthproxy logs people in through a provider and issues our tokens: to an MCP client it is an OAuth 2.1
// authorization server, to the provider a client. It knows nothing of tools, documents, or MCP.
package oauthproxy

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/seal"
)

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
	prefix   string // the issuer's own path, "" mostly
	resource string // public_url + path: what our tokens are for (RFC 8707)

	codes    *tokenstore.Table[code]
	sessions *tokenstore.Table[session]
	clients  *tokenstore.Table[authorized]

	directory *directory // client.go
	flow      *flow      // authorize.go
	tokens    *tokens    // token.go
}

// New returns the authorization server of gateway.yaml.
func New(parts Parts) (*Server, error) {
	if parts.Logger == nil {
		parts.Logger = slog.New(slog.DiscardHandler)
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	issuer := strings.TrimRight(parts.Config.Server.PublicURL, "/")
	at, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("server.public_url: %w", err)
	}
	s := &Server{
		parts:    parts,
		issuer:   issuer,
		prefix:   at.EscapedPath(),
		resource: issuer + "/" + strings.Trim(parts.Config.Server.Path, "/"),
		codes:    tokenstore.NewTable[code](parts.Store, parts.Ring, "code"),
		sessions: tokenstore.NewTable[session](parts.Store, parts.Ring, "session"),
		clients:  tokenstore.NewTable[authorized](parts.Store, parts.Ring, "client"),
	}
	if s.directory, err = newDirectory(parts); err != nil {
		return nil, err
	}
	if s.flow, err = newFlow(parts); err != nil {
		return nil, err
	}
	if s.tokens, err = newTokens(parts, s.sessions); err != nil {
		return nil, err
	}
	return s, nil
}

// Register adds the server's paths to mux: metadata, /authorize, /consent, the provider's callback, /token, /register, /revoke and
// /jwks, below public_url's own path where it has one.
func (s *Server) Register(mux *http.ServeMux) {
	s.registerClients(mux)
	s.registerFlow(mux)
	s.registerTokens(mux)
}

// endpoint answers a request of a program. What it returns as an error is answered by Server.fail.
type endpoint func(w http.ResponseWriter, r *http.Request) error

// machine serves an endpoint for programs, also for those in a web page of any origin (CORS): no cookie counts here. methods is what the
// Allow header says, such as "GET, HEAD". path stands below the issuer's own.
func (s *Server) machine(mux *http.ServeMux, methods, path string, answer endpoint) {
	allowed := strings.Split(methods, ", ")
	mux.Handle(s.prefix+path, s.guarded(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		switch {
		case r.Method == http.MethodOptions:
			header.Set("Allow", methods+", OPTIONS")
			header.Set("Access-Control-Allow-Methods", methods+", OPTIONS")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version")
			header.Set("Access-Control-Max-Age", "3600")
			w.WriteHeader(http.StatusNoContent)
		case !slices.Contains(allowed, r.Method):
			header.Set("Allow", methods+", OPTIONS")
			s.fail(w, r, &Error{Status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "this endpoint takes " + methods})
		default:
			header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
			if err := answer(w, r); err != nil {
				s.fail(w, r, err)
			}
		}
	}))
}

// guarded makes a panic an answer of its own instead of a connection that breaks off.
func (s *Server) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		next(w, r)
	})
}
