package tokenstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"mcpgate/config"
)

const (
	// redisTimeout is for connecting, for sending and for an answer. A call is tried three times, within its context's time.
	redisTimeout = 2 * time.Second
	redisRetries = 2
	// redisPool is how many connections a node gets at most.
	redisPool = 32
)

// silent keeps the library from writing to standard error: what fails comes back as a call's error.
type silent struct{}

// Printf drops the text.
func (silent) Printf(context.Context, string, ...any) {}

// openRedis prepares a client; nothing is dialled. The error is the author's: a URL that can't be read, or a file.
func openRedis(cfg config.Store, opts Options) (Store, error) {
	redis.SetLogger(silent{})
	client, err := redisClient(cfg)
	if err != nil {
		return nil, err
	}
	r := &redisStore{client: client, prefix: cfg.Prefix, now: opts.Now, log: opts.Logger}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

func redisClient(cfg config.Store) (redis.UniversalClient, error) {
	scheme, rest, _ := strings.Cut(cfg.URL.Reveal(), "://")
	scheme, cluster := strings.CutSuffix(scheme, "+cluster")
	// The library's own errors quote the URL, with its password.
	wrong := errors.New("url has to be redis://, rediss://, redis+cluster:// or rediss+cluster://, then user:password@host:port")
	if scheme != "redis" && scheme != "rediss" {
		return nil, wrong
	}
	if cluster {
		o, err := redis.ParseClusterURL(scheme + "://" + rest)
		if err != nil {
			return nil, wrong
		}
		if err := trust(o.TLSConfig, cfg.CAFile); err != nil {
			return nil, err
		}
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = redisTimeout, redisTimeout, redisTimeout, redisTimeout
		o.MaxRetries, o.DialerRetries, o.PoolSize, o.MaxActiveConns = redisRetries, 1, redisPool, redisPool
		o.ContextTimeoutEnabled, o.MaintNotificationsConfig = true, noNotifications()
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(scheme + "://" + rest)
	if err != nil {
		return nil, wrong
	}
	if err := trust(o.TLSConfig, cfg.CAFile); err != nil {
		return nil, err
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = redisTimeout, redisTimeout, redisTimeout, redisTimeout
	o.MaxRetries, o.DialerRetries, o.PoolSize, o.MaxActiveConns = redisRetries, 1, redisPool, redisPool
	o.ContextTimeoutEnabled, o.MaintNotificationsConfig = true, noNotifications()
	return redis.NewClient(o), nil
}

// noNotifications keeps the client from asking for a feature that Valkey and most servers don't have.
func noNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// trust adds the authorities of a file to the system's.
func trust(config *tls.Config, file string) error {
	if config == nil {
		if file != "" {
			return errors.New("ca_file needs a url that begins with rediss:// or rediss+cluster://")
		}
		return nil
	}
	config.MinVersion = tls.VersionTLS12
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("ca_file can't be read: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any; the file is what counts
	}
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New("ca_file holds no certificate (PEM)")
	}
	config.RootCAs = pool
	return nil
}
