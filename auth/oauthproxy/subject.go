package oauthproxy

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
)

// pseudonyms makes the sub of a person: an HMAC of the provider's issuer and subject, so that it says nothing of either, and stays the same from
// login to login. Its key is random and kept in the store, not derived from the ring: else everybody would become somebody else when the ring is rotated.
// With the store gone, logins are gone too, and people get a new sub.
type pseudonyms struct {
	table *tokenstore.Table[pseudonymKey]
	key   atomic.Pointer[pseudonymKey]
}

type pseudonymKey struct {
	Key []byte `json:"key"`
}

// of returns the sub of a person. The error is the store's.
func (p *pseudonyms) of(ctx context.Context, who provider.Identity) (string, error) {
	key := p.key.Load()
	if key == nil {
		loaded, err := p.load(ctx)
		if err != nil {
			return "", err
		}
		p.key.Store(&loaded)
		key = &loaded
	}
	mac := hmac.New(sha256.New, key.Key)
	// The length goes first, so that no two pairs are written alike.
	mac.Write(binary.AppendUvarint(nil, uint64(len(who.Issuer))))
	mac.Write([]byte(who.Issuer))
	mac.Write([]byte(who.Subject))
	return text.EncodeToString(mac.Sum(nil)[:24]), nil
}

// load reads the key, or makes it where there is none or it can't be opened any more. Each process writes it once, which seals it under the ring's first key,
// so that it is never lost by a rotation.
func (p *pseudonyms) load(ctx context.Context) (pseudonymKey, error) {
	const name = "sub"
	for {
		key, version, err := p.table.Get(ctx, name)
		switch {
		case err == nil:
			// Whoever wrote meanwhile did the same.
			if _, err := p.table.Swap(ctx, name, version, key, 0); err != nil && !errors.Is(err, tokenstore.ErrConflict) {
				return pseudonymKey{}, err
			}
			return key, nil
		case errors.Is(err, tokenstore.ErrNotFound), errors.Is(err, tokenstore.ErrSealed):
			key = pseudonymKey{make([]byte, sha256.Size)}
			_, _ = rand.Read(key.Key)
			_, err := p.table.Swap(ctx, name, version, key, 0)
			if errors.Is(err, tokenstore.ErrConflict) {
				continue // another process made it: its key counts
			}
			return key, err
		default:
			return pseudonymKey{}, err
		}
	}
}
