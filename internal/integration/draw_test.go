package integration

import "strings"

// draw returns a value that a tool's schema allows, with required properties alone: enough for a request that a mock
// can judge. ok is false where the schema asks for more than this knows.
func draw(schema map[string]any, defs map[string]any, depth int) (value any, ok bool) {
	if depth > 8 {
		return nil, false
	}
	if ref, found := schema["$ref"].(string); found {
		target, known := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		if !known {
			return nil, false
		}
		return draw(target, defs, depth+1)
	}
	if _, narrowed := schema["pattern"]; narrowed {
		return nil, false
	}
	for _, key := range []string{"const", "default"} {
		if v, found := schema[key]; found && v != nil {
			return v, true
		}
	}
	if enum, _ := schema["enum"].([]any); len(enum) > 0 {
		return enum[0], true
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if branches, _ := schema[key].([]any); len(branches) > 0 {
			branch, _ := branches[0].(map[string]any)
			return draw(branch, defs, depth+1)
		}
	}
	if schema["allOf"] != nil {
		return nil, false
	}
	switch kind(schema) {
	case "string":
		return drawString(schema)
	case "integer", "number":
		if low, found := schema["minimum"].(float64); found {
			return low, true
		}
		return 1, true
	case "boolean":
		return true, true
	case "array":
		items, _ := schema["items"].(map[string]any)
		item, fine := draw(items, defs, depth+1)
		return []any{item}, fine
	case "object":
		return drawObject(schema, defs, depth)
	}
	return nil, false
}

// kind is the schema's type, the first where it has several.
func kind(schema map[string]any) string {
	if list, _ := schema["type"].([]any); len(list) > 0 {
		first, _ := list[0].(string)
		return first
	}
	one, _ := schema["type"].(string)
	return one
}

const uuid = "5d3c9d2e-3f0a-4a67-9a52-0f6c1d9f7a11"

func drawString(schema map[string]any) (any, bool) {
	switch format, _ := schema["format"].(string); format {
	case "date":
		return "2026-03-01", true
	case "date-time":
		return "2026-03-01T10:00:00Z", true
	case "email":
		return "ada@example.com", true
	case "uri", "url":
		return "https://example.com/a", true
	}
	low, _ := schema["minLength"].(float64)
	high, bounded := schema["maxLength"].(float64)
	// A UUID is a text like any other, and the one that is meant where a document's own example made its format doubtful.
	if low <= float64(len(uuid)) && (!bounded || high >= float64(len(uuid))) {
		return uuid, true
	}
	return strings.Repeat("a", int(max(low, 1))), true
}

func drawObject(schema, defs map[string]any, depth int) (any, bool) {
	object := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		property, _ := properties[name.(string)].(map[string]any)
		value, fine := draw(property, defs, depth+1)
		if !fine {
			return nil, false
		}
		object[name.(string)] = value
	}
	return object, true
}
