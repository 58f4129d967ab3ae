package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that never prints: every fmt verb, JSON, YAML and slog show [secret]. Reveal is the only way out,
// so a search for it lists every use. The zero value is no secret.
type Secret struct {
	// A pointer to a plain type: fmt calls no method on the unexported fields of other structs, and prints what it finds
	// there, but of such a pointer the address alone.
	value *string
	named bool
}

const hidden = "[secret]"

// NewSecret wraps a value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Named reports whether gateway.yaml itself says that the value is secret, whatever the key: it comes from a
// ${file:...}, or from a variable whose name says so, such as ${ACME_SECRET}.
func (s Secret) Named() bool { return s.named }

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal reports whether both hold the same value. It is not constant in time: compare hashes where a caller is asked
// for a key.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// Format prints [secret] for every verb (fmt.Formatter).
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// String returns [secret].
func (s Secret) String() string { return hidden }

// GoString returns [secret].
func (s Secret) GoString() string { return hidden }

// MarshalJSON writes "[secret]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText writes [secret].
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML writes [secret].
func (s Secret) MarshalYAML() (any, error) { return hidden, nil }

// LogValue is [secret].
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
