package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSecretNeverPrints(t *testing.T) {
	const text = "correct-horse"
	secret := NewSecret(text)
	holder := struct {
		Secret  Secret
		Pointer *Secret
		Map     map[string]Secret
		inner   Secret
		private []Secret
	}{secret, &secret, map[string]Secret{"k": secret}, secret, []Secret{secret}}

	var printed []string
	for _, verb := range "vsqdxXobeEfFgGtTcUpw" {
		for _, flags := range []string{"", "+", "#", " ", "20", "-20.3", "0"} {
			if verb == 'T' || verb == 'p' {
				continue // a type and an address, not a value
			}
			format := "%" + flags + string(verb)
			printed = append(printed, fmt.Sprintf(format, secret), fmt.Sprintf(format, &secret), fmt.Sprintf(format, []Secret{secret}))
			if verb == 'v' || verb == 's' {
				printed = append(printed, fmt.Sprintf(format, holder))
			}
		}
	}
	printed = append(printed, fmt.Sprint(secret), fmt.Sprintln(holder), fmt.Errorf("x: %v", secret).Error())
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	asKey, err := json.Marshal(map[Secret]int{secret: 1})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("m", "secret", secret, "pointer", &secret, "holder", holder)
	}
	printed = append(printed, string(asJSON), string(asYAML), string(asKey), log.String())
	for _, each := range printed {
		if strings.Contains(each, text) || strings.Contains(each, fmt.Sprintf("%x", text)) {
			t.Errorf("it shows in %q", each)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %q %d", secret, secret, secret, secret, secret, secret); got != strings.TrimSpace(strings.Repeat("[secret] ", 6)) {
		t.Errorf("printed as %s", got)
	}
	if secret.Reveal() != text || secret.IsZero() || !NewSecret("").IsZero() || !secret.Equal(NewSecret(text)) || secret.Equal(NewSecret("x")) {
		t.Error("the value is lost")
	}
}

// A whole configuration prints without one of its secrets.
func TestConfigNeverPrintsSecrets(t *testing.T) {
	cfg := loadText(t, `
key: 0123456789abcdef0123456789abcdef-secret
server: {admin_key: admin-secret}
upstreams:
  a:
    spec: a.yaml
    credential: {type: bearer, token: ${TOKEN}}
    headers: {X-Api-Key: header-secret}
    queries: {q: {request: POST /q, headers: {X-Token: query-secret}}}
  b: {spec: a.yaml, credential: {type: basic, username: user-secret, password: password-secret}}
  c: {spec: a.yaml, credential: {type: api_key, in: query, name: key, value: value-secret}}
`, "TOKEN=token-secret")
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(cfg.Upstreams)
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{string(asJSON), string(asYAML), fmt.Sprintf("%v %+v %#v", *cfg, *cfg, *cfg)}
	for _, u := range cfg.Upstreams {
		printed = append(printed, fmt.Sprintf("%v %+v %#v", *u, *u, *u))
		for _, q := range u.Queries {
			printed = append(printed, fmt.Sprintf("%v %+v %#v", *q, *q, *q))
		}
	}
	for _, text := range printed {
		if at := strings.Index(text, "-secret"); at >= 0 {
			t.Errorf("a secret shows: %s", text[max(0, at-60):at+7])
		}
	}
	if got := cfg.Upstreams["a"].Credential.Token.Reveal(); got != "token-secret" {
		t.Errorf("the token is %q", got)
	}
}

// loadText loads a gateway.yaml that has to be right, for an editor with the schema too.
func loadText(t testing.TB, text string, env ...string) *Config {
	t.Helper()
	name := write(t, map[string]string{"gateway.yaml": text})
	cfg, err := Load(name, variables(env...))
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(name), err)
	}
	if err := againstSchema(t, compileSchema(t), []byte(text)); err != nil {
		t.Errorf("the schema: %v", err)
	}
	return cfg
}

// The name of a header may say nothing; where its value comes from does.
func TestSecretIsNamed(t *testing.T) {
	mounted := filepath.Join(t.TempDir(), "mounted")
	if err := os.WriteFile(mounted, []byte("value\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := loadText(t, strings.ReplaceAll(`
upstreams:
  acme:
    base_url: https://acme.example
    tools: {a: {request: GET /a, description: Reads.}}
    headers:
      X-Plain: text
      X-Tenant: ${TENANT}
      X-Acme: ${ACME_SECRET}
      X-Default: ${ACME_KEY:-none}
      X-File: "${file:FILE}"
`, "FILE", mounted), "TENANT=t", "ACME_SECRET=s")
	for name, value := range cfg.Upstreams["acme"].Headers {
		if want := name != "X-Plain" && name != "X-Tenant"; value.Named() != want {
			t.Errorf("%s: %v, want %v", name, value.Named(), want)
		}
	}
}
