package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong inside a value is reported at its own column, however YAML writes the value.
func TestProblemWithin(t *testing.T) {
	tests := []struct{ name, yaml, before string }{
		{"plain", "  select: .items[] | boom\n", ".items[] | "},
		{"single quotes", "  select: '.a | boom'\n", ".a | "},
		{"a doubled quote", "  select: '.a == ''x'' | boom'\n", ".a == 'x' | "},
		{"double quotes", "  select: \".a == \\\"x\\\" | boom\"\n", ".a == \"x\" | "},
		{"literal block", "  select: |\n    .a\n      | boom\n", ".a\n  | "},
		{"folded block", "  select: >-\n    .a\n    | boom\n", ".a | "},
		{"folded plain", "  select: .a\n    | boom\n", ".a | "},
		{"letters of two bytes", "  select: '\"äö\" | boom'\n", "\"äö\" | "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "gateway.yaml")
			text := "defaults:\n response:\n" + test.yaml + "upstreams: {a: {spec: a.yaml}}\n"
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := Load(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			path := Path{"defaults", "response", "select"}
			problem := cfg.ProblemWithin(path, len(test.before), "boom", "")
			lines := strings.Split(text, "\n")
			at := []rune(lines[problem.Pos.Line-1])
			if got := string(at[problem.Pos.Column-1:]); !strings.HasPrefix(got, "boom") {
				t.Errorf("%v: %q", problem.Pos, got)
			}
			whole := cfg.Defaults.Response.Select
			end := cfg.ProblemWithin(path, len(strings.TrimRight(whole, "\n")), "", "").Pos
			if line := []rune(lines[end.Line-1]); end.Line != problem.Pos.Line || end.Column < problem.Pos.Column+4 || end.Column > len(line)+1 {
				t.Errorf("the end is at %v", end)
			}
		})
	}
}

// Where a variable stands for a part of the value, the problem is at the value.
func TestProblemWithinVariable(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(name, []byte("defaults:\n response:\n  select: ${A:-.abcdefgh}\nupstreams: {a: {spec: a.yaml}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	path := Path{"defaults", "response", "select"}
	if got, want := cfg.ProblemWithin(path, 400, "", "").Pos, cfg.Problem(path, "", "").Pos; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
