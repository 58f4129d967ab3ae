package mapping

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"mcpgate/specs"
)

// object returns a JSON object whichever of its Go types it has.
func object(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, v != nil
	case specs.Schema:
		return v, v != nil
	}
	return nil, false
}

// isNever reports whether a schema is {"not": {}}, which nothing fits.
func isNever(schema map[string]any) bool {
	not, ok := object(schema["not"])
	return ok && len(not) == 0 && len(schema) == 1
}

// plain turns a value that YAML or JSON gave into one that encoding/json could have given with UseNumber.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = plain(item)
		}
		return out
	case specs.Schema:
		return plain(map[string]any(v))
	case map[any]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[fmt.Sprint(key)] = plain(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = plain(item)
		}
		return out
	case int:
		return json.Number(strconv.Itoa(v))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case nil, bool, string, json.Number:
		return v
	}
	return fmt.Sprint(v) // a YAML timestamp, say
}

func number(v any) (float64, bool) {
	n, ok := plain(v).(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// types reads the type keyword; names that JSON Schema does not know are left out.
func types(v any) (any, bool) {
	var out []any
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		name, _ := item.(string)
		if !slices.Contains(typeNames, name) {
			return nil, false // of a union with an unknown type, nothing is known
		}
		if !slices.Contains(out, any(name)) {
			out = append(out, name)
		}
	}
	if len(out) == 1 {
		return out[0], true
	}
	return out, len(out) > 0
}

// names reads a list of strings without repetitions.
func names(v any) (any, bool) {
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case []string:
		for _, s := range v {
			list = append(list, s)
		}
	default:
		return nil, false
	}
	out := make([]any, 0, len(list))
	for _, item := range list {
		if s, ok := item.(string); ok && !slices.Contains(out, any(s)) {
			out = append(out, s)
		}
	}
	return out, true
}

// nameList returns the strings of a cleaned list.
func nameList(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// sortedKeys returns a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
