package oauthproxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"mcpgate/auth/tokenstore"
)

// serveRevoke ends the login that a token belongs to (RFC 7009): the session with all its tokens, and the upstream's with it. An access token ends it too,
// as section 2.1 allows: it holds as long as its session stands and can't be called back alone, and who revokes one is logging out. A token that is unknown, over, or
// made up is answered with 200 (section 2.2).
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	c, err := s.authenticate(r.Context(), r)
	if err != nil {
		return err
	}
	token := r.PostForm.Get("token")
	if token == "" {
		return bad("invalid_request", "token is missing")
	}
	ctx, cancel := detached(r.Context())
	defer cancel()
	// token_type_hint is not needed: the two kinds look different.
	if err := s.revoke(ctx, c, token, addressAttr(r)); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) revoke(ctx context.Context, c *client, token string, from slog.Attr) error {
	id := ""
	refresh, isRefresh := s.tokens.keys.readRefreshToken(token)
	if isRefresh {
		id = refresh.session
	} else if access, err := s.readAccessToken(token); err == nil {
		id = access.Session
	} else {
		return nil
	}
	sess, _, err := s.sessions.Get(ctx, id)
	switch {
	case errors.Is(err, tokenstore.ErrNotFound), errors.Is(err, tokenstore.ErrSealed):
		return nil
	case err != nil:
		return unavailable(err)
	case isRefresh && !refresh.ours && refresh.digest != sess.Refresh && refresh.digest != sess.Before:
		return nil // made up around a session's id
	case sess.ClientID != c.ID:
		// Section 2.1: the request is refused, and the client is told.
		return bad("invalid_grant", "the token was issued to another client")
	}
	if err := s.tokens.logins.end(ctx, id, sess.Provider, "client", sessionAttrs(id, &sess, from)...); err != nil {
		return unavailable(err)
	}
	return nil
}
