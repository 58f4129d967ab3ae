package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// write puts files into a new folder and returns the name of its gateway.yaml.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "gateway.yaml")
}

// variables is an environment.
func variables(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if key, value, _ := strings.Cut(pair, "="); key == name {
				return value, true
			}
		}
		return "", false
	}
}

func TestLoadFillsDefaults(t *testing.T) {
	name := write(t, map[string]string{"gateway.yaml": `
upstreams:
  petstore:
    spec: specs/petstore.yaml
    credential: {type: bearer, token: ${TOKEN}}
    retry: {attempts: ${N:-${M:-3}}}
defaults: {retry: {unsafe: true, on: 429}, timeout: 5s}
`})
	cfg, err := Load(name, variables("TOKEN=tok"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(name)
	if cfg.Name != filepath.Base(dir) || cfg.Server.Listen != "127.0.0.1:8080" || cfg.Server.PublicURL != "http://localhost:8080" {
		t.Errorf("name %q, listen %q, public_url %q", cfg.Name, cfg.Server.Listen, cfg.Server.PublicURL)
	}
	prefix := ""
	want := &Upstream{
		Name:       "petstore",
		Spec:       Strings{filepath.Join(dir, "specs/petstore.yaml")},
		Credential: Credential{Type: "bearer", Token: NewSecret("tok")},
		Timeout:    Duration(5 * time.Second),
		Retry: Retry{
			Attempts: 3, Backoff: Duration(500 * time.Millisecond), MaxBackoff: Duration(8 * time.Second),
			On: Strings{"429"}, Unsafe: true,
		},
		Limits:   Limits{Queue: 100},
		Response: Response{MaxTokens: 15000, MaxBytes: 10 << 20},
		Prefix:   &prefix,
		Expose:   "read_only",
	}
	if diff := cmp.Diff(want, cfg.Upstreams["petstore"]); diff != "" {
		t.Error(diff)
	}
}
