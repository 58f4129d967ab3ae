package specs

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
)

const refPrefix = "#/$defs/"

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// schemaOf converts the schema at n, nil for none. The same node gives the same Schema: nobody may change it.
func (r *reader) schemaOf(n *node) Schema {
	if n == nil {
		return nil
	}
	if s, ok := r.schemas[n]; ok {
		return s
	}
	s := Schema(r.schema(n))
	r.schemas[n] = s
	return s
}

// schema converts one schema of any version to JSON Schema 2020-12.
func (r *reader) schema(n *node) map[string]any {
	switch n.kind {
	case boolean:
		if n.text == "true" {
			return map[string]any{}
		}
		return map[string]any{"not": map[string]any{}}
	case object:
	default:
		r.warn(n, "a schema belongs here, not %s; anything is taken", n.kind)
		return map[string]any{}
	}
	for _, key := range []string{"$ref", "$dynamicRef", "$recursiveRef"} { // statically, the dynamic ones are plain
		if ref := n.get(key); ref != nil {
			return r.schemaRef(n, ref)
		}
	}
	if inner := n.get("schema"); inner != nil && inner.kind == object && n.get("type") == nil && n.get("properties") == nil {
		r.warn(n, "a schema belongs here, not a parameter or a body; its schema is taken")
		return r.schema(inner)
	}
	s := map[string]any{}
	for i, key := range n.keys {
		if convert, ok := keywords[key]; ok {
			if v, ok := convert(r, n.items[i]); ok {
				s[key] = v
			}
		}
	}
	r.modernize(n, s)
	return s
}

// schemaRef converts {"$ref": ...}. In 3.1 its siblings hold too; before, only what annotates is kept of them.
func (r *reader) schemaRef(n, ref *node) map[string]any {
	s := map[string]any{}
	for i, key := range n.keys {
		if key == "$ref" || r.dialect != openapi31 && !annotation[key] {
			continue
		}
		if convert, ok := keywords[key]; ok {
			if v, ok := convert(r, n.items[i]); ok {
				s[key] = v
			}
		}
	}
	if ref.kind != text {
		r.warn(ref, "a $ref should be a text, not %s; anything is taken", ref.kind)
	} else if target, err := r.lookup(n, ref.text); err != nil {
		r.danglingSchema(err)
	} else if target.kind != object && target.kind != boolean {
		r.warn(n, "the $ref %.200q leads to %s, not to a schema; anything is taken", ref.text, target.kind)
	} else {
		s["$ref"] = refPrefix + r.name(target, targetName(target))
	}
	r.modernize(n, s)
	return s
}

func (r *reader) danglingSchema(err error) {
	var failed *Error
	if errors.As(err, &failed) {
		r.note(Warning{Message: failed.Message + "; anything is taken in its place", Pos: failed.Pos})
	}
}

// annotation are the keywords that say something and demand nothing.
var annotation = map[string]bool{
	"title": true, "description": true, "default": true, "examples": true, "deprecated": true,
	"readOnly": true, "writeOnly": true, "xml": true,
}

// conversion reads one keyword's value, and says whether there is anything to keep.
type conversion func(*reader, *node) (any, bool)

// keywords are all that are kept of a schema; what is not here (discriminator, externalDocs, x-...) is dropped.
var keywords map[string]conversion

func init() { // schemas contain schemas: a plain initialisation would be a circle
	keywords = map[string]conversion{
		"title": readText, "description": readText, "format": readText, "pattern": readPattern,
		"contentEncoding": readText, "contentMediaType": readText,
		"type": readType, "enum": readEnum, "const": readAny, "default": readAny, "examples": readExamples,
		"xml": readXML, "deprecated": readFlag, "readOnly": readFlag, "writeOnly": readFlag, "uniqueItems": readFlag,
		"multipleOf": readNumber, "minimum": readNumber, "maximum": readNumber,
		"exclusiveMinimum": readBound, "exclusiveMaximum": readBound,
		"minLength": readCount, "maxLength": readCount, "minItems": readCount, "maxItems": readCount,
		"minProperties": readCount, "maxProperties": readCount, "minContains": readCount, "maxContains": readCount,
		"required": readRequired, "dependentRequired": readDependentRequired,
		"properties": readSchemas, "patternProperties": readPatternSchemas, "dependentSchemas": readSchemas,
		"additionalProperties": readOptional, "unevaluatedProperties": readOptional, "unevaluatedItems": readOptional,
		"items": readItems, "prefixItems": readList, "contains": readSchema, "propertyNames": readSchema, "contentSchema": readSchema,
		"allOf": readList, "anyOf": readChoices, "oneOf": readChoices, "not": readSchema,
		"if": readSchema, "then": readSchema, "else": readSchema,
	}
}

func readText(r *reader, n *node) (any, bool) {
	s := r.text(n)
	return s, s != ""
}

// readXML keeps the xml object: how XML bodies are written, and answers read.
// readXML keeps what xml has, which are texts and flags: a $ref among them would look like a schema's.
func readXML(r *reader, n *node) (any, bool) {
	m := map[string]any{}
	for _, e := range r.entries(n, "xml") {
		if e.value.kind == text || e.value.kind == boolean {
			m[e.key] = e.value.value()
		} else if e.value.kind != null {
			r.warn(e.value, "a text or a flag belongs here, not %s; left out", e.value.kind)
		}
	}
	delete(m, "$ref")
	return m, len(m) > 0
}

func readAny(_ *reader, n *node) (any, bool) { return n.value(), true }

func readFlag(r *reader, n *node) (any, bool) {
	if n.kind != boolean && n.kind != null {
		r.warn(n, "true or false belongs here, not %s", n.kind)
	}
	return true, n.isTrue()
}

func readSchema(r *reader, n *node) (any, bool) { return r.schema(n), true }

// readOptional keeps true and false as they are: everybody writes "additionalProperties": false.
func readOptional(r *reader, n *node) (any, bool) {
	switch n.kind {
	case boolean:
		return n.text == "true", true
	case object:
		return r.schema(n), true
	case null:
		return nil, false
	}
	r.warn(n, "a schema, true or false belongs here, not %s; left out", n.kind)
	return nil, false
}

func readSchemas(r *reader, n *node) (any, bool) {
	if n.kind != object {
		r.warn(n, "schemas by their names belong here, not %s; left out", n.kind)
		return nil, false
	}
	m := make(map[string]any, len(n.keys))
	for i, key := range n.keys {
		m[key] = r.schema(n.items[i])
	}
	return m, true
}

func readPatternSchemas(r *reader, n *node) (any, bool) {
	v, ok := readSchemas(r, n)
	if ok {
		for i, pattern := range n.keys {
			if !validPattern(pattern) {
				r.warn(n.items[i], "%.100q is no regular expression; left out", pattern)
				delete(v.(map[string]any), pattern)
			}
		}
	}
	return v, ok
}

func readList(r *reader, n *node) (any, bool) {
	if n.kind != array {
		r.warn(n, "a list of schemas belongs here, not %s; left out", n.kind)
		return nil, false
	}
	list := make([]any, len(n.items))
	for i, item := range n.items {
		list[i] = r.schema(item)
	}
	return list, len(list) > 0
}

// readChoices is readList for what one of is to hold. {"nullable": true} alone, which 3.0 calls meaningless, is there the
// choice of null; as anything it would make the others pointless.
func readChoices(r *reader, n *node) (any, bool) {
	v, ok := readList(r, n)
	if ok {
		for i, item := range n.items {
			if r.onlyNullable(item) {
				v.([]any)[i] = map[string]any{"type": "null"}
			}
		}
	}
	return v, ok
}

// onlyNullable reports whether a schema says nothing but that null is allowed.
func (r *reader) onlyNullable(n *node) bool {
	if !n.get("nullable").isTrue() && !n.get("x-nullable").isTrue() || n.ref() != "" {
		return false
	}
	for _, key := range n.keys {
		if _, says := keywords[key]; says && !annotation[key] {
			return false
		}
	}
	return true
}

// readItems takes the tuples of older drafts, which 2020-12 writes otherwise, as any of their schemas.
func readItems(r *reader, n *node) (any, bool) {
	switch {
	case n.kind == boolean:
		return n.text == "true", true
	case n.kind != array:
		return r.schema(n), true
	}
	r.warn(n, "items should be one schema, not a list; any of them is taken")
	list, ok := readList(r, n)
	if !ok {
		return nil, false
	}
	if schemas := list.([]any); len(schemas) == 1 {
		return schemas[0], true
	}
	return map[string]any{"anyOf": list}, true
}

// readNumber takes numbers, and texts that are numbers.
func readNumber(r *reader, n *node) (any, bool) {
	switch {
	case n.kind == number:
		return json.Number(n.text), true
	case n.kind == text && len(n.text) < 64 && json.Valid([]byte(n.text)) && isDigit(n.text):
		r.warn(n, "a number belongs here, not a text; read as one")
		return json.Number(n.text), !exponent.MatchString(n.text)
	case n.kind == null:
		return nil, false
	}
	r.warn(n, "a number belongs here, not %s; left out", n.kind)
	return nil, false
}

func isDigit(s string) bool { return s != "" && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') }

// readBound reads a numeric exclusive bound; modernize sees to the boolean one of 3.0.
func readBound(r *reader, n *node) (any, bool) {
	if n.kind == boolean {
		return nil, false
	}
	return readNumber(r, n)
}

// readCount takes whole numbers from 0; 10.0 is 10.
func readCount(r *reader, n *node) (any, bool) {
	v, ok := readNumber(r, n)
	if !ok {
		return nil, false
	}
	f, err := v.(json.Number).Float64()
	switch {
	case err != nil || f < 0 || f != math.Trunc(f):
		r.warn(n, "a whole number from 0 belongs here, not %.40s; left out", n.text)
		return nil, false
	case f > 1<<53:
		return nil, false // bounds nothing
	}
	whole, err := json.Marshal(int64(f))
	return json.Number(whole), err == nil
}

func readRequired(r *reader, n *node) (any, bool) {
	if n.kind == boolean || n.kind == null {
		return nil, false // of a property: its owner reads it
	}
	return r.propertyNames(n, "required")
}

func (r *reader) propertyNames(n *node, what string) (any, bool) {
	var names []any
	for _, item := range r.list(n, what) {
		switch {
		case item.kind != text:
			r.warn(item, "a property's name belongs here, not %s; left out", item.kind)
		case !slices.Contains(names, any(item.text)):
			names = append(names, item.text)
		}
	}
	return names, len(names) > 0
}

func readDependentRequired(r *reader, n *node) (any, bool) {
	m := map[string]any{}
	for _, e := range r.entries(n, "dependentRequired") {
		if names, ok := r.propertyNames(e.value, "dependentRequired"); ok {
			m[e.key] = names
		}
	}
	return m, len(m) > 0
}
