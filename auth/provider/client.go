package provider

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
)

// newClient returns the client for everything that is asked of a provider: with the authorities of caFile besides the
// base's own, without redirects (a code, a secret or a token would go along), and with bounded answers. own is the
// transport that was made for caFile, or nil.
func newClient(base *http.Client, caFile string) (client *http.Client, own *http.Transport, err error) {
	if base == nil {
		base = http.DefaultClient
	}
	transport := base.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	if caFile != "" {
		if own, err = withAuthorities(transport, caFile); err != nil {
			return nil, nil, err
		}
		transport = own
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, own, nil
}

func withAuthorities(base http.RoundTripper, file string) (*http.Transport, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	known, ok := base.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("it can't be added to a %T", base)
	}
	transport := known.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	pool := transport.TLSClientConfig.RootCAs
	if pool != nil {
		pool = pool.Clone()
	} else {
		if pool, err = x509.SystemCertPool(); err != nil {
			pool = x509.NewCertPool() // a system without any; the file is what counts
		}
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(file + " holds no PEM certificate")
	}
	transport.TLSClientConfig.RootCAs = pool
	return transport, nil
}

// bounded cuts answers off after maxAnswer bytes, with an error. go-oidc reads metadata and keys without a limit.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}
