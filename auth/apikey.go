package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// APIKeys verifies the keys of auth.api_key. It knows only their SHA-256.
type APIKeys struct{ keys []apiKey }

type apiKey struct {
	name   string
	hash   [sha256.Size]byte
	scopes []string
}

// NewAPIKeys takes the keys of gateway.yaml. The error names a hash that isn't one.
func NewAPIKeys(keys []config.APIKey) (*APIKeys, error) {
	verifier := &APIKeys{}
	for _, key := range keys {
		hash, err := hex.DecodeString(key.SHA256)
		if err != nil || len(hash) != sha256.Size {
			return nil, fmt.Errorf("auth.api_key: sha256 of key %q has to be %d hexadecimal digits", key.Name, 2*sha256.Size)
		}
		verifier.keys = append(verifier.keys, apiKey{key.Name, [sha256.Size]byte(hash), slices.Clone(key.Scopes)})
	}
	return verifier, nil
}

// Verify returns whose key the token is, and what its scopes are. Every key is compared in constant time, so that the answer's time says nothing.
func (v *APIKeys) Verify(_ context.Context, token string) (*Principal, error) {
	hash := sha256.Sum256([]byte(token))
	found := -1
	for i := range v.keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], v.keys[i].hash[:]), i, found)
	}
	if found < 0 {
		return nil, fault.New(fault.TokenInvalid, "no such API key", nil)
	}
	key := &v.keys[found]
	return &Principal{Subject: key.name, Issuer: "api_key", Scopes: slices.Clone(key.scopes)}, nil
}
