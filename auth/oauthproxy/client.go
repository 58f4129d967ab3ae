package oauthproxy

import (
	"context"
	"net/http"
)

// How a client came to be one.
const (
	kindKnown      = "known"      // gateway.yaml registers it
	kindDocument   = "document"   // its id is the URL of its metadata document
	kindRegistered = "registered" // it registered itself; its metadata is sealed into its id
)

// client is an MCP client that may ask people to log in.
type client struct {
	ID              string
	Kind            string
	Name            string // control and direction characters taken out; may be ""
	RedirectURIs    []string
	GrantTypes      []string
	AuthMethod      string // how it proves itself at /token: none, client_secret_basic, client_secret_post or private_key_jwt
	ApplicationType string // web, native or ""
	Host            string // of a document's URL, which was verified by fetching it; "" for the others
	Trusted         bool   // nobody is asked for consent

	// more of its own: secret, keys ...
}

// directory is what finding clients takes: known ones, documents that were fetched, limits.
type directory struct{}

func newDirectory(Parts) (*directory, error) { return &directory{}, nil }

// registerClients adds the metadata and /register.
func (s *Server) registerClients(*http.ServeMux) {}

// client returns the client of an id. The error is an *Error: invalid_client with 401 where there is none, temporarily_unavailable where its
// document can't be had now.
func (s *Server) client(ctx context.Context, id string) (*client, error) { return nil, errNotBuilt }

// allowsRedirect reports whether uri is one of the client's, exactly, or but for a loopback address's port (RFC 8252 section 7.3), and gateway.yaml doesn't
// narrow it away.
func (s *Server) allowsRedirect(c *client, uri string) bool { return false }

// authenticate says which client sends a request to /token or /revoke, by its credentials or its client_id (RFC 6749 section 2.3). r's form is parsed. The error is an *Error.
func (s *Server) authenticate(ctx context.Context, r *http.Request) (*client, error) {
	return nil, errNotBuilt
}
