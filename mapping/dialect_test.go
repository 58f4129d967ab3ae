package mapping

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/specs"
)

func TestCleaned(t *testing.T) {
	document := &specs.Document{Defs: map[string]specs.Schema{
		"Ok": {"type": "object"}, "Only in answers": {"type": "string", "readOnly": true},
	}}
	for in, want := range map[string]string{
		`{"type": "strin"}`:                                                        `{}`,
		`{"type": ["string", "null", "null"]}`:                                     `{"type":["string","null"]}`,
		`{"required": true, "type": "object"}`:                                     `{"type":"object"}`,
		`{"required": ["a", "a", 1]}`:                                              `{"required":["a"]}`,
		`{"minimum": "5", "maxLength": -1, "x-a": 1}`:                              `{}`,
		`{"multipleOf": 0, "maxLength": 1.5}`:                                      `{}`,
		`{"enum": [], "example": 1, "nullable": true}`:                             `{}`,
		`{"pattern": "[a-", "format": 5}`:                                          `{}`,
		`{"pattern": "^(?=a)b"}`:                                                   `{"pattern":"^(?=a)b"}`,
		`{"$ref": "#/$defs/Gone"}`:                                                 `{}`,
		`{"$ref": "file:///etc/passwd"}`:                                           `{}`,
		`{"$ref": "#/$defs/Ok", "description": "**a**"}`:                           `{"$ref":"#/$defs/Ok","description":"a"}`,
		`{"items": [{"type": "string"}]}`:                                          `{"items":{}}`,
		`{"properties": {"a": true, "b": {"not": {}}}}`:                            `{"properties":{"a":true,"b":false}}`,
		`{"patternProperties": {"[": {}, "a": {}}, "additionalProperties": false}`: `{"patternProperties":{"a":{}}}`,
		`{"properties": [1]}`:                                                      `{}`,
		`{"not": {"pattern": "["}}`:                                                `{}`,
		`{"oneOf": [{"pattern": "["}, {"type": "null"}]}`:                          `{"anyOf":[{},{"type":"null"}]}`,
		`{"oneOf": [{"type": "null"}, {"type": "array"}]}`:                         `{"oneOf":[{"type":"null"},{"type":"array"}]}`,
		`{"properties": {"a": {"readOnly": true}, "b": {"$ref": "#/$defs/Only in answers"}, "c": {}}, "required": ["a", "c"]}`: `{"properties":{"c":{}},"required":["c"]}`,
	} {
		var schema map[string]any
		decoder := json.NewDecoder(strings.NewReader(in))
		decoder.UseNumber()
		if err := decoder.Decode(&schema); err != nil {
			t.Fatal(err)
		}
		defs := newDefinitions(document)
		got, err := json.Marshal(defs.cleaned(schema))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
		if _, err := defs.compile(defs.cleaned(schema)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestPortable(t *testing.T) {
	for pattern, want := range map[string]bool{
		`^[a-z]{1,3}$`: true, `a\.b\/c`: true, `[\w\-.]+`: true, `(?:a|b)`: true, `\{x\}`: true, ``: true,
		`(?!a)`: false, `(?i)a`: false, `(?P<n>a)`: false, `\Aa\z`: false, `\p{L}`: false, `[[:alpha:]]`: false,
		`a\-b`: false, `{`: false, `a}`: false, `]`: false, `[]a]`: false, `[^]a]`: false, `é`: false, `\u0041`: false,
		`\@`: false, `a{,3}`: false, `[`: false, `\x41`: false,
	} {
		if portable(pattern) != want {
			t.Errorf("%s: %v", pattern, !want)
		}
	}
}

// FuzzLowering holds that lowering only widens: what a schema of a document accepts, the cleaned one accepts, and what
// that accepts, the one that clients see accepts, however much it is shortened.
func FuzzLowering(f *testing.F) {
	for _, schema := range []string{
		`{"type": "object", "properties": {"a": {"type": "string", "pattern": "^(?!x)"}}, "required": ["a"]}`,
		`{"$ref": "#/$defs/A", "$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}, "maxItems": 2}}}`,
		`{"oneOf": [{"type": "string", "pattern": "["}, {"type": "string"}], "not": {"const": 1}}`,
		`{"properties": {"a": {"$ref": "#/$defs/A", "maxProperties": 3}, "b": {"$ref": "#/$defs/B", "description": "b"}},
			"$defs": {"A": {"allOf": [{"$ref": "#/$defs/B"}]}, "B": {"type": ["object", "null"], "title": "a"}}}`,
		`{"patternProperties": {"^a": {"type": "integer"}, "[": false}, "additionalProperties": false}`,
		`{"anyOf": [{"minimum": 3}, {"type": "null"}], "oneOf": [true, false], "if": {"pattern": "("}, "then": false}`,
		`{"type": "object", "properties": {"a": {"properties": {"b": {"properties": {"c": {"enum": [1, 2]}}}}}},
			"dependentRequired": {"a": ["b"]}, "unevaluatedProperties": false, "minProperties": 1}`,
	} {
		for _, value := range []string{`{"a": "b"}`, `[[], []]`, `"x"`, `null`, `4`, `{"a": {"b": {"c": 1}}}`} {
			f.Add([]byte(schema), []byte(value))
		}
	}
	f.Fuzz(func(t *testing.T, schemaText, valueText []byte) {
		for _, avoid := range []string{"readOnly", "$id", "$anchor", "$dynamic", "$schema", "$recursive", "$vocabulary", `\u`} {
			if bytes.Contains(schemaText, []byte(avoid)) {
				t.Skip("speaks of more than constraints")
			}
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
		root, ok := schema.(map[string]any)
		if err != nil || !ok {
			t.Skip()
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(valueText))
		if err != nil || outOfBounds(value) || outOfBounds(schema) {
			t.Skip()
		}
		document := &specs.Document{Defs: map[string]specs.Schema{}}
		named, _ := root["$defs"].(map[string]any)
		for name, definition := range named {
			if definition, ok := definition.(map[string]any); ok {
				document.Defs[name] = definition
			}
		}
		defs := newDefinitions(document)
		cleaned := defs.cleaned(root)
		whole, err := defs.compile(cleaned)
		if err != nil {
			t.Fatalf("cleaned, it does not compile: %v", err)
		}
		if original, err := compileAsIs(root); err == nil && original.Validate(value) == nil && whole.Validate(value) != nil {
			t.Fatalf("the cleaned schema refuses what the document's accepts")
		}
		if whole.Validate(value) != nil {
			return
		}
		for _, l := range levels {
			shown, _, err := lower(defs, l, &inputs{arguments: []*argument{{name: "it", schema: cleaned}}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := VetSchema(shown); err != nil {
				t.Fatalf("%v\n%s", err, shown)
			}
			lowered, err := jsonschema.UnmarshalJSON(bytes.NewReader(shown))
			if err != nil {
				t.Fatal(err)
			}
			seen, err := compileAsIs(lowered)
			if err != nil {
				t.Fatal(err)
			}
			if err := seen.Validate(map[string]any{"it": value}); err != nil {
				t.Fatalf("what clients see refuses what the schema accepts: %v\n%s", err, shown)
			}
		}
	})
}

func compileAsIs(schema any) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(compilePattern)
	if err := compiler.AddResource("mem:///it", schema); err != nil {
		return nil, err
	}
	return compiler.Compile("mem:///it")
}
