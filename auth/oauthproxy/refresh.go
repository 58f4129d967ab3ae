package oauthproxy

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"mcpgate/auth/grant"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
)

// refresh exchanges a refresh token for new tokens (RFC 6749 section 6). It is ours alone: the provider is asked for new tokens
// when a call needs them, so that a provider that is down logs nobody out.
func (s *Server) refresh(ctx context.Context, call tokenCall) (json.RawMessage, error) {
	shown := call.form.Get("refresh_token")
	if shown == "" {
		return nil, bad("invalid_request", "refresh_token is missing")
	}
	token, ok := s.tokens.keys.readRefreshToken(shown)
	if !ok {
		return nil, gone("refresh token")
	}
	// One of several equal requests at once does it for all; those of other processes find its answer in the session.
	same := strings.Join([]string{call.client.ID, token.digest, call.form.Get("scope"), call.form.Get("resource")}, "\x00")
	answer, err, _ := s.tokens.refreshes.Do(same, func() (any, error) {
		for {
			answer, err := s.tryRefresh(ctx, call, token)
			if !errors.Is(err, tokenstore.ErrConflict) {
				return answer, err
			}
			if ctx.Err() != nil {
				return nil, unavailable(ctx.Err())
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return answer.(json.RawMessage), nil
}

// tryRefresh looks at the session once. Its error is tokenstore.ErrConflict where somebody else changed the session meanwhile.
func (s *Server) tryRefresh(ctx context.Context, call tokenCall, token refreshToken) (json.RawMessage, error) {
	sess, version, err := s.sessions.Get(ctx, token.session)
	if err != nil {
		return nil, s.stored(ctx, err, gone("refresh token"))
	}
	now := s.parts.Now()
	if sess.ClientID != call.client.ID || !now.Before(sess.Expires) {
		return nil, gone("refresh token")
	}
	if err := s.checkResource(call.form, sess.Resource); err != nil {
		return nil, err
	}
	scopes, err := narrowed(call.form.Get("scope"), sess.Scopes)
	if err != nil {
		return nil, err
	}
	switch {
	case token.digest == sess.Refresh:
		return s.rotate(ctx, token.session, version, sess, scopes, call.from)
	case token.digest == sess.Before && now.Sub(sess.Refreshed) <= time.Duration(s.parts.Config.Auth.OAuth.RefreshGrace):
		return again(&sess, scopes)
	case token.digest == sess.Before, token.ours:
		return nil, s.reused(ctx, token.session, &sess, call.from)
	default: // somebody who knows a session's id made it up
		return nil, gone("refresh token")
	}
}

// narrowed returns the scopes of the new access token: those asked for, of those granted; all where none are asked for. The refresh token keeps them all.
func narrowed(asked string, granted []string) ([]string, error) {
	scopes := strings.Fields(asked)
	if len(scopes) == 0 {
		return granted, nil
	}
	for _, scope := range scopes {
		if !slices.Contains(granted, scope) {
			return nil, bad("invalid_scope", "a scope was not granted by the login: log in again to widen it")
		}
	}
	return slices.DeleteFunc(slices.Clone(granted), func(scope string) bool { return !slices.Contains(scopes, scope) }), nil
}

// rotate gives out the next refresh token of a session. The old one stays good for the same answer for a while, since clients ask twice at once, or lose an answer.
func (s *Server) rotate(ctx context.Context, id string, version uint64, sess session, scopes []string, from slog.Attr) (json.RawMessage, error) {
	// The new tokens would be worth nothing without the upstream's: invalid_grant makes the client log in anew.
	owned := grant.Key{Owner: id, Provider: sess.Provider}
	switch err := s.tokens.logins.grants.Extend(ctx, owned, s.recordTTL(&sess)); {
	case errors.Is(err, fault.LoginRequired):
		if err := s.tokens.logins.end(ctx, id, sess.Provider, "grant.dead", sessionAttrs(id, &sess, from)...); err != nil {
			return nil, unavailable(err)
		}
		return nil, bad("invalid_grant", "the login at the provider is over: log in again")
	case err != nil:
		return nil, unavailable(err)
	}
	if _, err := s.issue(id, &sess, scopes, true); err != nil {
		return nil, err
	}
	switch _, err := s.sessions.Swap(ctx, id, version, sess, s.recordTTL(&sess)); {
	case errors.Is(err, tokenstore.ErrConflict):
		return nil, err
	case err != nil:
		return nil, unavailable(err)
	}
	s.audit(ctx, "token.refreshed", sessionAttrs(id, &sess, from, slog.Int("generation", sess.Generation))...)
	return sess.Answer, nil
}

// again gives the answer that the token just replaced got. A request for other scopes is not the same request: it has no answer, and
// is no proof of theft.
func again(sess *session, scopes []string) (json.RawMessage, error) {
	var answer tokenAnswer
	if err := json.Unmarshal(sess.Answer, &answer); err != nil {
		return nil, errors.New("the answer of a session can't be read") // without the cause, which may quote it
	}
	if answer.Scope != strings.Join(scopes, " ") {
		return nil, gone("refresh token")
	}
	return sess.Answer, nil
}

// reused ends a login whose refresh token came a second time (RFC 9700 section 4.14.2): it was stolen, and nobody can tell which of
// the two was the thief.
func (s *Server) reused(ctx context.Context, id string, sess *session, from slog.Attr) error {
	s.audit(ctx, "token.reuse_detected", sessionAttrs(id, sess, from, slog.Int("generation", sess.Generation))...)
	if err := s.tokens.logins.end(ctx, id, sess.Provider, "refresh_token.reused", sessionAttrs(id, sess, from)...); err != nil {
		return unavailable(err)
	}
	return gone("refresh token")
}
