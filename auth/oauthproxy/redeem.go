package oauthproxy

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/tokenstore"
)

// spentTTL is how long a spent code is remembered: longer than it could have been good.
const spentTTL = 2 * time.Minute

// redeem exchanges an authorization code for tokens, once (RFC 6749 section 4.1.3). Nothing of a request that is wrong uses the code up, so that
// who got hold of a code without its verifier can't keep its owner from it.
//
// The steps stand in this order for a process that dies between them: the code is marked as spent, in one step of many that try; the upstream
// tokens are kept; the session makes them reachable; then the tokens leave. What is lost is the code, and what is left over has nobody who could use it, and an end.
func (s *Server) redeem(ctx context.Context, call tokenCall) (json.RawMessage, error) {
	shown := call.form.Get("code")
	if shown == "" {
		return nil, bad("invalid_request", "code is missing")
	}
	key := digest(shown)
	login, version, err := s.codes.Get(ctx, key)
	if err != nil {
		return nil, s.stored(ctx, err, gone("code"))
	}
	if login.Spent {
		return nil, s.replayed(ctx, key, call.from)
	}
	if err := checkRedemption(call.client, login, call.form); err != nil {
		return nil, err
	}
	if err := s.checkResource(call.form, login.Resource); err != nil {
		return nil, err
	}
	now := s.parts.Now()
	id := newSessionID()
	sess, refreshable, err := s.newSession(ctx, call.client, login, now)
	if err != nil {
		return nil, err
	}
	switch version, err = s.codes.Swap(ctx, key, version, code{Spent: true, Session: id}, spentTTL); {
	case errors.Is(err, tokenstore.ErrConflict):
		return nil, s.replayed(ctx, key, call.from)
	case err != nil:
		return nil, unavailable(err)
	}
	answer, err := s.issue(id, &sess, login.Scopes, refreshable)
	if err != nil {
		return nil, err
	}
	owned := grant.Key{Owner: id, Provider: sess.Provider}
	if err := s.tokens.logins.grants.Keep(ctx, owned, login.Identity, login.Tokens, s.recordTTL(&sess)); err != nil {
		return nil, unavailable(err)
	}
	if err := s.sessions.Create(ctx, id, sess, s.recordTTL(&sess)); err != nil {
		s.tokens.logins.endGrant(ctx, owned)
		return nil, unavailable(err)
	}
	// Who used the code a second time while the session was not yet there could not end it: they left a word.
	if _, now, err := s.codes.Get(ctx, key); err == nil && now != version {
		return nil, s.replayed(ctx, key, call.from)
	}
	s.audit(ctx, "token.issued", sessionAttrs(id, &sess, call.from, slog.Bool("refresh_token", refreshable))...)
	return json.Marshal(answer)
}

// checkRedemption holds a token request against what /authorize was told.
func checkRedemption(c *client, login code, form url.Values) error {
	if login.ClientID != c.ID {
		return gone("code")
	}
	// OAuth 2.1 lets a client leave redirect_uri out here: the code is bound by PKCE.
	if uri := form.Get("redirect_uri"); uri != "" && uri != login.RedirectURI {
		return bad("invalid_grant", "redirect_uri is not the one of the authorization request")
	}
	verifier := form.Get("code_verifier")
	if verifier == "" {
		return bad("invalid_request", "code_verifier is missing")
	}
	if !isVerifier(verifier) {
		return bad("invalid_request", "code_verifier has to be 43 to 128 characters of A-Z a-z 0-9 - . _ ~")
	}
	if !answersChallenge(verifier, login.Challenge) {
		return bad("invalid_grant", "code_verifier does not fit code_challenge")
	}
	return nil
}

// isVerifier holds the syntax of RFC 7636 section 4.1.
func isVerifier(verifier string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	for _, c := range []byte(verifier) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// answersChallenge is S256 (RFC 7636 section 4.6), in constant time.
func answersChallenge(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(text.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// newSession is the session that a code becomes, and whether it has refresh tokens: where the client wants them and the provider's tokens can be renewed, or never end.
// Where they end and can't be renewed, the session ends with them.
func (s *Server) newSession(ctx context.Context, c *client, login code, now time.Time) (session, bool, error) {
	subject, err := s.tokens.subjects.of(ctx, login.Identity)
	if err != nil {
		return session{}, false, unavailable(err)
	}
	refreshable := slices.Contains(c.GrantTypes, grantRefresh)
	expires := now.Add(time.Duration(s.parts.Config.Auth.OAuth.SessionTTL))
	if ends := login.Tokens.Expires; login.Tokens.RefreshToken == "" && !ends.IsZero() {
		refreshable = false
		if ends.Before(expires) {
			expires = ends
		}
	}
	if end := now.Add(time.Duration(s.parts.Config.Auth.OAuth.AccessTokenTTL)); !refreshable && end.Before(expires) {
		expires = end
	}
	if !now.Before(expires) {
		return session{}, false, bad("invalid_grant", "the provider's token is over already: log in again")
	}
	return session{
		ClientID: c.ID, Client: c.Name, Subject: subject, Provider: s.parts.Provider.Name, Identity: login.Identity,
		Resource: login.Resource, Scopes: login.Scopes, Created: now, Expires: expires,
	}, refreshable, nil
}

// replayed answers the second use of a code, which ends the session that the first one got (RFC 6749 section 4.1.2): one of the two was a thief.
func (s *Server) replayed(ctx context.Context, key string, from slog.Attr) error {
	for {
		spent, version, err := s.codes.Get(ctx, key)
		if err != nil {
			return s.stored(ctx, err, gone("code"))
		}
		// The write tells the first user, in case that their session is not there yet.
		_, err = s.codes.Swap(ctx, key, version, spent, spentTTL)
		if errors.Is(err, tokenstore.ErrConflict) {
			continue
		}
		if err != nil {
			return unavailable(err)
		}
		if err := s.tokens.logins.end(ctx, spent.Session, s.parts.Provider.Name, "code.replayed",
			slog.String("session", auth.Fingerprint(spent.Session)), from); err != nil {
			return unavailable(err)
		}
		return gone("code")
	}
}
