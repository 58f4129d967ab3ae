package specs

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/dlclark/regexp2"
)

// maxExample bounds an example in a schema, in bytes: it is there to show a form, not to be data.
const maxExample = 512

func asError(err error, target **Error) bool { return errors.As(err, target) }

// validPattern reports whether Go or ECMAScript takes a pattern; a validator needs one of them.
func validPattern(pattern string) bool {
	if _, err := regexp.Compile(pattern); err == nil {
		return true
	}
	_, err := regexp2.Compile(pattern, regexp2.ECMAScript)
	return err == nil
}

func readPattern(r *reader, n *node) (any, bool) {
	pattern := r.text(n)
	if pattern != "" && !validPattern(pattern) {
		r.warn(n, "%.100q is no regular expression; left out", pattern)
		return nil, false
	}
	return pattern, pattern != ""
}

// types are what a schema's type may be, and what some authors write instead.
var types = map[string]string{
	"string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "array": "array",
	"object": "object", "null": "null", "file": "string",
	"int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number", "double": "number",
	"decimal": "number", "bool": "boolean", "str": "string", "date": "string", "datetime": "string", "date-time": "string",
	"uuid": "string", "list": "array", "map": "object",
}

// readType returns a type's name, or a list of them.
func readType(r *reader, n *node) (any, bool) {
	var names []any
	for _, item := range r.typeNodes(n) {
		name, known := types[strings.ToLower(item.scalar())]
		if item.kind == null {
			name, known = "null", true
		}
		if !known {
			r.warn(item, "%.60q is no type of JSON Schema; any is taken", item.scalar())
			return nil, false
		}
		if name != item.text && item.text != "file" && item.kind != null {
			r.warn(item, "%.60q is no type of JSON Schema; read as %q", item.text, name)
		}
		if !slices.Contains(names, any(name)) {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return nil, false
	case 1:
		return names[0], true
	}
	return names, true
}

func (r *reader) typeNodes(n *node) []*node {
	if n.kind == array {
		return n.items
	}
	return []*node{n}
}

// typeNames returns a converted schema's types, nil for any.
func typeNames(s map[string]any) []any {
	switch t := s["type"].(type) {
	case string:
		return []any{t}
	case []any:
		return t
	}
	return nil
}

// readEnum keeps a list of values; an empty one would refuse everything and is meant by nobody.
func readEnum(r *reader, n *node) (any, bool) {
	if n.kind != array {
		r.warn(n, "a list of values belongs here, not %s; left out", n.kind)
		return nil, false
	}
	return n.value(), len(n.items) > 0
}

// readExamples takes 3.1's list; the object of examples that belongs beside a schema is taken for what it means.
func readExamples(_ *reader, n *node) (any, bool) {
	for _, item := range n.items {
		if n.kind == object && item.get("value") != nil {
			item = item.get("value")
		}
		if item.size(maxExample) <= maxExample {
			return []any{item.value()}, true
		}
	}
	return nil, false
}

// modernize writes what older versions say otherwise, n being the schema that s was made of.
func (r *reader) modernize(n *node, s map[string]any) {
	if n.get("type").scalar() == "file" && s["format"] == nil {
		s["format"] = "binary"
	}
	exclusive(n, s, "minimum", "exclusiveMinimum")
	exclusive(n, s, "maximum", "exclusiveMaximum")
	if example := n.get("example"); example != nil && s["examples"] == nil && example.kind != null && example.size(maxExample) <= maxExample {
		s["examples"] = []any{example.value()}
	}
	if m, ok := s["multipleOf"].(json.Number); ok {
		if f, err := m.Float64(); err != nil || f <= 0 {
			r.warn(n, "multipleOf should be above 0; left out")
			delete(s, "multipleOf")
		}
	}
	r.discriminate(n, s)
	r.requireProperties(n, s)
	r.fitValues(n, s)
	if n.get("nullable").isTrue() || n.get("x-nullable").isTrue() {
		nullable(s)
	}
}

// exclusive turns 3.0's {"minimum": 1, "exclusiveMinimum": true} into {"exclusiveMinimum": 1}.
func exclusive(n *node, s map[string]any, bound, keyword string) {
	if flag := n.get(keyword); flag == nil || flag.kind != boolean || !flag.isTrue() || s[bound] == nil {
		return
	}
	s[keyword] = s[bound]
	delete(s, bound)
}

// requireProperties moves `required: true`, which authors put on a property, to the list where it belongs.
func (r *reader) requireProperties(n *node, s map[string]any) {
	properties := n.get("properties")
	if properties == nil || s["properties"] == nil {
		return
	}
	required, _ := s["required"].([]any)
	for i, name := range properties.keys {
		flag := properties.items[i].get("required")
		if flag == nil || flag.kind != boolean {
			continue
		}
		r.warn(flag, "required on a property belongs into the object's list of required properties; read so")
		if flag.isTrue() && !slices.Contains(required, any(name)) {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		s["required"] = required
	}
}

// fitValues mends values of enum and default that YAML read as another type than the schema's: `enum: [1, 2]` of a
// string, a default of "10" for an integer. A default that does not fit is dropped, since it would be sent.
func (r *reader) fitValues(n *node, s map[string]any) {
	allowed := typeNames(s)
	if values, ok := s["enum"].([]any); ok && len(allowed) > 0 {
		fitted := make([]any, len(values))
		for i, v := range values {
			fitted[i], _ = fit(v, allowed) // what fits nothing can't be meant by anybody, and harms nobody
		}
		s["enum"] = fitted
	}
	v, ok := s["default"]
	if !ok {
		return
	}
	fitted, ok := fit(v, allowed)
	switch {
	case ok:
		s["default"] = fitted
	case v == nil:
		delete(s, "default") // "no default", as many generators write it
	default:
		r.warn(n.get("default"), "the default is not of the type %v; left out", s["type"])
		delete(s, "default")
	}
}

// fit returns v as one of the types, and whether it is one. No types allow anything.
func fit(v any, types []any) (any, bool) {
	is := func(name string) bool { return slices.Contains(types, any(name)) }
	if len(types) == 0 {
		return v, true
	}
	switch t := v.(type) {
	case nil:
		return v, is("null")
	case bool:
		if !is("boolean") && is("string") {
			return map[bool]string{true: "true", false: "false"}[t], true
		}
		return v, is("boolean")
	case json.Number:
		f, err := t.Float64()
		whole := err == nil && f == math.Trunc(f)
		if is("number") || is("integer") && whole {
			return v, true
		}
		return t.String(), is("string")
	case string:
		if is("string") {
			return v, true
		}
		if (t == "true" || t == "false") && is("boolean") {
			return t == "true", true
		}
		if (is("integer") || is("number")) && isDigit(t) && json.Valid([]byte(t)) && !exponent.MatchString(t) &&
			(is("number") || !strings.Contains(t, ".")) {
			return json.Number(t), true
		}
		return v, false
	case []any:
		return v, is("array")
	}
	return v, is("object")
}

// nullable lets null in, which 3.0 says with a keyword of its own.
func nullable(s map[string]any) {
	for _, keyword := range []string{"$ref", "allOf", "anyOf", "oneOf", "not", "const", "if"} {
		if _, combined := s[keyword]; !combined {
			continue
		}
		inner := map[string]any{}
		for key, v := range s {
			if !annotation[key] {
				inner[key] = v
				delete(s, key)
			}
		}
		s["anyOf"] = []any{inner, map[string]any{"type": "null"}}
		return
	}
	if allowed := typeNames(s); len(allowed) > 0 && !slices.Contains(allowed, any("null")) {
		s["type"] = append(slices.Clone(allowed), "null")
	}
	if values, ok := s["enum"].([]any); ok && !slices.Contains(values, nil) {
		s["enum"] = append(slices.Clone(values), nil)
	}
}
