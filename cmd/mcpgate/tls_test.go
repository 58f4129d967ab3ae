package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcpgate/config"
)

// A renewed certificate is served within a minute; a broken one is not.
func TestCertificateRenewal(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now := time.Now()
	put := func(certificate, key string, modified time.Time) {
		t.Helper()
		for file, text := range map[string]string{certFile: certificate, keyFile: key} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, modified, modified); err != nil {
				t.Fatal(err)
			}
		}
	}
	var log bytes.Buffer
	c := &certificate{certFile: certFile, keyFile: keyFile, log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }}
	served := func() string {
		t.Helper()
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.String()
	}

	first, firstKey, _ := issue(t, nil)
	put(first, firstKey, now.Add(-time.Hour))
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	serial := served()
	second, secondKey, _ := issue(t, nil)
	put(second, secondKey, now)
	if served() != serial {
		t.Error("the files were read again before a minute was over")
	}
	now = now.Add(renewalCheck)
	renewed := served()
	if renewed == serial {
		t.Error("the renewed certificate is not served")
	}
	put("nonsense", secondKey, now)
	now = now.Add(renewalCheck)
	if served() != renewed || !strings.Contains(log.String(), "the old one stays") {
		t.Errorf("a broken file: serial %s, log:\n%s", served(), &log)
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	now = now.Add(renewalCheck)
	if served() != renewed {
		t.Error("a missing file took the certificate away")
	}
}

func TestServerTLSRefuses(t *testing.T) {
	dir := t.TempDir()
	certificate, key, _ := issue(t, nil)
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, keyFile, text := file("cert.pem", certificate), file("key.pem", key), file("notes.txt", "Dear diary")
	for want, s := range map[string]config.ServerTLS{
		"server.tls: ":                       {CertFile: text, KeyFile: keyFile},
		"notes.txt holds no PEM certificate": {CertFile: cert, KeyFile: keyFile, ClientCAFile: text},
		"server.tls.client_ca_file: ":        {CertFile: cert, KeyFile: keyFile, ClientCAFile: filepath.Join(dir, "nowhere")},
	} {
		if _, err := serverTLS(s, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}
