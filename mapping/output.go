package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/specs"
)

// notAsPromised is said where an answer is not what the published schema says.
const notAsPromised = "This answer is not as the API's document describes it: here it is as a text that holds JSON."

// output is what a published schema promises of a tool's data.
type output struct{ data *jsonschema.Schema }

// outputLevels are how much of an answer's schema clients see, from the fullest on.
var outputLevels = []struct{ description, depth int }{{120, 12}, {60, 12}, {0, 12}, {0, 6}, {0, 4}, {0, 3}, {0, 2}, {0, 1}}

// envelope is the schema of a result on success and on failure, around that of its data.
const (
	envelopeHead = `{"type":"object","properties":{"ok":{"type":"boolean"},"status_code":{"type":"integer"},"data":`
	envelopeTail = `,"next":{"type":"string"},"note":{"type":"string"},` +
		`"truncated":{"type":"object","properties":{"kept":{"type":"integer"},"total":{"type":"integer"},"unit":{"type":"string"},"how_to_get_more":{"type":"string"}}},` +
		`"sandbox":{"type":"boolean"},` +
		`"errors":{"type":"array","items":{"type":"object","properties":{"code":{"type":"string"},"message":{"type":"string"},` +
		`"retryable":{"type":"boolean"},"retry_after":{"type":"integer"},"hint":{"type":"string"},"fields":{"type":"array","items":{"type":"object"}},` +
		`"upstream":{"type":"object"}},"required":["code","message"]}}},"required":["ok"]`
)

// compileOutput makes the schema of the tool's results, where response.output_schema asks for it.
func (t *Tool) compileOutput(p *plan) {
	wanted := p.entry.Response.OutputSchema
	if wanted == nil {
		wanted = p.upstream.Response.OutputSchema
	}
	if wanted == nil || !*wanted {
		return
	}
	schema := t.answerSchema()
	if t.selection != nil {
		schema = nil // what comes out is not the document's
	}
	var l answerView
	for i, level := range outputLevels {
		l = answerView{document: p.defs.document, description: level.description, depth: level.depth, names: map[string]string{}}
		data, defs := l.whole(schema)
		text := envelopeHead + compactJSON(data) + envelopeTail
		if len(defs) > 0 {
			text += `,"$defs":` + compactJSON(defs)
		}
		t.OutputSchema = json.RawMessage(text + "}")
		if len(t.OutputSchema) <= maxSchema || i == len(outputLevels)-1 {
			break
		}
	}
	if l.circular() || VetSchema(t.OutputSchema) != nil || len(t.OutputSchema) > 2*maxSchema { // what one document holds is never a reason to refuse the tool
		t.OutputSchema = json.RawMessage(envelopeHead + "{}" + envelopeTail + "}")
	}
	t.output = &output{data: compileData(t.OutputSchema)}
}

// answerSchema is the schema of the first success that is JSON, or XML, which comes as JSON; nil where the document has none.
func (t *Tool) answerSchema() specs.Schema {
	for _, readable := range []func(mediaType string) bool{isJSON, isXML} {
		for _, class := range []string{"2", "D"} { // D is default
			for _, r := range t.responses {
				if !strings.HasPrefix(strings.ToUpper(r.Status), class) {
					continue
				}
				for _, m := range r.Content {
					if readable(m.Type) && m.Schema != nil {
						return m.Schema
					}
				}
			}
		}
	}
	return nil
}

// compileData compiles the schema of data within an output schema; nil where it can't be.
func compileData(schema json.RawMessage) *jsonschema.Schema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil
	}
	const location = "mem:///output.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	if compiler.AddResource(location, document) != nil {
		return nil
	}
	out, err := compiler.Compile(location + "#/properties/data")
	if err != nil {
		return nil
	}
	return out
}

// keepPromise makes data fit the schema that was published for it, since clients refuse a result that does not: what
// strays too far becomes a text, which always fits.
func (t *Tool) keepPromise(result *Result) {
	if t.output == nil || t.output.data == nil || result.Data == nil {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(result.Data))
	if err == nil && t.output.data.Validate(value) == nil {
		return
	}
	data, cutAgain := t.cut([]byte(compactJSON(string(result.Data))), t.maxLength())
	result.Data, result.Note = data, strings.TrimSpace(result.Note+" "+notAsPromised)
	if result.Truncated == nil {
		result.Truncated = cutAgain
	}
}

// answerView copies a schema of answers so that an answer which strays a little from it still fits: null fits everywhere,
// and a text too, since that is what stands for a part that was cut; a scalar may be of another type, and a list an
// object, as some languages write an empty one. Nothing is required, and what narrows is left out.
type answerView struct {
	document           *specs.Document
	description, depth int
	names              map[string]string // of definitions, to those in $defs
	pending            []string
	defs               map[string]any
}

// Types that fit besides the documented one.
var (
	anyScalar    = []string{"string", "number", "boolean", "null"}
	anyContainer = []string{"object", "array", "string", "null"}
)

// whole returns the schema of the data, and the definitions that it needs.
func (l *answerView) whole(schema specs.Schema) (data map[string]any, defs map[string]any) {
	if schema == nil {
		return map[string]any{}, nil
	}
	data, defs = l.schema(map[string]any(schema), 0), map[string]any{}
	l.defs = defs
	for len(l.pending) > 0 {
		name := l.pending[0]
		l.pending = l.pending[1:]
		defs[l.names[name]] = l.schema(map[string]any(l.document.Defs[name]), 1)
	}
	return data, defs
}

func (l *answerView) schema(value any, depth int) map[string]any {
	in, ok := object(value)
	if !ok || depth > l.depth || isNever(in) {
		return map[string]any{}
	}
	if name, ok := (&cleaner{document: l.document}).definition(in["$ref"]); ok {
		if depth == l.depth {
			return map[string]any{}
		}
		return map[string]any{"$ref": reference + l.name(name)}
	}
	out := map[string]any{}
	if kinds := lenientTypes(in["type"]); kinds != nil {
		out["type"] = kinds
	}
	if text, ok := in["description"].(string); ok && l.description > 0 && depth > 0 {
		if text = cut(cleanText(text), l.description); text != "" {
			out["description"] = text
		}
	}
	if list, ok := plain(in["enum"]).([]any); ok && len(list) <= 20 && l.description > 0 {
		out["examples"] = list // the values that there were when the document was written
	}
	if all, ok := object(in["properties"]); ok {
		properties := map[string]any{}
		for _, name := range sortedKeys(all) {
			if property, _ := object(all[name]); property["writeOnly"] != true {
				properties[name] = l.schema(all[name], depth+1)
			}
		}
		out["properties"] = properties
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner := l.schema(in[key], depth+1); len(inner) > 0 {
			out[key] = inner
		}
	}
	l.branches(out, in, depth)
	return out
}

// branches copies what combines schemas. Where one of several is open, all are.
func (l *answerView) branches(out, in map[string]any, depth int) {
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := in[key].([]any)
		var all []any
		for _, item := range list {
			branch := l.schema(item, depth+1)
			if len(branch) == 0 && key != "allOf" {
				all = nil
				break
			}
			if len(branch) > 0 {
				all = append(all, branch)
			}
		}
		if len(all) == 0 {
			continue
		}
		if key == "oneOf" { // of lenient branches several fit
			key = "anyOf"
		}
		if out[key] == nil {
			out[key] = all
		}
	}
}

// circular reports a definition that is itself by definition, and not only of a part of itself: no validator comes to an
// end with it.
func (l *answerView) circular() bool {
	state := map[string]int{} // 1 being looked at, 2 done
	var visit func(schema any) bool
	visit = func(value any) bool {
		schema, _ := value.(map[string]any)
		if name, ok := definitionName(schema["$ref"]); ok {
			if state[name] == 0 {
				state[name] = 1
				if visit(l.defs[name]) {
					return true
				}
				state[name] = 2
			}
			return state[name] == 1
		}
		for _, key := range []string{"allOf", "anyOf"} {
			list, _ := schema[key].([]any)
			if slices.ContainsFunc(list, visit) {
				return true
			}
		}
		return false
	}
	for _, name := range sortedKeys(l.defs) {
		if visit(map[string]any{"$ref": reference + name}) {
			return true
		}
	}
	return false
}

// lenientTypes are the documented types with those that fit besides them; nil where anything fits.
func lenientTypes(value any) []any {
	documented, ok := types(value)
	if !ok {
		return nil
	}
	list, isList := documented.([]any)
	if !isList {
		list = []any{documented}
	}
	out := slices.Clone(list)
	for _, kind := range list {
		besides := anyScalar
		if kind == "object" || kind == "array" {
			besides = anyContainer
		}
		for _, other := range besides {
			if !slices.Contains(out, any(other)) {
				out = append(out, other)
			}
		}
	}
	return out
}

// name returns a definition's name in $defs.
func (l *answerView) name(definition string) string {
	if name, ok := l.names[definition]; ok {
		return name
	}
	base := clean(definition, notArgumentRune)
	if base == "" {
		base = "schema"
	}
	name := base
	taken := func() bool {
		for _, other := range l.names {
			if other == name {
				return true
			}
		}
		return false
	}
	for i := 2; taken(); i++ {
		name = base + "_" + itoa(i)
	}
	l.names[definition] = name
	l.pending = append(l.pending, definition)
	return name
}
