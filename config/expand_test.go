package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &expander{env: variables("A=1", "EMPTY=", "DOLLAR=${A} $$", "FILE=secret", "BRACE=}")}
	for text, want := range map[string]string{
		"":                              "",
		"plain":                         "plain",
		"${A}":                          "1",
		"x${A}y${A}z":                   "x1y1z",
		"${EMPTY}":                      "",
		"${EMPTY:-d}":                   "d",
		"${UNSET:-}":                    "",
		"${UNSET:-a b: {c}}":            "a b: {c}", // the default ends at the first }, the second is text
		"${UNSET:-${A}}":                "1",
		"${UNSET:-${OTHER:-${A}}}":      "1",
		"${PORT:-${WEBSITES_PORT:-80}}": "80",
		"${UNSET:-$$}":                  "$",
		"${A:?not used}":                "1",
		"$$":                            "$",
		"$${A}":                         "${A}",
		"$$$$":                          "$$",
		"$$${A}":                        "$1",
		"$":                             "$",
		"$A":                            "$A",
		"$top":                          "$top",
		"a$":                            "a$",
		"${DOLLAR}":                     "${A} $$", // what a variable holds is not read again
		"${BRACE}":                      "}",
		"${file:secret}":                "from a file",
		"${file:${FILE}}":               "from a file",
		"${file:" + dir + "/secret}":    "from a file",
	} {
		got, err := e.expand(text, dir)
		if err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"${UNSET}":                   "not set",
		"${UNSET:?say why}":          "say why",
		"${EMPTY:?say why}":          "say why",
		"${EMPTY:?}":                 "has to be set",
		"${UNSET:-${ALSO}}":          "ALSO is not set",
		"${":                         "no closing",
		"${A":                        "no closing",
		"${}":                        "not a variable",
		"${A:+x}":                    "not a variable",
		"${A-x}":                     "not a variable",
		"${1A}":                      "not a variable",
		"${A B}":                     "not a variable",
		"${A:}":                      "not a variable",
		"${file:}":                   "names no file",
		"${file:nothing}":            "no such file",
		"${file:.}":                  "folder",
		strings.Repeat("${A:-", 100): "no closing",
	} {
		if got, err := e.expand(text, dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %q, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestExpandIsBounded(t *testing.T) {
	big := strings.Repeat("x", 1<<19)
	e := &expander{env: variables("BIG=" + big)}
	if _, err := e.expand("${BIG}${BIG}${BIG}", ""); err == nil {
		t.Error("1.5 MiB came out of 18 bytes")
	}
}

// Shielding changes what the parser sees inside ${...} and nothing else, and comes back exactly.
func TestShield(t *testing.T) {
	for _, text := range []string{
		"{a: ${X}, b: [${Y:-a,b}, ${Z:?say: why #1}]}", "base_url: sandbox:", "plain: {a: 1}", "${A:-${B:-{}}} {x}", "${open\n}", "$${A}", "$ {", "${A} ${",
	} {
		out, _ := shield([]byte(text))
		if got := unshield(string(out)); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
	var flow map[string]any
	out, _ := shield([]byte("{a: ${X:-1}, b: [${Y:-a,b}, '${Z}']}"))
	if err := yaml.Unmarshal(out, &flow); err != nil {
		t.Fatal(err)
	}
	if len(flow) != 2 || len(flow["b"].([]any)) != 2 {
		t.Errorf("parsed as %v", flow)
	}
	if _, changed := shield([]byte("a: \U0010ff00 ${X}")); changed {
		t.Error("a file that has the private characters was shielded")
	}
}

// FuzzExpand: text without a dollar sign stays as it is, what is doubled comes back, and what a variable holds is never
// read as anything but text.
func FuzzExpand(f *testing.F) {
	f.Add("${A:-x}", "v")
	f.Add("$$ ${A} ${B:-${A}}", "${A}")
	f.Add("a: {b: ${A}}", "x}\n- y")
	f.Fuzz(func(t *testing.T, text, value string) {
		e := &expander{env: func(string) (string, bool) { return value, true }}
		got, err := e.expand(text, "/nonexistent")
		if !strings.Contains(text, "$") && (err != nil || got != text) {
			t.Errorf("%q became %q, %v", text, got, err)
		}
		doubled := strings.ReplaceAll(text, "$", "$$")
		if back, err := e.expand(doubled, ""); err != nil || back != text {
			t.Errorf("%q came back as %q, %v", doubled, back, err)
		}
		if back, err := e.expand("${A:-}", ""); err != nil || back != value {
			t.Errorf("the value %q became %q, %v", value, back, err)
		}
	})
}

// FuzzHostileVariable: whatever a variable holds, the file has the same shape, and the value comes out as it went in.
func FuzzHostileVariable(f *testing.F) {
	for _, value := range []string{"", "x: {y: 1}", "a\nkey: stolen", "}, token: \"x", "- 1", "&a *a", "${HOME}", "$$", "<<: *x", "null", "\U0010ff00\U0010ff01"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if len(value) > 10_000 {
			return
		}
		name := write(t, map[string]string{"gateway.yaml": `
name: n
instructions: ${V}
upstreams:
  a:
    base_url: https://api.example.com
    variables: {v: {value: ${V:-d}}, w: {value: "w"}}
    tools: {t: {request: GET /t, description: "${V}", arguments: {b: {in: query, value: '${V:-d}'}}}}
`})
		cfg, err := Load(name, variables("V="+value))
		if err != nil {
			t.Fatal(err)
		}
		or := func(value, fallback string) string {
			if value == "" {
				return fallback
			}
			return value
		}
		a := cfg.Upstreams["a"]
		if diff := cmp.Diff([]any{
			"n", value, 1, 1, 1, or(value, "d"), "w", value, any(or(value, "d")),
		}, []any{
			cfg.Name, cfg.Instructions, len(cfg.Upstreams), len(a.Tools), len(a.Tools["t"].Arguments), a.Variables["v"].Value, a.Variables["w"].Value,
			a.Tools["t"].Description, a.Tools["t"].Arguments["b"].Value,
		}); diff != "" {
			t.Error(diff)
		}
	})
}
