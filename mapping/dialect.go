package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxSchema is how many bytes of schema one tool should cost; above it the schema that clients see is made shorter.
const maxSchema = 8 << 10

// level is how much of a schema clients see.
type level struct {
	argument, nested int  // bytes of the description of an argument, and of what lies deeper
	depth            int  // how deep schemas nest
	enum             int  // values of an enum below an argument
	optional         int  // bytes of the description of an argument that may be left out; -1 where it has no more than a type
	joined           bool // of alternatives, what they share is shown, and not each of them
}

// levels from the fullest on: long descriptions go first, then depth.
var levels = []level{
	{argument: 400, nested: 200, depth: maxDepth, enum: 500, optional: 400},
	{argument: 300, nested: 80, depth: maxDepth, enum: 100, optional: 300},
	{argument: 200, nested: 0, depth: maxDepth, enum: 50, optional: 200},
	{argument: 200, nested: 0, depth: 6, enum: 50, optional: 200},
	{argument: 200, nested: 0, depth: 4, enum: 20, optional: 200},
	{argument: 160, nested: 0, depth: 3, enum: 20, optional: 160},
	{argument: 120, nested: 0, depth: 2, enum: 20, optional: 120},
	{argument: 120, nested: 0, depth: 1, enum: 20, optional: 120},
	{argument: 120, nested: 0, depth: 1, enum: 20, optional: 40},
	{argument: 120, nested: 0, depth: 1, enum: 10, optional: 0},
	{argument: 120, nested: 0, depth: 1, enum: 10, optional: -1},
	{argument: 120, nested: 0, depth: 1, enum: 10, optional: -1, joined: true},
}

// shortened is said of a tool whose schema clients see without its depths.
const shortened = "Not all of the input is described here; nested fields that are not listed are accepted too, as the API documents them."

// view is how clients see the schemas of one tool: shorter, and without what some of them can't read. It only widens.
type view struct {
	definitions *definitions
	level       level
	names       map[string]string // of definitions, to those in $defs
	depths      map[string]int    // at which a definition is first referred to
	pending     []string
	stubs       bool // something was too deep to be shown

	// Definitions stand in their places instead, until budget schemas are written or one leads to itself.
	inline bool
	budget int
	within []string
	failed bool
}

// lower returns the schema that clients see, and whether something in it is too deep to be shown. Definitions stand in
// $defs, or in their places where that is no longer: some clients follow no reference.
func lower(d *definitions, l level, in *inputs, required []any) (json.RawMessage, bool, error) {
	v := &view{definitions: d, level: l, names: map[string]string{}, depths: map[string]int{}}
	text, err := v.write(in, required)
	if err != nil || len(v.names) == 0 {
		return text, v.stubs, err
	}
	const bytes = 8 // that a schema takes at least, on average
	flat := &view{definitions: d, level: l, inline: true, budget: len(text) / bytes}
	inlined, err := flat.write(in, required)
	if err != nil || flat.failed || len(inlined) > len(text) {
		return text, v.stubs, err
	}
	return inlined, flat.stubs, nil
}

// argument is the schema of one argument, with its description.
func (v *view) argument(a *argument) map[string]any {
	limit := v.level.argument
	if !a.required {
		limit = v.level.optional
	}
	if limit < 0 {
		return v.bare(a)
	}
	out := asObject(v.schema(a.schema, 0))
	text := a.text()
	switch {
	case a.slot.binary:
		text = strings.TrimSpace(sentence(text) + " The bytes in base64, or an object with data (base64) or text, and filename and media_type.")
	case a.schema["contentEncoding"] == "base64" && a.wire == "":
		text = strings.TrimSpace(sentence(text) + " The bytes, in base64.")
	}
	if text = cut(text, limit); text != "" {
		out["description"] = text
	}
	if a.defaulted {
		out["default"] = a.value
	}
	return out
}

// bare is the type of an argument and nothing else: a tool with hundreds of them has room for no more.
func (v *view) bare(a *argument) map[string]any {
	v.stubs = true
	out := map[string]any{}
	if kind, ok := v.definitions.follow(a.schema)["type"]; ok {
		out["type"] = kind
	}
	return out
}

// schema lowers a cleaned schema.
func (v *view) schema(schema any, depth int) any {
	in, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	if name, ok := definitionName(in["$ref"]); ok && v.inline && depth <= v.level.depth {
		return v.inPlace(name, in, depth)
	}
	if depth > v.level.depth && (in["properties"] != nil || in["$ref"] != nil) || depth > 2*v.level.depth {
		return v.stub(in, depth)
	}
	if v.inline {
		if v.budget--; v.budget < 0 {
			v.failed = true
			return map[string]any{}
		}
	}
	out := make(map[string]any, len(in))
	for _, key := range sortedKeys(in) {
		switch value := in[key]; key {
		case "title", "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems", "dependentSchemas",
			"dependentRequired", "contains", "minContains", "maxContains", "propertyNames", "patternProperties":
			// Few clients know these, and some refuse them: ParseArguments checks them.
		case "oneOf", "anyOf":
			v.alternatives(out, key, in, depth)
		case "description":
			if text := cut(value.(string), v.level.nested); text != "" && depth > 0 {
				out[key] = text
			}
		case "default":
			if small(value) {
				out[key] = value
			}
		case "enum":
			if list := value.([]any); depth == 0 && len(list) <= 2*v.level.enum || len(list) <= v.level.enum {
				out[key] = list
			}
		case "pattern":
			if portable(value.(string)) {
				out[key] = value
			}
		default:
			out[key] = v.value(key, value, depth)
		}
	}
	if in["patternProperties"] != nil {
		delete(out, "additionalProperties") // it speaks of the names that no pattern matches
	}
	return out
}

// inPlace lowers the definition that a reference leads to. What stands beside the reference holds as well.
func (v *view) inPlace(name string, in map[string]any, depth int) any {
	if v.budget--; v.budget < 0 || slices.Contains(v.within, name) {
		v.failed = true
		return map[string]any{}
	}
	v.within = append(v.within, name)
	target := v.schema(v.definitions.named(name), depth)
	v.within = v.within[:len(v.within)-1]
	beside := maps.Clone(in)
	delete(beside, "$ref")
	if len(beside) == 0 {
		return target
	}
	out := asObject(v.schema(beside, depth))
	if !onlyAnnotations(in) {
		all, _ := out["allOf"].([]any)
		out["allOf"] = append([]any{target}, all...)
		return out
	}
	merged := maps.Clone(asObject(target))
	maps.Copy(merged, out)
	return merged
}

// small reports whether a default is short enough to be worth its place.
func small(value any) bool {
	switch value := value.(type) {
	case string:
		return len(value) <= 100
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return true
}

// stubKeywords are what a stub keeps: a few bytes that save a refusal.
var stubKeywords = []string{"type", "format", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
	"minLength", "maxLength", "minItems", "maxItems", "contentEncoding"}

// stub stands in for a schema that lies too deep to be shown: its type, and what is short about it.
func (v *view) stub(in map[string]any, depth int) map[string]any {
	if name, ok := definitionName(in["$ref"]); ok {
		if known, ok := v.names[name]; ok {
			return map[string]any{"$ref": reference + known}
		}
	}
	v.stubs = true
	whole, out := v.definitions.follow(in), map[string]any{}
	for _, key := range stubKeywords {
		if key != "type" && key != "required" && v.level.depth <= 1 {
			continue // every byte counts
		}
		if value, ok := whole[key]; ok {
			out[key] = value
		}
	}
	if list, ok := whole["enum"].([]any); ok && len(list) <= 5 && v.level.depth > 1 {
		out["enum"] = list
	}
	parts, _ := whole["allOf"].([]any)
	for _, part := range parts {
		v.joinStub(out, part)
	}
	return out
}

// joinStub adds what a part of an allOf requires.
func (v *view) joinStub(out map[string]any, part any) {
	in, ok := part.(map[string]any)
	if !ok {
		return
	}
	whole := v.definitions.follow(in)
	if out["type"] == nil && whole["type"] != nil {
		out["type"] = whole["type"]
	}
	required, _ := out["required"].([]any)
	more, _ := whole["required"].([]any)
	for _, name := range more {
		if !slices.Contains(required, name) {
			required = append(slices.Clone(required), name)
		}
	}
	if len(required) > 0 {
		out["required"] = required
	}
}

func (v *view) value(key string, value any, depth int) any {
	switch keywords[key] {
	case aReference:
		name, _ := definitionName(value)
		return reference + v.name(name, depth)
	case aSchema:
		return v.schema(value, depth+1)
	case schemaList:
		return v.list(value, depth)
	case schemaMap:
		in := value.(map[string]any)
		out := make(map[string]any, len(in))
		for _, name := range sortedKeys(in) {
			if in[name] == false && key == "properties" {
				continue // it must not be there, which ParseArguments says
			}
			out[name] = v.schema(in[name], depth+1)
		}
		return out
	}
	return value
}

// list lowers the branches of a combinator, which are as deep as the schema itself.
func (v *view) list(value any, depth int) []any {
	list := value.([]any)
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = v.schema(item, max(depth, 1))
	}
	return out
}

// name returns a definition's name in $defs, where it needs no escaping.
func (v *view) name(definition string, depth int) string {
	if name, ok := v.names[definition]; ok {
		return name
	}
	taken := map[string]bool{}
	for _, name := range v.names {
		taken[name] = true
	}
	full := clean(definition, notArgumentRune)
	if full == "" {
		full = "schema"
	}
	// Of io.k8s.api.core.v1.Container the last word is enough, as long as no other ends in it.
	name := full[strings.LastIndexByte(full, '.')+1:]
	if name == "" || taken[name] {
		name = full
	}
	for i := 2; taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", full, i)
	}
	v.names[definition] = name
	v.depths[definition] = depth
	v.pending = append(v.pending, definition)
	return name
}

// write lowers the arguments, and the definitions that they need.
func (v *view) write(in *inputs, required []any) (json.RawMessage, error) {
	var order []string
	properties := map[string]any{}
	for _, a := range in.shown() {
		order = append(order, a.name)
		properties[a.name] = v.argument(a)
	}
	return v.root(order, properties, required)
}

// root writes the whole schema. The arguments stand in the order of the request, since models fill them in as they
// read them; everything else is sorted, so that the same document gives the same bytes.
func (v *view) root(order []string, properties map[string]any, required []any) (json.RawMessage, error) {
	defs := map[string]any{}
	for len(v.pending) > 0 {
		name := v.pending[0]
		v.pending = v.pending[1:]
		defs[v.names[name]] = v.schema(v.definitions.named(name), max(v.depths[name], 1))
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
	}{{"required", required, len(required) > 0}, {"$defs", defs, len(defs) > 0}, {"additionalProperties", false, true}} {
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
