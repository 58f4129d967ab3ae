package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"mcpgate/auth/credential"
	"mcpgate/config"
	"mcpgate/internal/seal"
	"mcpgate/internal/telemetry"
)

// upstream is one API, ready to be called. It is safe for concurrent use.
type upstream struct {
	name        string
	sandbox     bool
	callTimeout time.Duration // of a whole call
	retry       retryPolicy
	throttle    *throttle // nil without limits
	source      credential.Source
	login       login             // source, where it is a token that was obtained; else nil
	personal    bool              // that token is the caller's own, of a login
	base        http.RoundTripper // the connection pool, or the sandbox
	other       http.RoundTripper // for redirects to other hosts
	guard       *guard
	secrets     *telemetry.Masker
	handles     *seal.Ring // seals what continues a list
	log         *slog.Logger

	config *config.Upstream
}

// upstreamOptions are what newUpstream can do without.
type upstreamOptions struct {
	Sandbox http.RoundTripper // answers instead of the network
	Logger  *slog.Logger      // nil discards
	Handles *seal.Ring        // nil makes a random key
	Grants  credential.Grants // for credentials of type login
	Now     func() time.Time
}

// newUpstream prepares an upstream of cfg; nothing is dialled. The error is the author's: a credential or a
// certificate file that can't be used.
func newUpstream(cfg *config.Config, u *config.Upstream, opts upstreamOptions) (*upstream, error) {
	up := &upstream{
		name: u.Name, sandbox: opts.Sandbox != nil, callTimeout: time.Duration(cfg.Server.CallTimeout),
		throttle: newThrottle(u.Name, u.Limits), secrets: telemetry.NewMasker(telemetry.UpstreamSecrets(u)),
		handles: opts.Handles, log: opts.Logger, config: u,
	}
	if up.handles == nil {
		up.handles = seal.NewRing("")
	}
	if up.log == nil {
		up.log = slog.New(slog.DiscardHandler)
	}
	err := up.open(cfg, u, opts)
	if err != nil {
		return nil, fmt.Errorf("upstream %q: %w", u.Name, err)
	}
	return up, nil
}

// open makes what the upstream's requests need.
func (u *upstream) open(cfg *config.Config, c *config.Upstream, opts upstreamOptions) (err error) {
	outbound := cfg.Outbound
	u.retry = newRetryPolicy(c.Retry)
	if u.source, err = newSource(cfg, c, opts); err != nil {
		return err
	}
	u.login, _ = u.source.(login)
	u.personal = c.Credential.Type == "login"
	if u.guard, err = newGuard(outbound); err != nil {
		return err
	}
	u.guard.allowLocations(c.Spec) // a document's servers are often beside it
	for _, host := range c.AllowHosts {
		if !strings.HasPrefix(host, "*.") { // gateway.yaml names this one
			if err := u.guard.allow(host); err != nil {
				return err
			}
		}
	}
	other, err := newTransport(outbound, u.guard)
	if err != nil {
		return err
	}
	u.other = other
	if opts.Sandbox != nil {
		u.base = opts.Sandbox
		return nil
	}
	look := u.guard
	if c.BaseURL != "" && !fromToken(c) { // else the document, or a token answer, names the host, so the guard looks at it
		look = nil
	}
	own, err := newTransport(outbound, look)
	if err != nil {
		return err
	}
	u.base = own
	return meet(own.TLSClientConfig, c.TLS)
}

// meet makes a connection's TLS what the upstream wants of it: our certificate, and its authorities.
func meet(to *tls.Config, c config.UpstreamTLS) error {
	if c.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		to.Certificates = []tls.Certificate{certificate}
	}
	if c.CAFile == "" {
		return nil
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return fmt.Errorf("tls.ca_file: %w", err)
	}
	if to.RootCAs == nil {
		if to.RootCAs, err = x509.SystemCertPool(); err != nil {
			to.RootCAs = x509.NewCertPool() // a system without any; the file is what counts
		}
	}
	if !to.RootCAs.AppendCertsFromPEM(text) {
		return fmt.Errorf("tls.ca_file: %s holds no PEM certificate", c.CAFile)
	}
	return nil
}

// allowsRedirect reports whether outbound.allow names the host of a redirect's target.
func (u *upstream) allowsRedirect(target *url.URL) bool {
	return u.guard.names(target.Hostname(), portOf(target))
}

// close lets go of idle connections. Calls under way go on.
func (u *upstream) close() {
	for _, transport := range []http.RoundTripper{u.base, u.other} {
		if pool, ok := transport.(*http.Transport); ok {
			pool.CloseIdleConnections()
		}
	}
}
