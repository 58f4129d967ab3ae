package oauthproxy

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"mcpgate/auth/provider"
)

// This file has the records that several steps of a login share. They are stored sealed, under keys that tell nothing.

// code is an authorization code: made by the provider's callback, redeemed once at /token. Its key is the SHA-256 of the
// code (hexadecimal). It carries the login itself, so that a code which is never redeemed leaves nothing behind.
type code struct {
	ClientID    string            `json:"client_id"`
	RedirectURI string            `json:"redirect_uri"`
	Challenge   string            `json:"code_challenge"` // S256
	Resource    string            `json:"resource"`
	Scopes      []string          `json:"scopes"` // granted
	Identity    provider.Identity `json:"identity"`
	Tokens      provider.Tokens   `json:"tokens"`
	// Spent stands for a code that was redeemed: it is kept until the code's time is over, so that its second use ends the session (RFC 6749 section 4.1.2).
	Spent   bool   `json:"spent,omitempty"`
	Session string `json:"session,omitempty"` // of a spent one
}

// session is a login of one person through one client: a family of refresh tokens. Its key is its id, which access tokens carry as sid, and
// which owns the grant (grant.Key.Owner, auth.Principal.Login). Deleting it ends the login.
type session struct {
	ClientID string            `json:"client_id"`
	Client   string            `json:"client"`   // its name, for lists
	Subject  string            `json:"subject"`  // the sub of access tokens: an HMAC of issuer and subject
	Provider string            `json:"provider"` // its name in gateway.yaml: grant.Key.Provider
	Identity provider.Identity `json:"identity"`
	Resource string            `json:"resource"`
	Scopes   []string          `json:"scopes"`
	Created  time.Time         `json:"created"`
	Expires  time.Time         `json:"expires"` // however often it is refreshed

	// The refresh token that is good now, and the one before it with the answer that it gets within the grace.
	Refresh    string    `json:"refresh,omitempty"` // SHA-256, hexadecimal; "" where the login has none
	Before     string    `json:"before,omitempty"`
	Answer     []byte    `json:"answer,omitempty"` // a tokenAnswer
	Refreshed  time.Time `json:"refreshed,omitzero"`
	Generation int       `json:"generation"`
}

// Format keeps the answer out of whatever is printed.
func (session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session]") }

// LogValue keeps the answer out of logs.
func (session) LogValue() slog.Value { return slog.StringValue("[session]") }

// authorized is a client that somebody let in: what `mcpgate auth clients` lists. Its key is the SHA-256 of the client id (hexadecimal).
type authorized struct {
	ClientID     string    `json:"client_id"`
	Name         string    `json:"name"`
	Kind         string    `json:"kind"` // known, document or registered
	RedirectURIs []string  `json:"redirect_uris"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
}
