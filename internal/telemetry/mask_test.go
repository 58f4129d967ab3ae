package telemetry

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func secret(text string) config.Secret { return config.NewSecret(text) }

func TestMaskerFindsEverySpelling(t *testing.T) {
	const token = "p\"w/d +ü&7"
	m := NewMasker([]config.Secret{secret(token), secret("short"), secret("")})
	text := strings.Join([]string{
		"plain " + token, `json "p\"w/d +ü&7"`, `php "p\"w\/d +ü&7"`, `go "p\"w/d +ü\u00267"`, "query " + url.QueryEscape(token), "path " + url.PathEscape(token),
		"basic " + base64.StdEncoding.EncodeToString([]byte(token)), "short stays", "as does this",
	}, "; ")
	want := `plain [secret]; json "[secret]"; php "[secret]"; go "[secret]"; query [secret]; path [secret]; basic [secret]; short stays; as does this`
	if diff := cmp.Diff(want, m.Text(text)); diff != "" {
		t.Error(diff)
	}
	got, found := m.Bytes([]byte(text))
	if diff := cmp.Diff(want, string(got)); diff != "" || !found {
		t.Error(diff, found)
	}
	clean := []byte("nothing here")
	if got, found := m.Bytes(clean); &got[0] != &clean[0] || found {
		t.Error("a clean text is copied")
	}
}

func TestMaskerPrefersTheLongerSecret(t *testing.T) {
	m := NewMasker([]config.Secret{secret("password"), secret("password-and-more")})
	if got := m.Text("password-and-more password"); got != "[secret] [secret]" {
		t.Error(got)
	}
}

func TestNilMaskerMasksNothing(t *testing.T) {
	var m *Masker
	if _, found := m.Bytes([]byte("x")); found || m.Text("x") != "x" || NewMasker(nil).Text("x") != "x" {
		t.Error("it did")
	}
}

func TestSecretsOfAConfig(t *testing.T) {
	cfg := &config.Config{
		Key:      secret("new-key-new-key,old-key-old-key"),
		Server:   config.Server{AdminKey: secret("admin-key")},
		Outbound: config.Outbound{Proxy: "http://me:proxy-password@proxy.example"},
		Upstreams: map[string]*config.Upstream{
			"a": {
				Credential: config.Credential{Type: "basic", Username: secret("user-name"), Password: secret("pass-word")},
				Headers: map[string]config.Secret{
					"Accept-Language": secret("en-language"), "x-api-key": secret("header-key"), "AUTHORIZATION": secret("Token header-token"),
				},
				Queries: map[string]*config.Query{"q": {Headers: map[string]config.Secret{
					"Prefer": secret("transient"), "X-Secret": secret("query-secret"),
				}}},
			},
			"b": {Credential: config.Credential{Type: "bearer", Token: secret("bearer-token")}},
			"d": {Credential: config.Credential{Type: "basic", Username: secret("key-as-user")}},
			"c": {Credential: config.Credential{Type: "api_key", Value: secret("key-value")}},
		},
	}
	m := NewMasker(Secrets(cfg))
	for _, text := range []string{
		"new-key-new-key", "old-key-old-key", "admin-key", "proxy-password", "key-as-user", "pass-word", "header-key",
		"header-token", "query-secret", "bearer-token", "key-value", base64.StdEncoding.EncodeToString([]byte("user-name:pass-word")),
	} {
		if got := m.Text(text); got != "[secret]" {
			t.Errorf("%s shows as %s", text, got)
		}
	}
	for _, text := range []string{"en-language", "transient", "user-name"} {
		if got := m.Text(text); got != text {
			t.Errorf("%s shows as %s", text, got)
		}
	}
}

type stringer struct{ text string }

func (s stringer) String() string { return s.text }

type valuer struct{ text string }

func (v valuer) LogValue() slog.Value { return slog.GroupValue(slog.String("inner", v.text)) }

func TestLogIsMasked(t *testing.T) {
	const token = "top-secret-token"
	var out bytes.Buffer
	options := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	log := slog.New(MaskLog(slog.NewTextHandler(&out, options), NewMasker([]config.Secret{secret(token)})))
	log.With("with", "a "+token).WithGroup("g").Info("message "+token,
		"text", token, "error", fmt.Errorf("wrapped: %w", errors.New("401 for "+token)), "stringer", stringer{token}, "valuer", valuer{token},
		slog.Group("group", "deep", token), "number", 7, "list", []string{"x", token}, "bytes", []byte(token), "clean", stringer{"clean"})
	log.Debug("not written")
	want := `level=INFO msg="message [secret]" with="a [secret]" g.text=[secret] g.error="wrapped: 401 for [secret]" g.stringer=[secret] ` +
		`g.valuer.inner=[secret] g.group.deep=[secret] g.number=7 g.list="[x [secret]]" g.bytes=[secret] g.clean=clean` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func FuzzMaskerLeavesNoSecret(f *testing.F) {
	f.Add("a top-secret-token b", "top-secret-token")
	f.Fuzz(func(t *testing.T, text, hidden string) {
		if len(hidden) < minSecret || strings.Contains(masked, hidden) || strings.ContainsAny(hidden, masked) {
			return // what the mask itself is made of would come together anew
		}
		if got := NewMasker([]config.Secret{secret(hidden)}).Text(text + hidden + text); strings.Contains(got, hidden) {
			t.Errorf("%q is in %q", hidden, got)
		}
	})
}
