package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestMismatches(t *testing.T) {
	const shapes = `{"oneOf": [
		{"type": "object", "required": ["kind", "radius"], "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}},
		{"type": "object", "required": ["kind", "side"], "properties": {"kind": {"const": "square"}, "side": {"type": "number"}}},
		{"type": "null"}]}`
	for _, test := range []struct{ schema, value, want string }{
		{`{"type": ["string", "null"]}`, `1`, "arguments: must be null or a string, not a number"},
		{`{"anyOf": [{"type": "string"}, {"type": "null"}]}`, `1`, "arguments: must be a string or null, not a number"},
		{`{"anyOf": [{"enum": ["a", "b"]}, {"const": 1}]}`, `"c"`, `arguments: must be "a", "b" or 1`},
		{`{"oneOf": [{"type": "number"}, {"multipleOf": 2}]}`, `4`, "arguments: fits more than one of the alternatives; say more"},
		{`{"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}`, `{}`, "arguments: needs a, or b and c"},
		{shapes, `{"kind": "square", "radius": 1}`, "side: is required"},
		{shapes, `{"kind": "circle", "radius": "1"}`, "radius: must be a number, not a string"},
		{shapes, `[]`, "arguments: must be an object or null, not an array"},
		{`{"items": {"properties": {"a": {"maxLength": 1}}}}`, `[{}, {"a": "long"}]`, "1.a: must have at most 1 character, and has 4"},
		{`{"additionalProperties": false, "properties": {"a": {}}}`, `{"b": 1}`, "b: is not known here"},
		{`{"dependentRequired": {"a": ["b"]}, "minProperties": 2}`, `{"a": 1}`, "arguments: must have at least 2 fields, and has 1; arguments: a needs b beside it"},
		{`{"not": {"type": "string"}}`, `"a"`, "arguments: is not allowed here"},
		{`{"properties": {"a": false}}`, `{"a": 1}`, "a: is not allowed here"},
		{`{"exclusiveMinimum": 0.5, "multipleOf": 3}`, `0.5`, "arguments: must be more than 0.5; arguments: must be a multiple of 3"},
		{`{"minItems": 2, "uniqueItems": true}`, `[1]`, "arguments: must have at least 2 items, and has 1"},
		{`{"uniqueItems": true}`, `[1, 2, 1]`, "arguments: must not have an item twice, as those at 0 and 2"},
		{`{"contains": {"const": 1}}`, `[2]`, "arguments: must have an item of a kind that it has not"},
		{`{"propertyNames": {"maxLength": 1}}`, `{"long": 1}`, `arguments: "long" is no name for a field here`},
		{`{"enum": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22]}`, `0`,
			"arguments: must be one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 2 more"},
	} {
		raw, err := jsonschema.UnmarshalJSON(strings.NewReader(test.schema))
		if err != nil {
			t.Fatal(err)
		}
		schema, err := compileAsIs(raw)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(test.value))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range mismatches(schema.Validate(value)) {
			got = append(got, f.Path+": "+f.Message)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s of %s: %s", test.value, test.schema, diff)
		}
	}
}
