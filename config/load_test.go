package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
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

// What an upstream says wins over defaults:, key by key, and these over what is built in; tools take it from the upstream.
func TestDefaultsAreInherited(t *testing.T) {
	cfg := loadText(t, `
defaults:
  timeout: 5s
  retry: {attempts: 2, unsafe: true, backoff: 1s}
  response: {max_tokens: 100}
upstreams:
  a:
    base_url: https://a.example
    retry: {unsafe: false, on: [connect]}
    response: {max_bytes: 1KiB}
    tools:
      x: {request: GET /x, timeout: 1s, response: {max_tokens: 7}}
      y: {request: GET /y}
    queries: {q: {request: GET /q}}
  b: {spec: b.yaml, timeout: 7s, response: }
`)
	a, b := cfg.Upstreams["a"], cfg.Upstreams["b"]
	retry := Retry{Attempts: 2, Backoff: Duration(time.Second), MaxBackoff: Duration(8 * time.Second), On: Strings{"connect"}}
	if diff := cmp.Diff(retry, a.Retry); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		what string
		got  any
		want any
	}{
		{"a's timeout", a.Timeout, Duration(5 * time.Second)},
		{"b's timeout", b.Timeout, Duration(7 * time.Second)},
		{"x's timeout", a.Tools["x"].Timeout, Duration(time.Second)},
		{"y's timeout", a.Tools["y"].Timeout, Duration(5 * time.Second)},
		{"a's response", a.Response, Response{MaxTokens: 100, MaxBytes: 1 << 10}},
		{"b's response", b.Response, Response{MaxTokens: 100, MaxBytes: 10 << 20}},
		{"x's response", a.Tools["x"].Response, Response{MaxTokens: 7, MaxBytes: 1 << 10}},
		{"q's response", a.Queries["q"].Response, Response{MaxTokens: 100, MaxBytes: 1 << 10}},
		{"b's unsafe", b.Retry.Unsafe, true},
		{"a's prefix", *a.Prefix, "a_"},
		{"the timeout of defaults", cfg.Defaults.Timeout, Duration(5 * time.Second)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

func TestIncludeMerges(t *testing.T) {
	name := write(t, map[string]string{
		"gateway.yaml":      "include: [parts/*.yaml, \"${MORE:-more.yaml}\"]\nserver: {path: /m}\nupstreams: {a: {spec: a.yaml}}\n",
		"parts/b.yaml":      "upstreams: {b: {spec: [b.yaml, ../up.yaml, https://x.example/c.yaml, /abs.yaml]}}\n",
		"parts/c.yaml":      "include: [deep/d.yaml]\nserver: {max_body: 1KiB}\n",
		"parts/deep/d.yaml": "upstreams: {d: {spec: d.yaml}}\n",
		"more.yaml":         "name: acme\n",
	})
	cfg, err := Load(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(name)
	specs := map[string]Strings{}
	for name, u := range cfg.Upstreams {
		specs[name] = u.Spec
	}
	if diff := cmp.Diff(map[string]Strings{
		"a": {filepath.Join(dir, "a.yaml")},
		"b": {filepath.Join(dir, "parts/b.yaml"), filepath.Join(dir, "up.yaml"), "https://x.example/c.yaml", "/abs.yaml"},
		"d": {filepath.Join(dir, "parts/deep/d.yaml")},
	}, specs); diff != "" {
		t.Error(diff)
	}
	if cfg.Name != "acme" || cfg.Server.Path != "/m" || cfg.Server.MaxBody != 1<<10 || cfg.Dir != dir {
		t.Errorf("name %q, path %q, max_body %d, dir %q", cfg.Name, cfg.Server.Path, cfg.Server.MaxBody, cfg.Dir)
	}
	problem := cfg.Problem(Path{"upstreams", "d", "spec", "0", "deeper"}, "m", "h")
	want := Position{File: filepath.Join(dir, "parts/deep/d.yaml"), Line: 1, Column: 23}
	if problem.Pos != want || problem.Excerpt != "upstreams: {d: {spec: d.yaml}}" {
		t.Errorf("a problem later is at %+v, %q", problem.Pos, problem.Excerpt)
	}
}

func TestDotenv(t *testing.T) {
	files := map[string]string{
		"gateway.yaml": "name: ${A}-${B}-${C:-none}\nupstreams: {a: {spec: a.yaml}}\n",
		".env":         "A=from-file\nB=\"two words\"\nexport C='x'\n# D=1\n",
	}
	cfg, err := Load(write(t, files), variables("A=from-environment"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Name != "from-environment-two words-x" {
		t.Errorf("the name is %q", cfg.Name)
	}
	files[".env"] = "A=1\nB=2\n%s3cret\n"
	_, err = Load(write(t, files), nil)
	if err == nil || !strings.Contains(err.Error(), ".env:3: this is not a NAME=value line") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a broken .env gives %v", err)
	}
}

// Values of any shape keep it, and every digit.
func TestFreeValues(t *testing.T) {
	cfg := loadText(t, `
upstreams:
  a:
    base_url: https://a.example
    tools:
      t:
        request: POST /t
        body: {n: 12345678901234567890, f: 1.50, b: true, s: "5", z: null, d: 2024-01-01, o: 0o17, l: [1, x], v: ${N}, w: "${N}", no: off, id: 00123}
`, "N=42")
	want := map[string]any{
		"n": json.Number("12345678901234567890"), "f": json.Number("1.50"), "b": true, "s": "5", "z": nil, "d": "2024-01-01",
		"o": json.Number("15"), "l": []any{json.Number("1"), "x"}, "v": json.Number("42"), "w": "42", "no": "off", "id": "00123",
	}
	if diff := cmp.Diff(any(want), cfg.Upstreams["a"].Tools["t"].Body); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyVariableLeavesTheDefault(t *testing.T) {
	cfg := loadText(t, `
server: {path: "${E}", max_body: ${E}, sse: ${E}, allowed_origins: ["${E}"], call_timeout: ${E}}
outbound: {deny_private: ${E}}
upstreams:
  a: {spec: [a.yaml, "${E}"], expose: "${E}", retry: {attempts: "${E}"}, tools: {t: {operation: t, annotations: {read_only: "${E}"}}}}
`, "E=")
	s, a := cfg.Server, cfg.Upstreams["a"]
	if s.Path != "/mcp" || s.MaxBody != 4<<20 || s.SSE || len(s.AllowedOrigins) != 0 || s.CallTimeout != Duration(55*time.Second) || !*cfg.Outbound.DenyPrivate {
		t.Errorf("server is %+v", s)
	}
	if len(a.Spec) != 1 || a.Expose != "read_only" || a.Retry.Attempts != 4 || a.Tools["t"].Annotations.ReadOnly != nil {
		t.Errorf("a is %+v", a)
	}
}

func TestListenAndOpen(t *testing.T) {
	key := "{mode: api_key, api_key: {keys: [{name: a, sha256: 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08}]}}"
	for _, c := range []struct {
		listen, auth, env string
		want, url         string
		open              bool
	}{
		{"", "{}", "", "127.0.0.1:8080", "http://localhost:8080", false},
		{"", key, "", ":8080", "http://localhost:8080", false},
		{"", "{}", "PORT=9000", ":9000", "http://localhost:9000", true},
		{"", key, "WEBSITES_PORT=80", ":80", "http://localhost:80", false},
		{`":${PORT:-1234}"`, "{}", "", ":1234", "http://localhost:1234", true},
		{"localhost:1", "{}", "", "localhost:1", "http://localhost:1", false},
		{`"[::1]:1"`, "{}", "", "[::1]:1", "http://localhost:1", false},
		{"0.0.0.0:1", "{}", "", "0.0.0.0:1", "http://localhost:1", true},
		{"10.1.2.3:1", key, "", "10.1.2.3:1", "http://localhost:1", false},
	} {
		text := "auth: " + c.auth + "\nupstreams: {a: {spec: a.yaml}}\n"
		if c.listen != "" {
			text += "server: {listen: " + c.listen + "}\n"
		}
		cfg := loadText(t, text, c.env)
		if cfg.Server.Listen != c.want || cfg.Open() != c.open || cfg.Server.PublicURL != c.url {
			t.Errorf("%s %s: listen %q, open %v, public_url %q", c.listen, c.env, cfg.Server.Listen, cfg.Open(), cfg.Server.PublicURL)
		}
	}
}

func TestTextOfTheFile(t *testing.T) {
	const good = "name: acme\nupstreams: {a: {spec: a.yaml}}\n"
	for what, text := range map[string]string{
		"a byte order mark":    "\xef\xbb\xbf" + good,
		"CRLF":                 strings.ReplaceAll(good, "\n", "\r\n"),
		"a document start":     "---\n" + good,
		"a document end":       good + "...\n",
		"no line end":          strings.TrimSpace(good),
		"a comment at the end": good + "# ${",
	} {
		cfg, err := Load(write(t, map[string]string{"gateway.yaml": text}), nil)
		if err != nil || cfg.Name != "acme" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for text, want := range map[string]string{
		good + "x: \x00":          "gateway.yaml:3:4: a control character (U+0000)",
		good + "é: \x07":          "gateway.yaml:3:4: a control character (U+0007)",
		good + "x: \xff":          "gateway.yaml:3:4: this is not UTF-8",
		"\xff\xfen\x00":           "UTF-16",
		"":                        "the file is empty",
		"null":                    "the file is empty",
		"just text":               "the file is a plain value",
		"a: 1\r\nb: [\r\n":        "this is not YAML",
		strings.Repeat("[", 5000): "not YAML",
		"upstreams: {}":           "has no upstreams",
		"? [a, b]\n: c\n" + good:  "a key has to be plain text",
		"x: " + strings.Repeat("#", maxFileBytes) + "\n":                    "larger than",
		"upstreams: " + strings.Repeat("[", 100) + strings.Repeat("]", 100): "too deeply nested",
		"upstreams: {\"\": {spec: a.yaml}}":                                 "can't be the name of an upstream",
	} {
		_, err := Load(write(t, map[string]string{"gateway.yaml": text}), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q gives %.200v; want %q", text, err, want)
		}
	}
	if _, err := Load(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder gives %v", err)
	}
}

// Two runs say the same, in the same order.
func TestProblemsAreDeterministic(t *testing.T) {
	text := "upstreams:\n"
	for _, name := range []string{"z", "y", "x", "w", "v"} {
		text += "  " + name + ": {spec: a.yaml, headers: {A: 1, a: 2, 'b c': 3}, tools: {p: {}, q: {}, r: {operation: a, request: b}}, queries: {p: {}}}\n"
	}
	name := write(t, map[string]string{"gateway.yaml": text})
	_, first := Load(name, nil)
	for range 20 {
		if _, again := Load(name, nil); again == nil || again.Error() != first.Error() {
			t.Fatalf("first %v\nthen %v", first, again)
		}
	}
}

// FuzzLoad: a configuration, or problems whose places are inside the file.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"upstreams: {a: {spec: a.yaml}}", "a: &a [*a]", "<<: &x {a: 1}\nb: {<<: [*x, *x]}", "include: [gateway.yaml, '*', '[']",
		"upstreams: {a: {base_url: \"${X:-{}\"}}", "\t", "--- \n---", "upstreams: {a: {tools: {t: {request: GET /{a}/{a}}}}}",
		"server: {listen: \":${X}\"}", "!!map {a: 1}", "upstreams: {a: {records: {r: {path: /}}, queries: {q: }}}",
	} {
		f.Add(seed)
	}
	stories, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, story := range stories {
		archive, err := txtar.ParseFile(story)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := write(t, map[string]string{"gateway.yaml": text})
		cfg, err := Load(name, variables("X=1"))
		if err == nil {
			if len(cfg.Upstreams) == 0 || cfg.Dir != filepath.Dir(name) {
				t.Errorf("taken without an upstream: %+v", cfg)
			}
			return
		}
		problems, ok := errors.AsType[Problems](err)
		if !ok || cfg != nil || len(problems) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		lines := strings.Split(text, "\n")
		for _, p := range problems {
			if p.Pos.File != name || p.Message == "" {
				t.Errorf("nowhere: %+v", p)
			}
			if p.Pos.Line < 0 || p.Pos.Line > len(lines) {
				t.Errorf("line %d of %d: %v", p.Pos.Line, len(lines), p)
			} else if p.Pos.Line > 0 && p.Pos.Column > utf8.RuneCountInString(lines[p.Pos.Line-1])+1 {
				t.Errorf("column %d of %q: %v", p.Pos.Column, lines[p.Pos.Line-1], p)
			}
		}
	})
}
