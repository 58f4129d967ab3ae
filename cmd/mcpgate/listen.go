package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"mcpgate/config"
	"mcpgate/gateway"
)

// Limits of the HTTP servers. There is no time limit on a whole request or answer: a call has its own, and a stream of
// notifications may stay open for hours.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 11 * time.Minute // above what balancers keep (10 minutes at most): who closes first loses requests
	maxHeaderBytes    = 32 << 10
)

// isOff reports whether an address of gateway.yaml is switched off.
func isOff(address string) bool { return address == "" || address == "off" }

// refuseOpen is the error for tools that anybody could call who reaches the address.
func refuseOpen(cfg *config.Config, insecure bool) error {
	if insecure || !cfg.Open() {
		return nil
	}
	return usagef(`anybody who reaches %s could call every tool, since auth.mode is none. Choose one:
  - ask callers for a key:    auth: {mode: api_key, api_key: {keys: [{name: me, sha256: ...}]}}  (printf %%s "$KEY" | sha256sum)
  - serve this machine alone: --listen 127.0.0.1:%s
  - let everybody in, where something else guards the address: --insecure`, cfg.Server.Listen, port(cfg.Server.Listen))
}

// port is the port of an address, or "" where it has none.
func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// doors are the addresses that the gateway is reached at.
type doors struct {
	main, health, admin net.Listener // health and admin are nil where they are off
	tls                 *tls.Config  // of main; nil for plain HTTP
}

// openDoors listens at every address of gateway.yaml. A port of 0 is replaced with the one that the system chose.
func openDoors(ctx context.Context, cfg *config.Config, log *slog.Logger) (_ *doors, err error) {
	d := &doors{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.tls, err = serverTLS(cfg.Server.TLS, log); err != nil {
		return nil, err
	}
	if d.main, err = listen(ctx, cfg.Server.Listen, "server.listen", "--listen"); err != nil {
		return nil, err
	}
	if port(cfg.Server.Listen) == "0" {
		cfg.Server.Relisten(d.main.Addr().String())
	}
	if !isOff(cfg.Server.Health) {
		if d.health, err = listen(ctx, cfg.Server.Health, "server.health", "server.health"); err != nil {
			return nil, err
		}
	}
	if !isOff(cfg.Server.Admin) {
		if d.admin, err = listen(ctx, cfg.Server.Admin, "server.admin", "server.admin"); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// close closes the listeners; those that a server closed already don't mind.
func (d *doors) close() {
	for _, l := range []net.Listener{d.main, d.health, d.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// listen opens one address; setting is its name in gateway.yaml, remedy where another one can be said.
func listen(ctx context.Context, address, setting, remedy string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: port %s is in use; stop the program that has it, or choose another port with %s",
			setting, port(address), remedy)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: this user may not listen at %s; choose a port above 1023 with %s", setting, address, remedy)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return l, nil
}

// serve answers at every door until ctx ends, then lets calls under way finish within the grace.
func (d *doors) serve(ctx context.Context, cfg *config.Config, gw *gateway.Gateway, log *slog.Logger) error {
	// What is under way outlives ctx; it is cut off only when the grace is over.
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	main := newServer(base, gw.Handler(), log)
	main.TLSConfig = d.tls
	side := []*http.Server{newServer(base, gw.HealthHandler(), log), newServer(base, gw.AdminHandler(), log)}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return answer(main, d.main) })
	for i, l := range []net.Listener{d.health, d.admin} {
		if l != nil {
			group.Go(func() error { return answer(side[i], l) })
		}
	}
	group.Go(func() error {
		<-ctx.Done()
		expiry, cancel := context.WithTimeout(base, grace(cfg))
		defer cancel()
		// From here on /readyz fails and calls under way run on. The doors close after them, so that probes and balancers
		// see a gateway that is stopping, not one that is gone.
		err := errors.Join(gw.Close(expiry), main.Shutdown(expiry))
		cut()
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("calls were still under way after server.shutdown_grace (%s), and were cut off", grace(cfg))
		}
		return errors.Join(err, main.Close(), side[0].Close(), side[1].Close())
	})
	return group.Wait()
}

func newServer(base context.Context, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn), // handshakes that fail, for the most part
		BaseContext:       func(net.Listener) context.Context { return base },
	}
}

// answer serves until the server is shut down.
func answer(server *http.Server, l net.Listener) error {
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(l, "", "")
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// grace is how long shutting down may take.
func grace(cfg *config.Config) time.Duration { return time.Duration(cfg.Server.ShutdownGrace) }
