package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/config"
	"mcpgate/specs"
)

// TestFold holds that a body loses nothing with the objects around it: of the bodies that a small world has, the calls
// that ParseArguments lets through make those that the document's schema accepts, all of them and no others.
func TestFold(t *testing.T) {
	const attributes = `{"type": "object", "required": ["a"], "additionalProperties": false, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}`
	const loose = `{"type": "object", "additionalProperties": false, "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}`
	wrap := func(inner, rest string) string {
		return `{"type": "object", "additionalProperties": false, "properties": {"data": ` + inner + `, "type": {"const": "x"}}` + rest + `}`
	}
	for name, test := range map[string]struct {
		schema    string
		arguments string // that the model sees
	}{
		"required":                    {wrap(attributes, `, "required": ["data"]`), "a b type"},
		"a constant":                  {wrap(loose, `, "required": ["data", "type"]`), "a b"},
		"empty is not nothing":        {wrap(loose, ``), "data type"},
		"optional, with a field":      {wrap(attributes, ``), "a b type"},
		"two layers":                  {wrap(wrap(attributes, `, "required": ["data", "type"]`), `, "required": ["data"]`), "a b type"},
		"the inner one optional":      {wrap(wrap(attributes, `, "required": ["type"]`), `, "required": ["data"]`), "a b type"},
		"the outer one optional":      {wrap(wrap(attributes, `, "required": ["data"]`), ``), "a b data_type type"},
		"optional, only with a layer": {wrap(wrap(loose, `, "required": ["data", "type"]`), ``), "data type"},
		"null too":                    {wrap(`{"anyOf": [`+attributes+`, {"type": "null"}]}`, `, "required": ["data"]`), "data type"},
		"any name":                    {wrap(`{"type": "object", "additionalProperties": {"type": "string"}}`, `, "required": ["data"]`), "data type"},
		"one of two":                  {wrap(attributes, `, "required": ["data"], "minProperties": 2`), "data type"},
	} {
		t.Run(name, func(t *testing.T) {
			var schema map[string]any
			decode(t, test.schema, &schema)
			document := &specs.Document{}
			op := &specs.Operation{Method: "PUT", Path: "/it", ID: "it", Body: &specs.Body{Required: true,
				Content: []specs.Media{{Type: "application/json", Schema: schema}}}}
			c := newCompilation(everything())
			tool, ok := c.tool(&plan{upstream: c.cfg.Upstreams["api"], defs: newDefinitions(document), op: op, entry: &config.Tool{}, name: "it"})
			if !ok {
				t.Fatal(c.problems)
			}
			slices.Sort(tool.names)
			if got := strings.Join(tool.names, " "); got != test.arguments {
				t.Errorf("arguments %s, want %s", got, test.arguments)
			}
			whole, err := compileAsIs(schema)
			if err != nil {
				t.Fatal(err)
			}
			made := map[string]bool{}
			for _, args := range choices(tool.names, anyValue(3-len(tool.names))) {
				parsed, err := tool.ParseArguments(json.RawMessage(compactJSON(args)))
				if err != nil {
					continue
				}
				body, sent := tool.template.body.value(parsed)
				if !sent {
					t.Fatalf("%v is no body", args)
				}
				if err := whole.Validate(body); err != nil {
					t.Errorf("%s makes %s: %v", compactJSON(args), compactJSON(body), err)
				}
				made[compactJSON(body)] = true
			}
			for _, body := range choices([]string{"data", "type"}, anyValue(1)) {
				if text := compactJSON(body); whole.Validate(body) == nil && !made[text] {
					t.Errorf("nothing makes %s", text)
				}
			}
		})
	}
}

// worlds are the objects with the names of the schemas, some levels deep.
func worlds(depth int) []any {
	var all []any
	if depth < 0 {
		return []any{map[string]any{}}
	}
	for _, object := range choices([]string{"a", "b"}, []any{"x"}) {
		all = append(all, object)
	}
	if depth > 0 {
		for _, object := range choices([]string{"data", "type"}, append([]any{"x"}, worlds(depth-1)...)) {
			all = append(all, object)
		}
	}
	return all
}

// anyValue is all that an argument may be in this world.
func anyValue(depth int) []any { return append([]any{"x", nil}, worlds(depth)...) }

// choices are the objects that have some of the names, each with one of the values.
func choices(names []string, values []any) []map[string]any {
	all := []map[string]any{{}}
	for _, name := range names {
		var more []map[string]any
		for _, object := range all {
			more = append(more, object)
			for _, value := range values {
				with := map[string]any{name: value}
				for key, member := range object {
					with[key] = member
				}
				more = append(more, with)
			}
		}
		all = more
	}
	return all
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// FuzzBody holds that a body that ParseArguments lets through is one that the document's schema accepts, whatever is folded
// and whatever gateway.yaml changes inside an argument.
func FuzzBody(f *testing.F) {
	for _, schema := range []string{
		`{"type": "object", "required": ["data"], "properties": {"data": {"type": "object", "required": ["type", "a"], "properties": {"type": {"const": "x"}, "a": {"type": "string"}, "b": {}}}}}`,
		`{"type": "object", "properties": {"data": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}}}}}`,
		`{"type": "object", "properties": {"data": {"$ref": "#/$defs/A"}, "b": {"type": "array", "items": {"$ref": "#/$defs/A"}}}, "$defs": {"A": {"allOf": [{"required": ["a"], "minProperties": 2}, {"type": "object", "properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/A"}}}]}}}`,
		`{"type": "object", "additionalProperties": true, "properties": {"a": {"enum": ["x", 1]}, "b": {"type": "object", "additionalProperties": false, "properties": {"a": {}}}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}`,
	} {
		for _, args := range []string{`{"a": "x"}`, `{"a": "x", "b": {"a": 1}}`, `{"data": {"a": "x", "b": {"a": "x"}}}`, `{"body": {"c": 1, "b": {"c": 1}}}`, `{}`} {
			for action, key := range []string{"", "b.a", "data.b.a", "body.b.a", "data.b", "data"} {
				f.Add([]byte(schema), []byte(args), key, byte(action))
			}
		}
	}
	f.Fuzz(func(t *testing.T, schemaText, args []byte, key string, action byte) {
		for _, avoid := range []string{"readOnly", "$id", "$anchor", "$dynamic", "$schema", "$recursive", "$vocabulary", `\u`} {
			if bytes.Contains(schemaText, []byte(avoid)) {
				t.Skip("speaks of more than constraints")
			}
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
		root, ok := schema.(map[string]any)
		if err != nil || !ok || outOfBounds(schema) {
			t.Skip()
		}
		document := &specs.Document{Defs: map[string]specs.Schema{}}
		named, _ := root["$defs"].(map[string]any)
		for name, definition := range named {
			if definition, ok := definition.(map[string]any); ok {
				document.Defs[name] = definition
			}
		}
		entry := &config.Tool{}
		if key != "" {
			change := []config.Argument{{Name: "c"}, {Value: "x"}, {Hide: true}, {Default: "x"}, {Enum: []any{"x"}}, {Value: 1}}[action%6]
			entry.Arguments = map[string]*config.Argument{key: &change}
		}
		op := &specs.Operation{Method: "PUT", Path: "/it", ID: "it", Body: &specs.Body{Required: true,
			Content: []specs.Media{{Type: "application/json", Schema: root}}}}
		c := newCompilation(everything())
		defs := newDefinitions(document)
		tool, ok := c.tool(&plan{upstream: c.cfg.Upstreams["api"], defs: defs, op: op, entry: entry, name: "it"})
		if !ok {
			return
		}
		parsed, err := tool.ParseArguments(args)
		if err != nil {
			return
		}
		body, sent := tool.template.body.value(parsed)
		if !sent {
			return
		}
		whole, err := defs.compile(defs.cleaned(root))
		if err != nil {
			t.Fatal(err)
		}
		if err := whole.Validate(body); err != nil {
			t.Fatalf("%s makes %s: %v", args, compactJSON(body), err)
		}
	})
}
