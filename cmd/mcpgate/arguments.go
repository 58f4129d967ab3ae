package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"mcpgate/config"
)

// schemaNode is what typing a value needs of a JSON Schema.
type schemaNode struct {
	Ref        string                 `json:"$ref"`
	Type       json.RawMessage        `json:"type"` // a string or a list
	Properties map[string]*schemaNode `json:"properties"`
	Items      *schemaNode            `json:"items"`
	AnyOf      []*schemaNode          `json:"anyOf"`
	OneOf      []*schemaNode          `json:"oneOf"`
	AllOf      []*schemaNode          `json:"allOf"`
	Defs       map[string]*schemaNode `json:"$defs"`
}

// UnmarshalJSON takes true and false, which are schemas too, for a schema that says nothing.
func (n *schemaNode) UnmarshalJSON(data []byte) error {
	type plain schemaNode
	var decoded plain
	if err := json.Unmarshal(data, &decoded); err == nil {
		*n = schemaNode(decoded)
	}
	return nil
}

// parsePairs makes a call's arguments out of key=value and key:=json, typed by the tool's schema. A value that does
// not fit its type stays a string: the tool's own validation says what is allowed.
func parsePairs(schema json.RawMessage, pairs []string) (json.RawMessage, error) {
	var root schemaNode
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, err
	}
	typer := typer{defs: root.Defs}
	known := slices.Sorted(maps.Keys(root.Properties))
	texts := map[string][]string{}
	arguments := map[string]json.RawMessage{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" || key == ":" {
			return nil, usagef("%q is not an argument; write key=value, or key:=json", pair)
		}
		if raw, isRaw := strings.CutSuffix(key, ":"); isRaw && root.Properties[key] == nil {
			if !json.Valid([]byte(value)) {
				return nil, usagef("%s:= takes JSON, and %q is none; plain text is %s=%s", raw, value, raw, value)
			}
			key, arguments[raw] = raw, json.RawMessage(value)
		} else {
			texts[key] = append(texts[key], value)
		}
		if root.Properties[key] == nil {
			if near := config.Nearest(key, known); near != "" {
				return nil, usagef("the tool has no argument %q; did you mean %q?", key, near)
			}
			if len(known) == 0 {
				return nil, usagef("the tool takes no arguments, and so not %q", key)
			}
			return nil, usagef("the tool has no argument %q; it has: %s", key, strings.Join(known, ", "))
		}
	}
	for key, values := range texts {
		arguments[key] = typer.value(root.Properties[key], values)
	}
	return json.Marshal(arguments)
}

// typer writes texts as the JSON that a schema wants.
type typer struct{ defs map[string]*schemaNode }

// value writes one argument's texts: as a list where the schema has a list or the key was repeated.
func (t typer) value(node *schemaNode, texts []string) json.RawMessage {
	types := t.types(node, 0)
	isList := slices.Contains(types, "array") && !slices.Contains(types, "string")
	if len(texts) == 1 && !isList {
		return t.scalar(types, texts[0])
	}
	if text := strings.TrimSpace(texts[0]); len(texts) == 1 && strings.HasPrefix(text, "[") && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	itemTypes := t.types(t.items(node, 0), 0)
	items := make([]json.RawMessage, len(texts))
	for i, text := range texts {
		items[i] = t.scalar(itemTypes, text)
	}
	return marshal(items)
}

// scalar writes one text as the first of the types that it fits. What fits none is a string.
func (t typer) scalar(types []string, text string) json.RawMessage {
	if len(types) == 0 || slices.Contains(types, "string") {
		return marshal(text)
	}
	trimmed := strings.TrimSpace(text)
	if json.Valid([]byte(trimmed)) && slices.Contains(types, jsonType(trimmed)) {
		return json.RawMessage(trimmed)
	}
	return marshal(text)
}

// jsonType is the JSON Schema type of a valid JSON text; a number is an integer where it has neither point nor exponent.
func jsonType(text string) string {
	switch text[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	if strings.ContainsAny(text, ".eE") {
		return "number"
	}
	return "integer"
}

// maxDepth ends a chain of references that goes in a circle.
const maxDepth = 16

// types are the types that a schema allows, through references and combinators; none means that it does not say.
func (t typer) types(node *schemaNode, depth int) []string {
	if node == nil || depth > maxDepth {
		return nil
	}
	var types []string
	var one string
	if json.Unmarshal(node.Type, &one) == nil {
		types = []string{one}
	} else {
		_ = json.Unmarshal(node.Type, &types) // absent: the schema does not say
	}
	for _, next := range t.alternatives(node) {
		types = append(types, t.types(next, depth+1)...)
	}
	if slices.Contains(types, "number") {
		types = append(types, "integer")
	}
	return types
}

// items is the schema of a list's items.
func (t typer) items(node *schemaNode, depth int) *schemaNode {
	if node == nil || node.Items != nil || depth > maxDepth {
		if node == nil {
			return nil
		}
		return node.Items
	}
	for _, next := range t.alternatives(node) {
		if items := t.items(next, depth+1); items != nil {
			return items
		}
	}
	return nil
}

// alternatives are the schemas that a schema refers to.
func (t typer) alternatives(node *schemaNode) []*schemaNode {
	next := slices.Concat(node.AllOf, node.AnyOf, node.OneOf)
	if name, ok := strings.CutPrefix(node.Ref, "#/$defs/"); ok {
		next = append(next, t.defs[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)])
	}
	return next
}

// marshal writes v, which is made of strings and valid JSON only, so that it can't fail.
func marshal(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
