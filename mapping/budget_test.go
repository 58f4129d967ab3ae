package mapping

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/specs"
)

// sized is a tool of 100 tokens for each letter of its upstream: a.list has 100, aa.list 200.
func sized(name, path string, reads, described bool, tags ...string) *Tool {
	upstream, _, _ := strings.Cut(name, ".")
	t := &Tool{Name: name, Upstream: upstream, Path: path, Tags: tags, Described: described}
	t.Annotations.ReadOnly = reads
	t.InputSchema = json.RawMessage(strings.Repeat(" ", 400*len(upstream)-hintBytes-len(name)))
	return t
}

func placesOf(d Division) string {
	var b strings.Builder
	for _, p := range d.Placements {
		place := "found "
		if p.Direct {
			place = "direct"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", place, p.Tool.Name, p.Reason)
	}
	return b.String()
}

func TestDivide(t *testing.T) {
	tools := []*Tool{
		sized("aa.create", "/things", false, false),
		sized("aa.get", "/things/{id}", true, false),
		sized("aa.list", "/things", true, false),
		sized("aa.other", "/others", true, false),
		sized("aa.pinned", "/things/{id}/parts/{part}", false, false),
		sized("aa.said", "/things/{id}/said", false, true),
		sized("b.one", "/one", true, false),
		sized("b.two", "/two/{a}", false, false),
		sized("ccc.one", "/one", true, false),
	}
	whole := `direct aa.create: all tools fit
direct aa.get: all tools fit
direct aa.list: all tools fit
direct aa.other: all tools fit
direct aa.pinned: all tools fit
direct aa.said: all tools fit
direct b.one: all tools fit
direct b.two: all tools fit
direct ccc.one: all tools fit
`
	for _, tt := range []struct {
		name      string
		discovery config.Discovery
		tokens    int
		want      string
	}{
		{"everything fits, to the token", config.Discovery{Mode: "auto", BudgetTokens: 1700, Pin: []string{"aa.pinned"}}, 1700, whole},
		{"direct, whatever the size", config.Discovery{Mode: "direct", BudgetTokens: 1}, 1700, strings.ReplaceAll(whole, "all tools fit", "mode: direct")},
		{"one token too much", config.Discovery{Mode: "auto", BudgetTokens: 1699, Pin: []string{"aa.pinned"}}, 1550, `direct aa.pinned: pinned
direct aa.said: described in gateway.yaml
direct b.one: fits with all of b
direct b.two: fits with all of b
direct ccc.one: fits with all of ccc
direct aa.list: reads, needs no id
direct aa.other: reads, needs no id
direct aa.create: writes, needs no id
found  aa.get: 149 tokens are left
`},
		{"a small budget", config.Discovery{Mode: "auto", BudgetTokens: 500}, 350, `direct aa.said: described in gateway.yaml
direct b.one: fits with all of b
found  ccc.one: 150 tokens are left
`},
		{"pins count whatever they cost", config.Discovery{Mode: "auto", BudgetTokens: 10, Pin: []string{"ccc.one", "aa.pinned"}}, 550, ""},
		{"search", config.Discovery{Mode: "search", BudgetTokens: 12000, Pin: []string{"ccc.one"}}, 350, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := tools
			if tt.name == "a small budget" {
				given = []*Tool{tools[5], tools[6], tools[8]}
			}
			got, problems := Divide(&config.Config{Discovery: tt.discovery}, given, 50)
			if len(problems) > 0 {
				t.Error(problems)
			}
			if tt.want != "" {
				if diff := cmp.Diff(tt.want, placesOf(got)); diff != "" {
					t.Error(diff)
				}
			}
			if got.Tokens != tt.tokens || got.Over() != (tt.tokens > tt.discovery.BudgetTokens) {
				t.Errorf("%d tokens, over: %v", got.Tokens, got.Over())
			}
			reordered := slices.Clone(given)
			slices.Reverse(reordered)
			again, _ := Divide(&config.Config{Discovery: tt.discovery}, reordered, 50)
			if diff := cmp.Diff(placesOf(got), placesOf(again)); diff != "" {
				t.Errorf("it depends on the order of documents: %s", diff)
			}
		})
	}
}

func TestDivideMentionsUnknownPins(t *testing.T) {
	cfg := &config.Config{Discovery: config.Discovery{Mode: "search", BudgetTokens: 100, Pin: []string{"a.lits", "a.list"}}}
	division, problems := Divide(cfg, []*Tool{sized("a.list", "/", true, false)}, 50)
	if len(problems) != 1 || problems[0].Message != `there is no tool "a.lits"` || problems[0].Hint != `did you mean "a.list"?` ||
		problems[0].Path.String() != "discovery.pin.0" {
		t.Errorf("%+v", problems)
	}
	if division.Found() != 0 || division.Finders != 0 || division.Tokens != 100 {
		t.Errorf("nothing is left to find: %+v", division)
	}
}

// Where the API's heart is, there are many tools.
func TestCallingOrderPutsLargeAreasFirst(t *testing.T) {
	tools := []*Tool{
		sized("a.emojis", "/emojis", true, false, "emojis"), sized("a.issues", "/issues", true, false, "issues"),
		sized("a.issue", "/issues/{id}", true, false, "issues"), sized("a.comments", "/issues/{id}/comments", true, false, "issues"),
	}
	division, _ := Divide(&config.Config{Discovery: config.Discovery{Mode: "auto", BudgetTokens: 150}}, tools, 50)
	if first := division.Placements[0]; first.Tool.Name != "a.issues" || !first.Direct || division.Found() != 3 {
		t.Error(placesOf(division))
	}
	want := []Area{{"a", "issues", 3}, {"a", "emojis", 1}}
	if diff := cmp.Diff(want, Areas(tools)); diff != "" {
		t.Error(diff)
	}
	untagged := []*Tool{{Path: "/{version}/pets/{id}"}, {Path: "/{id}"}}
	if diff := cmp.Diff([]Area{{"", "other", 1}, {"", "pets", 1}}, Areas(untagged)); diff != "" {
		t.Error(diff)
	}
}

func TestReservedNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), "api.json")
	if err := os.WriteFile(name, []byte(`{"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": {
		"/a": {"get": {"operationId": "search_tools", "responses": {}}}, "/b": {"get": {"responses": {}}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	document, _, err := specs.Loader{}.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := everything()
	cfg.Upstreams["api"].Tools = map[string]*config.Tool{"call_tool": {Name: "call_tool", Request: "GET /b"}}
	tools, problems := Compile(cfg, map[string][]*specs.Document{"api": {document}})
	if len(problems) != 1 || problems[0].Path.String() != "upstreams.api.tools.call_tool" ||
		!strings.Contains(problems[0].Message, "the gateway's own") {
		t.Errorf("%+v", problems)
	}
	for _, tool := range tools {
		if slices.Contains(Reserved, tool.Name) {
			t.Errorf("%s %s is called %s", tool.Method, tool.Path, tool.Name)
		}
		if tool.Path == "/a" && !strings.HasPrefix(tool.Name, "search_tools_") {
			t.Errorf("%s", tool.Name)
		}
	}
}
