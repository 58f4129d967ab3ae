package tokenstore

import (
	"context"
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
func Open(_ context.Context, cfg config.Store, opts Options) (Store, error) {
	switch cfg.Type {
	case "memory":
		return NewMemory(opts.Now), nil
	case "file":
		return openFile(cfg.Path, opts)
	case "redis":
		return openRedis(cfg, opts)
	default:
		return nil, fmt.Errorf("there is no store of type %q", cfg.Type)
	}
}
