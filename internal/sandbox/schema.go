package sandbox

import (
	"maps"
	"slices"
	"strings"

	"mcpgate/specs"
)

// definitions are the named schemas of one document.
type definitions map[string]specs.Schema

// maxRefs bounds a chain of references, so that a circle ends.
const maxRefs = 16

// resolve follows references and merges allOf, and takes the first variant that is not null of oneOf and anyOf. What
// stands beside a reference wins. The second result is the name that the schema has in the document, or "".
func (d definitions) resolve(s specs.Schema) (specs.Schema, string) { return d.resolveBelow(s, nil) }

// resolveBelow resolves what is a part of the named schemas: one that is part of itself adds nothing the second time.
func (d definitions) resolveBelow(s specs.Schema, above []string) (specs.Schema, string) {
	name := ""
	for range maxRefs {
		ref, ok := s["$ref"].(string)
		if !ok {
			break
		}
		target := strings.TrimPrefix(ref, "#/$defs/")
		if name == "" {
			name = target
		}
		if slices.Contains(above, target) {
			return overlay(nil, s, "$ref"), name
		}
		above = append(slices.Clone(above), target)
		s = overlay(d[target], s, "$ref")
	}
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		parts := schemaList(s[key])
		if len(parts) == 0 {
			continue
		}
		rest := overlay(nil, s, key)
		if key != "allOf" {
			parts = []specs.Schema{firstVariant(parts)}
		}
		for _, part := range parts {
			resolved, partName := d.resolveBelow(part, above)
			if name == "" && len(parts) == 1 {
				name = partName
			}
			rest = merge(rest, resolved)
		}
		s = rest
	}
	return s, name
}

// overlay returns base with what over says on top, but for over's key without.
func overlay(base, over specs.Schema, without string) specs.Schema {
	out := maps.Clone(base)
	if out == nil {
		out = specs.Schema{}
	}
	for k, v := range over {
		if k != without {
			out[k] = v
		}
	}
	return out
}

// merge adds what part demands and describes to s.
func merge(s, part specs.Schema) specs.Schema {
	out := maps.Clone(s)
	for k, v := range part {
		switch k {
		case "properties":
			merged := maps.Clone(properties(part))
			maps.Copy(merged, properties(out))
			all := make(map[string]any, len(merged))
			for name, schema := range merged {
				all[name] = schema
			}
			out[k] = all
		case "required":
			all := append(slices.Clone(required(out)), required(part)...)
			list := make([]any, len(all))
			for i, name := range all {
				list[i] = name
			}
			out[k] = list
		default:
			if _, there := out[k]; !there {
				out[k] = v
			}
		}
	}
	return out
}

func firstVariant(parts []specs.Schema) specs.Schema {
	for _, part := range parts {
		if typeOf(part) != "null" {
			return part
		}
	}
	return parts[0]
}

func asSchema(v any) (specs.Schema, bool) {
	switch v := v.(type) {
	case specs.Schema:
		return v, v != nil
	case map[string]any:
		return v, v != nil
	}
	return nil, false
}

func schemaList(v any) []specs.Schema {
	list, _ := v.([]any)
	var out []specs.Schema
	for _, item := range list {
		if s, ok := asSchema(item); ok {
			out = append(out, s)
		}
	}
	return out
}

// properties returns the properties of a resolved schema.
func properties(s specs.Schema) map[string]specs.Schema {
	out := map[string]specs.Schema{}
	switch all := s["properties"].(type) {
	case map[string]any:
		for name, v := range all {
			if p, ok := asSchema(v); ok {
				out[name] = p
			}
		}
	case map[string]specs.Schema:
		maps.Copy(out, all)
	case specs.Schema:
		for name, v := range all {
			if p, ok := asSchema(v); ok {
				out[name] = p
			}
		}
	}
	return out
}

func required(s specs.Schema) []string {
	switch list := s["required"].(type) {
	case []string:
		return list
	case []any:
		var out []string
		for _, v := range list {
			if name, ok := v.(string); ok {
				out = append(out, name)
			}
		}
		return out
	}
	return nil
}

// types returns the JSON types that a resolved schema allows; nil where it does not say.
func types(s specs.Schema) []string {
	switch t := s["type"].(type) {
	case string:
		return []string{t}
	case []string:
		return t
	case []any:
		var out []string
		for _, v := range t {
			if name, ok := v.(string); ok {
				out = append(out, name)
			}
		}
		return out
	}
	return nil
}

// typeOf returns the one type that matters of a resolved schema, by its keywords where it names none.
func typeOf(s specs.Schema) string {
	for _, t := range types(s) {
		if t != "null" {
			return t
		}
	}
	switch {
	case len(types(s)) > 0:
		return "null"
	case s["properties"] != nil || s["additionalProperties"] != nil:
		return "object"
	case s["items"] != nil:
		return "array"
	}
	return ""
}

// items returns the schema of an array's items, resolved, and its name.
func (d definitions) items(s specs.Schema) (specs.Schema, string) {
	item, ok := asSchema(s["items"])
	if !ok {
		return specs.Schema{}, ""
	}
	return d.resolve(item)
}

func isReadOnly(s specs.Schema) bool { return s["readOnly"] == true }

// plain makes a name comparable: lower case, letters and digits alone.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)
}

// singular is the name of one of many: customers -> customer, companies -> company.
func singular(name string) string {
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, "ies") && len(name) > 4:
		return name[:len(name)-3] + "y"
	case strings.HasSuffix(lower, "sses"), strings.HasSuffix(lower, "xes"), strings.HasSuffix(lower, "ches"), strings.HasSuffix(lower, "shes"):
		return name[:len(name)-2]
	case strings.HasSuffix(lower, "ss"), strings.HasSuffix(lower, "us"), strings.HasSuffix(lower, "is"), len(name) < 3:
		return name
	case strings.HasSuffix(lower, "s"):
		return name[:len(name)-1]
	}
	return name
}
