package mapping

import (
	"math"
	"slices"
	"strings"

	"mcpgate/specs"
)

// maxDepth bounds how deep one schema nests without a $ref; what lies deeper may be anything.
const maxDepth = 64

// keyword says what the value of a JSON Schema keyword has to be. A keyword of the document whose value is something
// else is left out, which only widens the schema; so is one that is not in the table.
type keyword int

const (
	aSchema keyword = iota + 1
	schemaList
	schemaMap
	patternMap
	aNumber
	aCount
	aText
	aFlag
	aPattern
	aReference
	someTypes
	someNames
	nameMap
	aList
	anything
)

var keywords = map[string]keyword{
	"$ref": aReference, "type": someTypes, "enum": aList, "const": anything, "default": anything,
	"title": aText, "description": aText, "format": aText, "deprecated": aFlag,
	"contentEncoding": aText, "contentMediaType": aText,
	"multipleOf": aNumber, "maximum": aNumber, "minimum": aNumber, "exclusiveMaximum": aNumber, "exclusiveMinimum": aNumber,
	"maxLength": aCount, "minLength": aCount, "pattern": aPattern,
	"maxItems": aCount, "minItems": aCount, "uniqueItems": aFlag, "maxContains": aCount, "minContains": aCount,
	"items": aSchema, "prefixItems": schemaList, "contains": aSchema, "unevaluatedItems": aSchema,
	"maxProperties": aCount, "minProperties": aCount, "required": someNames, "dependentRequired": nameMap,
	"properties": schemaMap, "patternProperties": patternMap, "additionalProperties": aSchema, "propertyNames": aSchema,
	"dependentSchemas": schemaMap, "unevaluatedProperties": aSchema,
	"allOf": schemaList, "anyOf": schemaList, "oneOf": schemaList, "not": aSchema,
	"if": aSchema, "then": aSchema, "else": aSchema,
}

var typeNames = []string{"null", "boolean", "number", "integer", "string", "array", "object"}

// cleaner copies schemas of a document into the form that the rest of this package reads: keywords of draft 2020-12
// with values that fit them, nothing that a request can't hold (readOnly), only references that lead somewhere.
type cleaner struct {
	document *specs.Document
	lost     int // constraints left out so far
}

// schema returns a map[string]any, or a bool.
func (c *cleaner) schema(value any, depth int) any {
	if always, ok := value.(bool); ok {
		return always
	}
	schema, ok := object(value)
	if !ok || depth > maxDepth {
		c.lost++
		return map[string]any{}
	}
	if isNever(schema) {
		return false
	}
	out := make(map[string]any, len(schema))
	for _, key := range sortedKeys(schema) {
		kind := keywords[key]
		if kind == 0 {
			continue
		}
		before := c.lost
		v, ok := c.value(kind, key, schema[key], depth)
		switch whole := c.lost == before; {
		case !ok:
			c.lost++
		case whole || key != "not" && key != "if" && key != "oneOf":
			out[key] = v
		case key == "oneOf" && schema["anyOf"] == nil:
			// Under these three a constraint that was left out makes the schema narrower, unless one of several
			// is as good as one alone.
			out["anyOf"] = v
		}
	}
	for _, key := range []string{"properties", "patternProperties"} {
		before, _ := object(schema[key])
		after, _ := out[key].(map[string]any)
		if schema[key] != nil && (len(before) != len(after) || out[key] == nil) {
			delete(out, "additionalProperties") // they speak of the names that are not there
			delete(out, "unevaluatedProperties")
		}
	}
	c.dropReadOnly(out, schema)
	if contradicted(out, schema) {
		delete(out, "format")
	}
	return out
}

// contradicted reports whether a document itself says that a format is not meant: lengths that a UUID can't have, or an
// example that is no date.
func contradicted(cleaned, original map[string]any) bool {
	name, _ := cleaned["format"].(string)
	format, checked := formats[name]
	if !checked {
		return false
	}
	example := format.wanted[strings.LastIndexByte(format.wanted, ' ')+1:]
	least, bounded := number(cleaned["minLength"])
	most, limited := number(cleaned["maxLength"])
	if bounded && least > float64(len(example)) && name != "email" && name != "uri" || limited && most < float64(len(example)) {
		return true
	}
	examples, _ := original["examples"].([]any)
	choices, _ := cleaned["enum"].([]any)
	return slices.ContainsFunc(slices.Concat(examples, choices, []any{cleaned["default"], cleaned["const"]}), func(value any) bool {
		text, ok := value.(string)
		return ok && text != "" && !format.fits(text)
	})
}

// value cleans a keyword's value; false where it is not what the keyword demands.
func (c *cleaner) value(kind keyword, key string, v any, depth int) (any, bool) {
	switch kind {
	case aSchema:
		return c.schema(v, depth+1), true
	case schemaList:
		list, ok := v.([]any)
		out := make([]any, 0, len(list))
		for _, item := range list {
			out = append(out, c.schema(item, depth+1))
		}
		return out, ok && len(out) > 0
	case schemaMap, patternMap:
		all, ok := object(v)
		out := make(map[string]any, len(all))
		for name, item := range all {
			if kind == schemaMap || compiles(name) {
				out[name] = c.schema(item, depth+1)
			}
		}
		return out, ok
	case aReference:
		name, ok := c.definition(v)
		return reference + name, ok
	case anything:
		return plain(v), true
	default:
		return scalar(kind, key, v)
	}
}

// scalar checks the keywords whose values hold no schema.
func scalar(kind keyword, key string, v any) (any, bool) {
	switch kind {
	case aNumber:
		f, ok := number(v)
		return v, ok && (key != "multipleOf" || f > 0)
	case aCount:
		f, ok := number(v)
		return v, ok && f >= 0 && f == math.Trunc(f)
	case aText:
		text, ok := v.(string)
		if key == "description" || key == "title" {
			text = cut(cleanText(text), levels[0].argument)
		}
		return text, ok
	case aFlag:
		_, ok := v.(bool)
		return v, ok
	case aPattern:
		s, ok := v.(string)
		return s, ok && compiles(s)
	case someTypes:
		return types(v)
	case someNames:
		return names(v)
	case nameMap:
		all, ok := object(v)
		out := make(map[string]any, len(all))
		for name, list := range all {
			if list, ok := names(list); ok {
				out[name] = list
			}
		}
		return out, ok
	case aList:
		list, ok := plain(v).([]any)
		return list, ok && len(list) > 0
	}
	return nil, false
}

// dropReadOnly takes the properties away that only an answer has.
func (c *cleaner) dropReadOnly(out, schema map[string]any) {
	properties, _ := out["properties"].(map[string]any)
	original, _ := object(schema["properties"])
	var dropped []any
	for name := range properties {
		if c.readOnly(original[name], 0) {
			delete(properties, name)
			dropped = append(dropped, name)
		}
	}
	required, _ := out["required"].([]any)
	kept := slices.DeleteFunc(slices.Clone(required), func(name any) bool { return slices.Contains(dropped, name) })
	if len(kept) != len(required) {
		out["required"] = kept
	}
}

func (c *cleaner) readOnly(value any, depth int) bool {
	schema, _ := object(value)
	if flag, ok := schema["readOnly"].(bool); ok {
		return flag
	}
	if name, ok := c.definition(schema["$ref"]); ok && depth < maxDepth {
		return c.readOnly(map[string]any(c.document.Defs[name]), depth+1)
	}
	return false
}

// definition returns the name of the definition that a $ref leads to, and whether there is one.
func (c *cleaner) definition(ref any) (string, bool) {
	s, _ := ref.(string)
	name, ok := strings.CutPrefix(s, reference)
	if !ok || c.document == nil {
		return "", false
	}
	if _, ok := c.document.Defs[name]; ok {
		return name, true
	}
	name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	_, ok = c.document.Defs[name]
	return name, ok
}

// reference is how a definition is referred to.
const reference = "#/$defs/"

// definitionName returns the name in a cleaned reference.
func definitionName(ref any) (string, bool) {
	s, _ := ref.(string)
	return strings.CutPrefix(s, reference)
}
