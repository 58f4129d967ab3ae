package oauthproxy

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// claims are those of an access token (RFC 9068 section 2.2): nothing of the provider's, and nothing of the person but an opaque id.
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
	Session  string `json:"sid"`
}

// tokenAnswer is a successful answer of /token (RFC 6749 section 5.1). It prints as [tokens].
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
}

// Format keeps the tokens out of whatever is printed.
func (tokenAnswer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[tokens]") }

// LogValue keeps the tokens out of logs.
func (tokenAnswer) LogValue() slog.Value { return slog.StringValue("[tokens]") }

// issue makes the tokens of a session: an access token with these scopes, and a refresh token where the login has one. The session is given the new refresh
// token and the answer; the caller stores it before anybody gets them.
func (s *Server) issue(id string, sess *session, scopes []string, refreshable bool) (tokenAnswer, error) {
	now := s.parts.Now()
	scope := strings.Join(scopes, " ")
	expires := now.Add(time.Duration(s.parts.Config.Auth.OAuth.AccessTokenTTL))
	if sess.Expires.Before(expires) {
		expires = sess.Expires
	}
	access, err := s.sign(claims{
		Issuer: s.issuer, Audience: s.resource, Subject: sess.Subject, ClientID: sess.ClientID, Scope: scope,
		IssuedAt: now.Unix(), Expires: expires.Unix(), ID: randomText(sessionBytes), Session: id,
	})
	if err != nil {
		return tokenAnswer{}, err
	}
	answer := tokenAnswer{AccessToken: access, TokenType: "Bearer", ExpiresIn: expires.Unix() - now.Unix(), Scope: scope}
	if !refreshable {
		return answer, nil
	}
	if answer.RefreshToken, err = s.tokens.keys.newRefreshToken(id); err != nil {
		return tokenAnswer{}, err
	}
	sess.Before, sess.Refresh = sess.Refresh, digest(answer.RefreshToken)
	sess.Refreshed = now
	sess.Generation++
	sess.Answer, err = json.Marshal(answer)
	return answer, err
}

// sign writes claims as a JWT.
func (s *Server) sign(c claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	signed, err := s.tokens.keys.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing an access token: %w", err)
	}
	return signed.CompactSerialize()
}

// recordTTL is how long a session's record is kept when it was just written: as long as the login may lie idle, not beyond its end, and never shorter than its access
// tokens hold.
func (s *Server) recordTTL(sess *session) time.Duration {
	ttl := time.Duration(s.parts.Config.Auth.OAuth.AccessTokenTTL)
	if sess.Refresh != "" {
		ttl = max(ttl, time.Duration(s.parts.Config.Auth.OAuth.RefreshTokenTTL))
	}
	return min(ttl, sess.Expires.Sub(s.parts.Now())) + leeway
}
