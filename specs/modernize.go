package specs

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/dlclark/regexp2"
)

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
