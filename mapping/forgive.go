package mapping

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// lenient reads a string as JSON where the schema allows what it then is, and allows no string; and writes a number as
// a string where the schema allows nothing else.
func lenient(schema *jsonschema.Schema, value any) any {
	switch v := value.(type) {
	case string:
		if accepts(schema, "string") {
			return value
		}
		decoder := json.NewDecoder(strings.NewReader(v))
		decoder.UseNumber()
		var read any
		if err := decoder.Decode(&read); err != nil {
			return value
		}
		if _, err := decoder.Token(); err != io.EOF {
			return value
		}
		if accepts(schema, jsonType(read)) {
			return read
		}
	case json.Number:
		if types, known := acceptedTypes(schema, 0); known && slices.Equal(sortedKeys(types), []string{"string"}) {
			return v.String()
		}
	}
	return value
}

// outOfBounds reports whether a value has a number whose exponent alone would make it as long as a book: validators write
// such numbers out.
func outOfBounds(value any) bool {
	switch value := value.(type) {
	case json.Number:
		at := strings.IndexAny(string(value), "eE")
		if at < 0 {
			return false
		}
		exponent, err := strconv.Atoi(string(value[at+1:]))
		return err != nil || exponent > maxExponent || exponent < -maxExponent
	case []any:
		return slices.ContainsFunc(value, outOfBounds)
	case map[string]any:
		for _, item := range value {
			if outOfBounds(item) {
				return true
			}
		}
	}
	return false
}

// maxExponent is a little more than what a float64 has.
const maxExponent = 400

func jsonType(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

// accepts reports whether a schema has room for a type; in doubt it has.
func accepts(schema *jsonschema.Schema, name string) bool {
	types, known := acceptedTypes(schema, 0)
	return !known || types[name] || name == "number" && types["integer"]
}

// acceptedTypes returns the types that a schema has room for; false where it does not say.
func acceptedTypes(schema *jsonschema.Schema, depth int) (map[string]bool, bool) {
	if schema == nil || depth > maxDepth {
		return nil, false
	}
	var types map[string]bool
	narrow := func(others map[string]bool) {
		if types == nil {
			types = maps.Clone(others)
			return
		}
		maps.DeleteFunc(types, func(name string, _ bool) bool {
			return !others[name] && !(name == "integer" && others["number"])
		})
	}
	if schema.Types != nil {
		narrow(setOf(schema.Types.ToStrings()))
	}
	if schema.Enum != nil {
		narrow(schemaTypes(schema.Enum.Values))
	}
	if schema.Const != nil {
		narrow(schemaTypes([]any{*schema.Const}))
	}
	for _, part := range append(slices.Clone(schema.AllOf), schema.Ref) {
		if others, known := acceptedTypes(part, depth+1); known {
			narrow(others)
		}
	}
	for _, branches := range [][]*jsonschema.Schema{schema.AnyOf, schema.OneOf} {
		union, known := map[string]bool{}, len(branches) > 0
		for _, branch := range branches {
			others, ok := acceptedTypes(branch, depth+1)
			known = known && ok
			maps.Copy(union, others)
		}
		if known {
			narrow(union)
		}
	}
	return types, types != nil
}

func setOf(names []string) map[string]bool {
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

// schemaTypes are the types of values; a number among them may be an integer.
func schemaTypes(values []any) map[string]bool {
	out := map[string]bool{}
	for _, value := range values {
		name := jsonType(value)
		out[name] = true
		if name == "number" {
			out["integer"] = true
		}
	}
	return out
}
