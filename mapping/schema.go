package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compileInput makes the schema that ParseArguments validates with, and the one that clients see.
func (t *Tool) compileInput(d *definitions, in *inputs) error {
	whole, seen := map[string]any{}, map[string]any{}
	var required []any
	var order []string
	view := &view{definitions: d, names: map[string]string{}}
	for _, a := range in.arguments {
		if a.hidden || a.fixed {
			continue
		}
		whole[a.name] = a.schema
		seen[a.name] = view.argument(a)
		order = append(order, a.name)
		if a.required && !a.defaulted {
			required = append(required, a.name)
		}
	}
	t.names = order
	schema := map[string]any{"type": "object", "properties": whole, "additionalProperties": false}
	if required != nil {
		schema["required"] = required
	}
	var err error
	if t.arguments, err = d.compile(schema); err != nil {
		return err
	}
	if t.InputSchema, err = view.root(order, seen, required); err != nil {
		return err
	}
	return compilesAlone(t.InputSchema)
}

// view is how clients see the schemas of one tool: without what some of them can't read. It only widens.
type view struct {
	definitions *definitions
	names       map[string]string // of definitions, to those in $defs
	pending     []string
}

// argument is the schema of one argument, with its description.
func (v *view) argument(a *argument) map[string]any {
	schema := v.schema(a.schema, 0)
	out, ok := schema.(map[string]any)
	if !ok {
		out = asObject(schema)
	}
	if text := cut(cleanText(a.description), maxArgument); text != "" {
		out["description"] = text
	}
	if a.defaulted {
		out["default"] = a.value
	}
	return out
}

// Bounds of the descriptions inside a schema, in bytes.
const (
	maxArgument = 400
	maxNested   = 200
)

// schema lowers a cleaned schema.
func (v *view) schema(schema any, depth int) any {
	in, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	out := make(map[string]any, len(in))
	for _, key := range sortedKeys(in) {
		switch value := in[key]; key {
		case "title", "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems", "dependentSchemas",
			"dependentRequired", "contains", "minContains", "maxContains", "propertyNames", "patternProperties":
			// Few clients know these, and some refuse them: ParseArguments checks them.
		case "oneOf":
			// Of lowered branches several may match.
			if in["anyOf"] == nil {
				out["anyOf"] = v.list(value, depth)
			}
		case "description":
			limit := maxNested
			if depth == 0 {
				limit = maxArgument
			}
			if text := cut(cleanText(value.(string)), limit); text != "" {
				out[key] = text
			}
		case "pattern":
			if portable(value.(string)) {
				out[key] = value
			}
		default:
			out[key] = v.value(key, value, depth)
		}
	}
	if in["patternProperties"] != nil && out["additionalProperties"] != nil {
		delete(out, "additionalProperties") // it spoke of the names that no pattern matches
	}
	return out
}

func (v *view) value(key string, value any, depth int) any {
	switch keywords[key] {
	case aReference:
		name, _ := definitionName(value)
		return reference + v.name(name)
	case aSchema:
		return v.schema(value, depth+1)
	case schemaList:
		return v.list(value, depth)
	case schemaMap:
		in := value.(map[string]any)
		out := make(map[string]any, len(in))
		for _, name := range sortedKeys(in) {
			out[name] = v.schema(in[name], depth+1)
		}
		return out
	}
	return value
}

func (v *view) list(value any, depth int) []any {
	list := value.([]any)
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = v.schema(item, depth+1)
	}
	return out
}

// name returns a definition's name in $defs, where it needs no escaping.
func (v *view) name(definition string) string {
	if name, ok := v.names[definition]; ok {
		return name
	}
	taken := map[string]bool{}
	for _, name := range v.names {
		taken[name] = true
	}
	base := clean(definition, notArgumentRune)
	if base == "" {
		base = "schema"
	}
	name := base
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	v.names[definition] = name
	v.pending = append(v.pending, definition)
	return name
}

// root writes the whole schema. The arguments stand in the order of the request, since models fill them in as they
// read them; everything else is sorted, so that the same document gives the same bytes.
func (v *view) root(order []string, properties map[string]any, required []any) (json.RawMessage, error) {
	defs := map[string]any{}
	for len(v.pending) > 0 {
		name := v.pending[0]
		v.pending = v.pending[1:]
		defs[v.names[name]] = v.schema(v.definitions.named(name), 1)
	}
	var b bytes.Buffer
	b.WriteString(`{"type":"object","properties":{`)
	for i, name := range order {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := member(&b, name, properties[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	for _, part := range []struct {
		key   string
		value any
		there bool
	}{{"required", required, required != nil}, {"$defs", defs, len(defs) > 0}, {"additionalProperties", false, true}} {
		if !part.there {
			continue
		}
		b.WriteByte(',')
		if err := member(&b, part.key, part.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// member writes `"name":value` without escaping HTML, which only costs bytes.
func member(b *bytes.Buffer, name string, value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(name); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1)
	out.WriteByte(':')
	if err := encoder.Encode(value); err != nil {
		return err
	}
	b.WriteString(strings.TrimSuffix(out.String(), "\n"))
	return nil
}

// compilesAlone makes sure that a client which compiles the schema can: mcp-go silently stops checking arguments where
// one does not, and others refuse every tool.
func compilesAlone(schema json.RawMessage) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	const url = "mcpgate:///input"
	if err := compiler.AddResource(url, doc); err != nil {
		return err
	}
	_, err = compiler.Compile(url)
	return err
}
