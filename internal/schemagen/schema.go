package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// object is a JSON object that keeps its order, so that the schema reads like the file.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(slices.Concat(key, []byte{':'}, value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal leaves <, > and & as they are: this JSON is for people, too.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSpace(b.Bytes()), err
}

const (
	durationPattern = `^(([0-9]{1,6}d)?([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))*)$`
	sizePattern     = `^[0-9]+ ?([kKmMgG]i?[bB]|[bB])?$`
	ratePattern     = `^[0-9]+/[smhd]$`
)

// schema writes the JSON Schema, draft 2020-12.
func (m *model) schema() ([]byte, error) {
	root := m.structs["Config"]
	out := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"title", "gateway.yaml"},
		{"description", "Which APIs mcpgate makes into tools, and how it serves them."},
	}
	out = append(out, m.structSchema(root)...)
	defs := object{{"variable", object{
		{"description", "A value that comes from a variable: ${NAME}, ${NAME:-default}, ${NAME:?message} or ${file:/path}."},
		{"type", "string"},
		{"pattern", `\$\{`},
	}}}
	for _, s := range m.inOrder()[1:] {
		defs = append(defs, member{s.name, append(object{{"description", s.doc}}, m.structSchema(s)...)})
	}
	out = append(out, member{"$defs", defs})
	data, err := marshal(out)
	if err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	err = json.Indent(&indented, data, "", "  ")
	indented.WriteByte('\n')
	return indented.Bytes(), err
}

// structSchema is an object with the keys of s and no others. Null says nothing, as a key whose lines are all comments.
func (m *model) structSchema(s *structure) object {
	var properties object
	for _, f := range s.fields {
		properties = append(properties, member{f.key, m.fieldSchema(s, f)})
	}
	return object{{"type", []string{"object", "null"}}, {"properties", properties}, {"additionalProperties", false}}
}

func (m *model) fieldSchema(s *structure, f field) object {
	description := f.doc
	if description == "" && m.structs[f.typ] != nil {
		description = m.structs[f.typ].doc
	}
	if description == "" {
		panic(fmt.Sprintf("%s.%s has no doc comment", s.name, f.name))
	}
	if !f.available() {
		return object{{"description", "Not available yet in this version. " + description}}
	}
	out := append(object{{"description", description}}, m.typeSchema(f)...)
	if value, ok := f.jsonDefault(); ok {
		out = append(out, member{"default", value})
	}
	return out
}

// typeSchema says which values a type takes. Wherever a value is not a string anyway, a variable may stand for it.
func (m *model) typeSchema(f field) object {
	orVariable := func(schema object) object {
		return object{{"anyOf", []any{schema, object{{"$ref", "#/$defs/variable"}}}}}
	}
	text := object{{"type", []string{"string", "number", "boolean"}}}
	switch f.typ {
	case "string":
		if f.enum != nil {
			return orVariable(object{{"enum", append(append([]string{}, f.enum...), f.later...)}})
		}
		return object{{"type", "string"}}
	case "Secret":
		return text
	case "bool":
		return orVariable(object{{"type", "boolean"}})
	case "int":
		return orVariable(object{{"type", "integer"}, {"minimum", 0}})
	case "float64":
		return orVariable(object{{"type", "number"}})
	case "Duration":
		return orVariable(object{{"type", "string"}, {"pattern", durationPattern}})
	case "Size":
		return orVariable(object{{"type", []string{"string", "integer"}}, {"pattern", sizePattern}, {"minimum", 0}})
	case "Rate":
		return orVariable(object{{"type", "string"}, {"pattern", ratePattern}})
	case "Strings":
		item := object{{"type", []string{"string", "integer"}}}
		return object{{"anyOf", []any{item, object{{"type", "array"}, {"items", item}}}}}
	case "any":
		return object{}
	}
	if strings.HasPrefix(f.typ, "[]") {
		return object{{"type", []string{"array", "null"}}, {"items", m.itemSchema(f)}}
	}
	if f.element() != "" {
		return object{{"type", []string{"object", "null"}}, {"additionalProperties", m.itemSchema(f)}}
	}
	return object{{"$ref", "#/$defs/" + f.typ}}
}

// itemSchema is the schema of a list's items or a map's values.
func (m *model) itemSchema(f field) object {
	if f.items != nil {
		return object{{"anyOf", []any{object{{"enum", f.items}}, object{{"$ref", "#/$defs/variable"}}}}}
	}
	return m.typeSchema(field{typ: f.element()})
}

// jsonDefault is the default as JSON has it.
func (f *field) jsonDefault() (any, bool) {
	if f.fallback == "" {
		return nil, false
	}
	if list, ok := strings.CutPrefix(f.fallback, "["); ok {
		var items []any
		for item := range strings.SplitSeq(strings.TrimSuffix(list, "]"), ", ") {
			items = append(items, scalar(item))
		}
		return items, true
	}
	if f.typ == "string" {
		return f.fallback, true
	}
	return scalar(f.fallback), true
}

// scalar is a number or boolean where the text is one, else the text.
func scalar(text string) any {
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		return value
	}
	return text
}

// inOrder are the structs as a reader of the file meets them, Config first.
func (m *model) inOrder() []*structure {
	var out []*structure
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		s := m.structs[name]
		if s == nil || seen[name] {
			return
		}
		seen[name] = true
		out = append(out, s)
		for _, f := range s.fields {
			if inner := f.element(); inner != "" {
				visit(inner)
			} else {
				visit(f.typ)
			}
		}
	}
	visit("Config")
	return out
}
