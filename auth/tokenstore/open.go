package tokenstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"mcpgate/config"
)

// Options are what Open can do without.
type Options struct {
	Logger *slog.Logger
	Now    func() time.Time
}

// Open returns the store of gateway.yaml. A Redis that can't be reached now is no error: Check tells. The error is the author's.
func Open(ctx context.Context, cfg config.Store, opts Options) (Store, error) {
	if cfg.Type == "memory" {
		return NewMemory(opts.Now), nil
	}
	return nil, fmt.Errorf("a store of type %q is not built yet", cfg.Type)
}

// LocalKey returns the secret that is kept beside the records of a file store, and makes it at first: for a gateway on loopback or stdio
// where gateway.yaml has no key. The error is that the folder can't be written.
func LocalKey(dir string) (string, error) { return "", errNotBuilt }

// errNotBuilt marks what is a joint only.
var errNotBuilt = errors.New("not built yet")
