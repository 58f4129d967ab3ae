package provider

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Tokens are what a provider's token endpoint answered (RFC 6749 section 5.1), with what of it has to be kept. It prints as
// [tokens] everywhere but in JSON, which only goes into sealed records.
type Tokens struct {
	AccessToken    string            `json:"access_token"`
	TokenType      string            `json:"token_type"` // as the answer writes it; "" is Bearer
	RefreshToken   string            `json:"refresh_token,omitempty"`
	Obtained       time.Time         `json:"obtained"`
	Expires        time.Time         `json:"expires,omitzero"`         // the zero time where nobody says
	RefreshExpires time.Time         `json:"refresh_expires,omitzero"` // refresh_expires_in; 0 there means never
	Scopes         []string          `json:"scopes"`                   // the provider's, as granted: null where the answer did not say, [] where it said none
	Kept           map[string]string `json:"kept,omitempty"`           // config.Provider.Keep: of the token answer and the callback
}

// Format prints [tokens] for every verb (fmt.Formatter).
func (Tokens) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[tokens]") }

// LogValue is [tokens] (slog.LogValuer).
func (Tokens) LogValue() slog.Value { return slog.StringValue("[tokens]") }

// RefreshAhead is how long before its end an access token is renewed: min(refresh.buffer, life/4); 0 where the end is not
// known. A fixed buffer as long as the token's life would renew it at every call.
func (p *Provider) RefreshAhead(t Tokens) time.Duration {
	if t.Expires.IsZero() {
		return 0
	}
	return max(0, min(time.Duration(p.cfg.Refresh.Buffer), t.Expires.Sub(t.Obtained)/4))
}
