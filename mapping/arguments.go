package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/internal/fault"
)

// ParseArguments validates a call's arguments against the whole schema, puts defaults in, and returns them. A
// mismatch is a fault.Input that names each argument and what is allowed. raw may be empty.
//
// It forgives what models get wrong and nothing is lost by: null for an argument that may be left out, and a number,
// boolean, array or object that is written as a string where no string is allowed.
func (t *Tool) ParseArguments(raw json.RawMessage) (Arguments, error) {
	args, err := decodeArguments(raw)
	if err != nil {
		return nil, fault.New(fault.Input, "the arguments must be one JSON object: "+err.Error(), nil)
	}
	var fields []fault.Field
	for _, name := range sortedKeys(args) {
		schema, ok := t.arguments.Properties[name]
		switch {
		case !ok:
			fields = append(fields, t.unknown(name))
			delete(args, name)
		case args[name] == nil && !accepts(schema, "null"):
			delete(args, name)
		default:
			args[name] = lenient(schema, args[name])
			if outOfBounds(args[name]) {
				fields = append(fields, fault.Field{Path: name, Message: "has a number that is out of all bounds"})
				delete(args, name)
			}
		}
	}
	for name, value := range t.defaults {
		if _, said := args[name]; !said {
			args[name] = value
		}
	}
	if err := t.arguments.Validate(map[string]any(args)); err != nil {
		fields = append(fields, mismatches(err)...)
	}
	if len(fields) == 0 {
		fields = t.checkTogether(args)
	}
	if len(fields) > 0 {
		return nil, misfit(fields)
	}
	return args, nil
}

// checkTogether checks what a body's schema demands of its properties together, such as one of two.
func (t *Tool) checkTogether(args Arguments) []fault.Field {
	if t.together == nil {
		return nil
	}
	body := map[string]any{}
	for name, s := range t.parts {
		if value, ok := s.fill(args); ok {
			body[name] = value
		}
	}
	if len(body) == 0 && !t.template.body.required {
		return nil // there is no body
	}
	if err := t.together.Validate(body); err != nil {
		return mismatches(err)
	}
	return nil
}

// misfit is the fault for arguments that don't fit.
func misfit(fields []fault.Field) error {
	const most = 10
	more := ""
	if len(fields) > most {
		more = fmt.Sprintf("; and %d more", len(fields)-most)
		fields = fields[:most]
	}
	var lines []string
	for _, f := range fields {
		lines = append(lines, f.Path+": "+f.Message)
	}
	f := fault.New(fault.Input, "the arguments don't fit: "+strings.Join(lines, "; ")+more, nil)
	f.Fields = fields
	return f
}

// unknown is the mismatch of an argument that the tool does not have.
func (t *Tool) unknown(name string) fault.Field {
	message := "there is no such argument"
	if near := suggest(name, t.names); near != "" {
		return fault.Field{Path: name, Message: message + "; " + near}
	}
	if len(t.names) == 0 {
		return fault.Field{Path: name, Message: message + "; this tool takes none"}
	}
	return fault.Field{Path: name, Message: message + "; there are " + listed(t.names)}
}

// decodeArguments keeps numbers as they are written.
func decodeArguments(raw json.RawMessage) (Arguments, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return Arguments{}, nil
	}
	if raw[0] != '{' {
		return nil, errors.New("they begin with " + string(raw[:1]))
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var args Arguments
	if err := decoder.Decode(&args); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return args, nil
}

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
