package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

func hashed(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

func TestAPIKeys(t *testing.T) {
	keys, err := NewAPIKeys([]config.APIKey{
		{Name: "ci", SHA256: hashed("one"), Scopes: []string{"read", "write"}},
		{Name: "ops", SHA256: strings.ToUpper(hashed("two"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]*Principal{
		"one": {Subject: "ci", Issuer: "api_key", Scopes: []string{"read", "write"}},
		"two": {Subject: "ops", Issuer: "api_key"},
	} {
		got, err := keys.Verify(t.Context(), key)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", key, err, diff)
		}
	}
	for _, key := range []string{"", "on", "one ", "One", hashed("one")} {
		got, err := keys.Verify(t.Context(), key)
		if got != nil || !errors.Is(err, fault.Authentication) {
			t.Errorf("%q: %v, %v", key, got, err)
		}
		if err != nil && key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func TestAPIKeysRefuseWhatIsNoHash(t *testing.T) {
	for _, hash := range []string{"", "zz", hashed("one")[1:], "one"} {
		if _, err := NewAPIKeys([]config.APIKey{{Name: "ci", SHA256: hash}}); err == nil || !strings.Contains(err.Error(), `"ci"`) {
			t.Errorf("%q: %v", hash, err)
		}
	}
}

func TestNoKeysLetNobodyIn(t *testing.T) {
	keys, err := NewAPIKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keys.Verify(t.Context(), ""); got != nil || err == nil {
		t.Errorf("%v, %v", got, err)
	}
}
