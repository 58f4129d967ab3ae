package main

import "strings"

// soften takes out of a document what kin-openapi refuses the whole of it for, so that the rest can be judged: tuples in
// items, references that lead nowhere or away, and the headers of answers, which no request is judged by.
func soften(tree map[string]any) {
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && !leads(tree, ref) {
				return map[string]any{}
			}
			if items, ok := v["items"].([]any); ok {
				v["items"] = map[string]any{}
				if len(items) > 0 {
					v["items"] = items[0]
				}
			}
			if _, answer := v["description"].(string); answer && v["headers"] != nil && v["properties"] == nil {
				delete(v, "headers")
			}
			for key, item := range v {
				v[key] = walk(item)
			}
		case []any:
			for i, item := range v {
				v[i] = walk(item)
			}
		}
		return v
	}
	walk(tree)
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// leads reports whether a reference leads to something in the document itself.
func leads(tree map[string]any, ref string) bool {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return false
	}
	var at any = tree
	for token := range strings.SplitSeq(pointer, "/") {
		owner, _ := at.(map[string]any)
		if at = owner[unescape.Replace(token)]; at == nil {
			return false
		}
	}
	return true
}
