package oauthproxy

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/auth"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
)

const (
	// maxAccessToken bounds what is parsed at all.
	maxAccessToken = 8 << 10
	// leeway is how far clocks of our own processes may differ at a token's end, and maxAhead at its beginning.
	leeway   = 30 * time.Second
	maxAhead = 60 * time.Second
)

// Verify says who shows one of our access tokens (auth.Verifier): signature, type, issuer, audience and time, then whether the login
// still stands, which is looked up at most every 5 s. Claims are shared among callers and must not be changed.
func (s *Server) Verify(ctx context.Context, token string) (*auth.Principal, error) {
	shown, err := s.readAccessToken(token)
	if err != nil {
		return nil, err
	}
	login, err := s.standing(ctx, shown.Session)
	if err != nil {
		return nil, err
	}
	if login.who.Subject != shown.Subject || login.who.ClientID != shown.ClientID {
		return nil, refused("it does not fit its login", nil)
	}
	who := login.who
	who.Scopes = strings.Fields(shown.Scope)
	return &who, nil
}

// refused is the fault of a token that is not good. why is for the log, and for the client no secret.
func refused(why string, cause error) error {
	return fault.New(fault.TokenInvalid, "the access token is not good: "+why, cause)
}

// readAccessToken checks everything of an access token that the token itself says. The error is a fault.
func (s *Server) readAccessToken(token string) (claims, error) {
	if len(token) > maxAccessToken {
		return claims{}, refused("it is too long", nil)
	}
	sum := sha256.Sum256([]byte(token))
	c, ok := s.tokens.verified.get(sum)
	if !ok {
		var err error
		if c, err = s.openAccessToken(token); err != nil {
			return claims{}, err
		}
		s.tokens.verified.put(sum, c)
	}
	return c, s.checkClaims(c)
}

// openAccessToken checks what of an access token never changes: its form, its type, and its signature.
func (s *Server) openAccessToken(token string) (claims, error) {
	if !auth.Canonical(token) {
		return claims{}, refused("it is not one of this gateway's", nil)
	}
	// The algorithm is ours, never the token's word: "none", and an HMAC with the public key as its secret, end here.
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(signed.Signatures) != 1 {
		return claims{}, refused("it is not one of this gateway's", err)
	}
	header := signed.Signatures[0].Protected
	key, ok := s.tokens.keys.public[header.KeyID]
	if !ok {
		return claims{}, refused("its key is not one of this gateway's", nil)
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return claims{}, refused("its signature does not hold", err)
	}
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != accessTokenType {
		return claims{}, refused("it is no access token", nil)
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return claims{}, refused("its claims can't be read", err)
	}
	return c, nil
}

func (s *Server) checkClaims(c claims) error {
	now := s.parts.Now()
	switch {
	case c.Issuer != s.issuer:
		return refused("it was issued by another server", nil)
	case c.Audience != s.resource: // RFC 8707: a token for one resource is none for another, also under the same key
		return refused("it is for another resource", nil)
	case c.Session == "" || c.Subject == "" || c.ClientID == "":
		return refused("a claim is missing", nil)
	case time.Unix(c.IssuedAt, 0).After(now.Add(maxAhead)):
		return refused("it is from the future", nil)
	case !now.Before(time.Unix(c.Expires, 0).Add(leeway)):
		return fault.New(fault.TokenExpired, "the access token is over", nil)
	}
	return nil
}

// verified remembers the claims of tokens whose signature held, by the tokens' SHA-256: checking it again is most of what a call's token costs. Whoever has none of
// ours puts nothing in. It is safe for concurrent use.
type verified struct {
	mu     sync.Mutex
	tokens *recent[[sha256.Size]byte, claims]
}

func newVerified(size int) *verified {
	return &verified{tokens: newRecent[[sha256.Size]byte, claims](max(size, 1))}
}

func (v *verified) get(sum [sha256.Size]byte) (claims, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.tokens.get(sum)
}

func (v *verified) put(sum [sha256.Size]byte, c claims) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tokens.put(sum, c)
}

// standing says whose a session is that stands now, or stood a moment ago. The error is a fault.
func (s *Server) standing(ctx context.Context, id string) (stood, error) {
	now := s.parts.Now()
	known, ok, ended := s.tokens.logins.cache.get(id, now)
	if !ok {
		sess, _, err := s.sessions.Get(ctx, id)
		switch {
		case errors.Is(err, tokenstore.ErrNotFound):
			return stood{}, refused("its login has ended", nil)
		case errors.Is(err, tokenstore.ErrSealed):
			s.parts.Logger.ErrorContext(ctx, "a login can't be opened: was a key taken out of the ring?", "error", err)
			return stood{}, refused("its login has ended", err)
		case err != nil:
			f := fault.New(fault.Unavailable, "logins can't be looked up now", err)
			f.Retryable, f.RetryAfter = true, 5*time.Second
			return stood{}, f
		}
		known = stood{expires: sess.Expires, until: now.Add(standingFor), who: auth.Principal{
			Subject: sess.Subject, Issuer: s.issuer, ClientID: sess.ClientID, Claims: sess.Identity.Claims, Login: id,
		}}
		s.tokens.logins.cache.put(id, known, ended)
	}
	if !now.Before(known.expires.Add(leeway)) {
		return stood{}, fault.New(fault.TokenExpired, "the login is over", nil)
	}
	return known, nil
}
