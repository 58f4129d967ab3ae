package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"mcpgate/config"
)

// serverTLS is the configuration of the main address, nil where no certificate is named.
func serverTLS(s config.ServerTLS, log *slog.Logger) (*tls.Config, error) {
	if s.CertFile == "" {
		return nil, nil
	}
	pair := &certificate{certFile: s.CertFile, keyFile: s.KeyFile, log: log, now: time.Now}
	if err := pair.load(); err != nil {
		return nil, usagef("server.tls: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	if s.ClientCAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.ClientCAFile)
	if err != nil {
		return nil, usagef("server.tls.client_ca_file: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, usagef("server.tls.client_ca_file: %s holds no PEM certificate", s.ClientCAFile)
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	return c, nil
}

// renewalCheck is how often a handshake looks whether the certificate was renewed.
const renewalCheck = time.Minute

// certificate is the server's, read again when its file has changed: renewing it takes no restart.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	current atomic.Pointer[loadedCertificate]
	looking atomic.Bool // one handshake looks; the others go on with what there is
}

type loadedCertificate struct {
	pair     *tls.Certificate
	modified time.Time // of its file
	checked  time.Time
}

// get is for tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.now().Sub(c.current.Load().checked) >= renewalCheck && c.looking.CompareAndSwap(false, true) {
		c.renew()
		c.looking.Store(false)
	}
	return c.current.Load().pair, nil
}

// renew reads the files again if they have changed. What can't be used leaves the old certificate in place.
func (c *certificate) renew() {
	old := c.current.Load()
	modified, err := modifiedLast(c.certFile, c.keyFile)
	if err == nil && !modified.Equal(old.modified) {
		if err = c.load(); err == nil {
			c.log.Info("the server's certificate was renewed", "file", c.certFile)
			return
		}
	}
	if err != nil {
		c.log.Warn("the server's certificate can't be read again; the old one stays", "error", err)
	}
	c.current.Store(&loadedCertificate{pair: old.pair, modified: old.modified, checked: c.now()})
}

func (c *certificate) load() error {
	modified, err := modifiedLast(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.certFile, c.keyFile, err)
	}
	c.current.Store(&loadedCertificate{pair: &pair, modified: modified, checked: c.now()})
	return nil
}

// modifiedLast is when the files were changed for the last time.
func modifiedLast(files ...string) (time.Time, error) {
	var last time.Time
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return time.Time{}, err
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last, nil
}
