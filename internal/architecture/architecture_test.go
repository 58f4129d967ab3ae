// Package architecture holds the one test that keeps docs/architecture.md true about imports.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed says which of our own packages each package may import: the table of docs/architecture.md. A package that is
// not here may not exist.
var allowed = map[string][]string{
	"config":                         {},
	"specs":                          {},
	"internal/fault":                 {},
	"internal/seal":                  {},
	"mapping":                        {"config", "specs", "internal/fault"},
	"internal/expr":                  {},
	"internal/fakeidp":               {},
	"internal/fakeclient":            {},
	"auth":                           {"config", "internal/expr", "internal/fault"},
	"auth/provider":                  {"config", "internal/fault"},
	"auth/tokenstore":                {"config", "internal/seal"},
	"auth/tokenstore/tokenstoretest": {"auth/tokenstore"},
	"auth/grant":                     {"auth", "auth/provider", "auth/tokenstore", "internal/fault", "internal/seal"},
	"auth/oauthproxy":                {"auth", "auth/grant", "auth/provider", "auth/tokenstore", "config", "internal/fault", "internal/seal"},
	"auth/credential":                {"auth", "auth/grant", "auth/provider", "config", "internal/fault"},
	"internal/sandbox":               {"specs", "mapping"},
	"internal/telemetry":             {"config"},
	"internal/golden":                {},
	"gateway":                        {"config", "specs", "mapping", "auth", "auth/credential", "auth/grant", "auth/oauthproxy", "auth/provider", "auth/tokenstore", "internal/expr", "internal/fault", "internal/sandbox", "internal/seal", "internal/telemetry"},
	"internal/architecture":          {},
	"internal/schemagen":             {"config"},
	"internal/bench/corpus":          {"config", "specs", "mapping", "internal/fault"},
	"internal/bench/footprint":       {},
	"examples":                       {},
	"cmd/mcpgate":                    {"*"},
}

// doors says which packages may import a library that is an outside world of its own.
var doors = map[string][]string{
	"gopkg.in/yaml.v3":                 {"config", "specs"},
	"github.com/getkin/kin-openapi":    {"specs", "internal/bench/corpus"},
	"github.com/theory/jsonpath":       {"specs"},
	"github.com/mark3labs/mcp-go":      {"gateway"},
	"github.com/spf13/cobra":           {"cmd/mcpgate"},
	"github.com/hashicorp/":            {"gateway"},
	"github.com/santhosh-tekuri/":      {"config", "mapping", "gateway"},
	"github.com/itchyny/gojq":          {"mapping"},
	"github.com/joho/godotenv":         {"config"},
	"cel.dev/cel-go":                   {"internal/expr"},
	"github.com/redis/":                {"auth/tokenstore"},
	"github.com/google/renameio":       {"auth/tokenstore"},
	"github.com/go-jose/":              {"auth", "auth/provider", "auth/oauthproxy", "internal/fakeidp"},
	"github.com/coreos/go-oidc":        {"auth", "auth/provider"},
	"golang.org/x/oauth2":              {"auth/provider"},
	"github.com/prometheus/":           {"internal/telemetry"},
	"go.opentelemetry.io/":             {"internal/telemetry"},
	"github.com/rogpeppe/go-internal/": {},
	"github.com/google/go-cmp/":        {},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImports(t *testing.T) {
	packages := list(t)
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, "mcpgate/")
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s has no line in the table of imports", name)
			continue
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, "mcpgate/"); ok && !slices.Contains(may, ours) && !slices.Contains(may, "*") {
				t.Errorf("%s imports %s, which the table does not allow", name, ours)
			}
			for library, at := range doors {
				if strings.HasPrefix(i, library) && !slices.Contains(at, name) {
					t.Errorf("%s imports %s, which enters by %v alone", name, i, at)
				}
			}
		}
	}
}

func TestDepth(t *testing.T) {
	imports := map[string][]string{}
	for _, p := range list(t) {
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "mcpgate/") {
				imports[p.ImportPath] = append(imports[p.ImportPath], i)
			}
		}
	}
	var depth func(string) int
	depth = func(p string) int {
		deepest := 0
		for _, i := range imports[p] {
			deepest = max(deepest, depth(i))
		}
		return deepest + 1
	}
	if got := depth("mcpgate/cmd/mcpgate"); got > 6 { // packages in a row, so that imports are 5 deep
		t.Errorf("%d packages import each other in a row, want at most 6", got)
	}
}

// list returns the project's packages, without their tests.
func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "mcpgate/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 8 {
		t.Fatalf("only %d packages: the test looks at the wrong place", len(packages))
	}
	return packages
}
