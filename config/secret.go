package config

// Secret is a string that never prints: %v, JSON, YAML and slog all show [secret]. Reveal is the only way out, so a
// search for it lists every use.
type Secret struct{ value string }

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value itself.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == "" }
