package specs

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
)

// maxExample bounds an example in a schema, in bytes: it is there to show a form, not to be data.
const maxExample = 512

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
