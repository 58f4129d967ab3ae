package config

import (
	"os"
	"path/filepath"
	"testing"
)

// The sandbox's URL ends in a colon, which YAML takes for a key's where no quotes stand.
func TestBareSandbox(t *testing.T) {
	for name, line := range map[string]string{
		"bare": "base_url: sandbox:", "with a comment": "base_url: sandbox:  # made-up answers", "in quotes": `base_url: "sandbox:"`,
		"from a variable": "base_url: ${NOT_SET:-sandbox:}", "in Windows' lines": "base_url: sandbox:\r",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "gateway.yaml")
			text := "upstreams:\n  a:\n    " + line + "\n    tools: {x: {request: GET /x}}\n  b: {base_url: sandbox:, tools: {y: {request: GET /y}}}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := Load(file, func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range cfg.Upstreams {
				if !u.Sandbox() {
					t.Errorf("upstream %s has the base_url %q", u.Name, u.BaseURL)
				}
			}
		})
	}
}
