package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
)

// Audit writes one step of somebody's access into the log: a client that registered, a login, a token that was issued or
// refused. Attributes never hold a token, a code or another secret; Fingerprint stands for one.
func Audit(ctx context.Context, log *slog.Logger, event string, attrs ...slog.Attr) {
	log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "audit", append([]slog.Attr{slog.String("event", event)}, attrs...)...)
}

// Fingerprint is what a log may show of a secret: the first 8 hexadecimal digits of its SHA-256.
func Fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4])
}
