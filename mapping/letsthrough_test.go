package mapping

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"

	"mcpgate/specs"
)

// TestLetsThrough holds what ParseArguments lets through against the schemas of the document: each parameter's, and the
// body's, as a whole. The arguments are samples, and samples with one argument left out, or of another kind.
func TestLetsThrough(t *testing.T) {
	for _, location := range documentsFor(t) {
		t.Run(filepath.Base(location), func(t *testing.T) {
			t.Parallel()
			document, _, err := specs.Loader{}.Load(t.Context(), location)
			if err != nil {
				t.Fatal(err)
			}
			cfg := everything()
			cfg.Upstreams["api"].BaseURL = "https://api.example/root"
			tools, _ := Compile(cfg, map[string][]*specs.Document{"api": {document}})
			drawn := drawable(t, cfg, document)
			operations := map[string]*specs.Operation{}
			for _, op := range document.Operations() {
				key := op.Method + " " + op.Path
				if _, twin := operations[key]; twin {
					op = nil // told apart by a fragment that is never sent: which of them a tool is, its path does not say
				}
				operations[key] = op
			}
			passed := 0
			for _, tool := range tools {
				key := tool.Method + " " + tool.Path
				sample, ok := sampler{true}.value(drawn[key], 0).(map[string]any)
				if !ok || operations[key] == nil {
					continue
				}
				passed += holdAgainst(t, tool, operations[key], document, sample)
			}
			t.Logf("%d calls let through", passed)
		})
	}
}

// holdAgainst hands variations of a sample to a tool, and returns how many it let through.
func holdAgainst(t *testing.T, tool *Tool, op *specs.Operation, document *specs.Document, sample map[string]any) int {
	if op.Body == nil || len(op.Body.Content) == 0 {
		return 0
	}
	defs := newDefinitions(document)
	whole, err := defs.compile(defs.cleaned(chooseMedia(defs, op.Body.Content).Schema))
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, args := range variations(sample) {
		raw, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := tool.ParseArguments(raw)
		if err != nil {
			continue
		}
		passed++
		body, sent := tool.template.body.value(parsed)
		if !sent || !isJSON(tool.template.body.mediaType) {
			continue // forms with files and texts are made of something else
		}
		if err := whole.Validate(body); err != nil {
			t.Errorf("%s lets %s through: %v", tool.Name, raw, err)
		}
	}
	return passed
}

// variations are a sample, and what becomes of it with one argument left out or of another kind.
func variations(sample map[string]any) []map[string]any {
	all := []map[string]any{sample}
	for _, name := range sortedKeys(sample) {
		without := maps.Clone(sample)
		delete(without, name)
		all = append(all, without)
		for _, value := range []any{nil, true, json.Number("-1"), "not a date", []any{}, []any{"x"}, map[string]any{}} {
			other := maps.Clone(sample)
			other[name] = value
			all = append(all, other)
		}
	}
	return all
}
