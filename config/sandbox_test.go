package config

import (
	"path/filepath"
	"testing"
)

func TestLoadSandbox(t *testing.T) {
	name := write(t, map[string]string{"gateway.yaml": `
upstreams:
  a: &same
    spec: petstore.yaml
    base_url: ${UNSET}
    credential: {type: bearer, token: "${UNSET}"}
    headers: {X-Tenant: "${UNSET}"}
    timeout: 3s
  b: *same
  c: {spec: c.yaml}
`})
	cfg, err := LoadSandbox(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, upstream := range cfg.Upstreams {
		if !upstream.Sandbox() || upstream.Credential.Type != "none" || len(upstream.Headers) > 0 {
			t.Errorf("%s: %+v", name, upstream)
		}
	}
	b := cfg.Upstreams["b"]
	if b.Timeout.String() != "3s" || len(b.Spec) != 1 || b.Spec[0] != filepath.Join(filepath.Dir(name), "petstore.yaml") {
		t.Errorf("what is not about the real API was lost: %+v", b)
	}
	if _, err := Load(name, nil); err == nil {
		t.Error("Load minds no variables that are not set")
	}
}

// What is wrong is said in the sandbox too, with its line.
func TestLoadSandboxProblems(t *testing.T) {
	name := write(t, map[string]string{"gateway.yaml": "upstreams:\n  a: {spec: a.yaml, expoze: all}\n  b: nothing\n"})
	_, err := LoadSandbox(name, nil)
	problems, ok := err.(Problems) //nolint:errorlint // Load's errors are Problems themselves
	if !ok || len(problems) != 2 || problems[0].Pos.Line != 2 || problems[1].Pos.Line != 3 {
		t.Errorf("problems: %v", err)
	}
}
