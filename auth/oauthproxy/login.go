package oauthproxy

import (
	"context"
	"log/slog"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
)

// custody is the part of a grant.Keeper that logins need.
type custody interface {
	Keep(ctx context.Context, key grant.Key, who provider.Identity, tokens provider.Tokens, ttl time.Duration) error
	Extend(ctx context.Context, key grant.Key, ttl time.Duration) error
	End(ctx context.Context, key grant.Key) error
}

// logins ends logins, for the endpoints and for operators.
type logins struct {
	sessions *tokenstore.Table[session]
	grants   custody
	cache    *standing // nil where nothing is verified
	log      *slog.Logger
}

// end ends a login: first the session, without which no token of it is good, then the upstream's tokens, as far as that goes. That it is gone
// already is no error; the error is the store's, and the login still stands.
func (l *logins) end(ctx context.Context, id, provider, reason string, attrs ...slog.Attr) error {
	if err := l.sessions.Delete(ctx, id); err != nil {
		return err
	}
	if l.cache != nil {
		l.cache.drop(id)
	}
	l.endGrant(ctx, grant.Key{Owner: id, Provider: provider})
	auth.Audit(ctx, l.log, "token.revoked", append(attrs, slog.String("reason", reason))...)
	return nil
}

// endGrant gives upstream tokens up. Where that fails they stay until their time is over, and nobody can use them: their session is gone.
func (l *logins) endGrant(ctx context.Context, key grant.Key) {
	if err := l.grants.End(ctx, key); err != nil {
		l.log.WarnContext(ctx, "the upstream tokens of an ended login were not given up", "provider", key.Provider, "error", err)
	}
}

// sessionAttrs says in the audit log whose session it is, and from where the request came. Its id goes in as a fingerprint: it is a part of refresh tokens.
func sessionAttrs(id string, sess *session, from slog.Attr, more ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{slog.String("sub", sess.Subject), clientAttr(sess.ClientID), slog.String("session", auth.Fingerprint(id)),
		from}, more...)
}
