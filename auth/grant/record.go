package grant

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/provider"
)

// record is what the store has of a grant.
type record struct {
	Owner     string            `json:"owner"`
	Provider  string            `json:"provider"`
	Identity  provider.Identity `json:"identity"`
	Tokens    provider.Tokens   `json:"tokens"`
	Created   time.Time         `json:"created"`
	Refreshed time.Time         `json:"refreshed,omitzero"`
	TTL       time.Duration     `json:"ttl,omitempty"` // of every write; 0 keeps the record until it is deleted
	// Asked is when the provider was asked for new tokens, while the answer is under way: or it never comes, because the process died.
	Asked time.Time `json:"asked,omitzero"`
	// Unanswered is when it was last asked without new tokens coming of it. Where the provider then says that the grant is over, this is
	// likely why: it rotated the refresh token, and its answer was lost.
	Unanswered time.Time `json:"unanswered,omitzero"`
	// Forced is how often in a row tokens were renewed because an upstream refused them, see (want).minAge.
	Forced int    `json:"forced,omitempty"`
	Dead   bool   `json:"dead,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// LogValue hides everything but whose the record is.
func (r record) LogValue() slog.Value {
	return slog.GroupValue(slog.String("owner", auth.Fingerprint(r.Owner)), slog.String("provider", r.Provider))
}

// Format prints a record as LogValue does, under every verb.
func (r record) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[grant %v]", r.LogValue()) }

// has reports whether the record still holds these tokens.
func (r record) has(t provider.Tokens) bool {
	return r.Tokens.RefreshToken == t.RefreshToken && r.Tokens.AccessToken == t.AccessToken
}

// renewed returns the record with new tokens.
func (r record) renewed(fresh provider.Tokens, now time.Time, forced int) record {
	r.Tokens, r.Refreshed, r.Forced = fresh, now, forced
	r.Asked, r.Unanswered = time.Time{}, time.Time{}
	r.Dead, r.Reason = false, ""
	return r
}

// unanswered returns the record after a refresh that failed and may succeed later.
func (r record) unanswered() record {
	if !r.Asked.IsZero() {
		r.Asked, r.Unanswered = time.Time{}, r.Asked
	}
	return r
}

// buried returns the record of a grant that the provider ended. Its tokens stay: they tell whether it was this login that ended.
func (r record) buried(reason string) record {
	r.Dead, r.Reason = true, reason
	return r
}

// grant is the record for lists.
func (r record) grant() Grant {
	return Grant{
		Key: Key{r.Owner, r.Provider}, Identity: r.Identity, Created: r.Created, Refreshed: r.Refreshed,
		Expires: r.Tokens.Expires, Dead: r.Dead, Reason: r.Reason,
	}
}

// id is the record's key: it tells nothing, fits any store, and no two pairs of names make the same.
func (k Key) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", len(k.Owner), k.Owner, k.Provider))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// held is what a Keeper has in memory of a grant.
type held struct {
	tokens    provider.Tokens // without the refresh token, which nobody but a refresh needs
	due       time.Time       // when to refresh; the zero time is never
	renewable bool
	forced    int
	dead      bool
	reason    string
}

func newHeld(r record, p Refresher) *held {
	h := &held{tokens: r.Tokens, renewable: r.Tokens.RefreshToken != "", forced: r.Forced, dead: r.Dead, reason: r.Reason}
	h.tokens.RefreshToken = ""
	if !h.tokens.Expires.IsZero() {
		h.due = h.tokens.Expires.Add(-p.RefreshAhead(r.Tokens))
	}
	return h
}

// usable returns the tokens, or the fault of a grant that gives none any more.
func (h *held) usable(key Key, now time.Time) (provider.Tokens, error) {
	switch {
	case h.dead:
		return provider.Tokens{}, ended(key, h.reason)
	case !h.renewable && h.hasEnded(now):
		return provider.Tokens{}, ended(key, "its token expired, and there is none to refresh it with")
	}
	return h.tokens, nil
}

// isDue reports whether the time to refresh has come.
func (h *held) isDue(now time.Time) bool { return !h.due.IsZero() && !now.Before(h.due) }

// isOver reports whether the access token ends before it could be used: a request takes a moment to arrive.
func (h *held) isOver(now time.Time) bool {
	e := h.tokens.Expires
	return !e.IsZero() && !now.Before(e.Add(-min(2*time.Second, e.Sub(h.tokens.Obtained)/10)))
}

// hasEnded reports whether the access token's time is over.
func (h *held) hasEnded(now time.Time) bool {
	return !h.tokens.Expires.IsZero() && !now.Before(h.tokens.Expires)
}
