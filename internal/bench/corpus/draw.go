package main

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// drawer makes arguments out of a tool's own schema, always the same ones.
type drawer struct {
	defs map[string]any
	all  bool // every property, else the required ones alone
}

// deepest is how deep optional properties are drawn.
const deepest = 6

// draw returns arguments for a tool's input schema.
func draw(schema map[string]any, all bool) map[string]any {
	defs, _ := schema["$defs"].(map[string]any)
	d := drawer{defs: defs, all: all}
	args, _ := d.value(schema, 0).(map[string]any)
	if args == nil {
		args = map[string]any{}
	}
	return args
}

// value draws one. Examples come first: an author's example is the best there is.
func (d drawer) value(v any, depth int) any {
	s := d.flat(v, depth)
	enum := list(s["enum"])
	if constant, ok := s["const"]; ok && (len(enum) == 0 || slices.Contains(enum, constant)) {
		return constant
	}
	if len(enum) > 0 {
		for _, candidate := range enum {
			if candidate != nil && candidate != "" {
				return candidate
			}
		}
		return enum[0]
	}
	kind := typeOf(s)
	for _, candidate := range append(list(s["examples"]), s["default"]) {
		if candidate != nil && fits(s, kind, candidate) {
			return candidate
		}
	}
	switch kind {
	case "string":
		return text(s)
	case "integer", "number":
		return numberFor(s, kind)
	case "boolean":
		return true
	case "array":
		return d.array(s, depth)
	case "object":
		return d.object(s, depth)
	}
	return nil
}

// fits looks at what an example may easily get wrong.
func fits(s map[string]any, kind string, candidate any) bool {
	switch c := candidate.(type) {
	case string:
		n := float64(utf8.RuneCountInString(c))
		return kind == "string" && c != "" && s["pattern"] == nil && s["format"] == nil &&
			n >= bound(s, "minLength", 0) && n <= bound(s, "maxLength", math.Inf(1))
	case json.Number:
		f, err := c.Float64()
		return err == nil && (kind == "number" || kind == "integer" && f == math.Trunc(f)) &&
			f >= bound(s, "minimum", math.Inf(-1)) && f <= bound(s, "maximum", math.Inf(1))
	case bool:
		return kind == "boolean"
	}
	return false
}

// flat follows $ref and joins allOf and the first alternative that is not null into one schema.
func (d drawer) flat(v any, depth int) map[string]any {
	if v == false {
		return map[string]any{"not": map[string]any{}}
	}
	s, _ := v.(map[string]any)
	out := map[string]any{}
	for key, value := range s {
		out[key] = value
	}
	if depth > 40 {
		return out
	}
	if ref, ok := s["$ref"].(string); ok {
		d.join(out, d.flat(d.defs[strings.TrimPrefix(ref, "#/$defs/")], depth+1))
	}
	for _, part := range list(s["allOf"]) {
		d.join(out, d.flat(part, depth+1))
	}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		for _, part := range list(s[keyword]) {
			branch := d.flat(part, depth+1)
			if typeOf(branch) == "null" {
				continue
			}
			d.join(out, branch)
			break
		}
	}
	delete(out, "$ref")
	return out
}

// join adds what a part of a schema demands; of two bounds the first stays.
func (d drawer) join(out, part map[string]any) {
	for key, value := range part {
		switch key {
		case "properties":
			merged := map[string]any{}
			if p, ok := value.(map[string]any); ok {
				maps.Copy(merged, p)
			}
			if p, ok := out[key].(map[string]any); ok {
				for name, property := range p {
					if other, both := merged[name]; both {
						property = map[string]any{"allOf": []any{property, other}}
					}
					merged[name] = property
				}
			}
			out[key] = merged
		case "required":
			out[key] = append(slices.Clone(list(out[key])), list(value)...)
		case "$ref", "allOf", "anyOf", "oneOf":
		default:
			if _, said := out[key]; !said {
				out[key] = value
			}
		}
	}
}

func typeOf(s map[string]any) string {
	switch t := s["type"].(type) {
	case string:
		return t
	case []any:
		for _, name := range t {
			if name != "null" {
				text, _ := name.(string)
				return text
			}
		}
		return "null"
	}
	switch {
	case s["properties"] != nil || s["required"] != nil:
		return "object"
	case s["items"] != nil:
		return "array"
	case s["minimum"] != nil || s["maximum"] != nil:
		return "number"
	}
	return "string"
}

func (d drawer) array(s map[string]any, depth int) any {
	out := []any{}
	least := int(bound(s, "minItems", 0))
	if least == 0 && depth <= deepest && bound(s, "maxItems", 1) > 0 && !d.bare(s["items"], depth) {
		least = 1
	}
	prefix := list(s["prefixItems"])
	for i := range least {
		switch items := s["items"].(type) {
		case bool:
			if i >= len(prefix) {
				return out
			}
			out = append(out, d.value(prefix[i], depth+1))
		default:
			item := items
			if i < len(prefix) {
				item = prefix[i]
			}
			value := d.value(item, depth+1)
			if i > 0 && s["uniqueItems"] == true {
				value = another(d.flat(item, depth+1), value, i)
			}
			out = append(out, value)
		}
	}
	return out
}

// bare reports whether a schema says nothing of what it wants: a long schema is shortened for clients, and a model would
// leave out what it knows nothing of.
func (d drawer) bare(v any, depth int) bool {
	s := d.flat(v, depth+1)
	delete(s, "description")
	delete(s, "title")
	return len(s) == 0 || len(s) == 1 && s["type"] == "object"
}

// another is the i-th different value.
func another(s map[string]any, value any, i int) any {
	if enum := list(s["enum"]); i < len(enum) {
		return enum[i]
	}
	if pattern, ok := s["pattern"].(string); ok {
		for more := i; more < i+8; more++ {
			if t, ok := textFor(pattern, more); ok && t != value {
				return t
			}
		}
	}
	switch v := value.(type) {
	case string:
		return v + strconv.Itoa(i)
	case json.Number:
		f, _ := v.Float64()
		return json.Number(strconv.FormatFloat(f+float64(i), 'f', -1, 64))
	}
	return value
}

func (d drawer) object(s map[string]any, depth int) any {
	out := map[string]any{}
	properties, _ := s["properties"].(map[string]any)
	required := list(s["required"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		needed := slices.Contains(required, any(name))
		property := d.flat(properties[name], depth+1)
		forbidden, readOnly := property["not"] != nil && len(property) == 1, property["readOnly"] == true
		if forbidden || !needed && (readOnly || depth > 0 && d.bare(properties[name], depth)) {
			continue
		}
		if needed && depth < 30 || d.all && depth < deepest {
			out[name] = d.value(property, depth+1)
		}
	}
	for _, name := range required {
		if name, ok := name.(string); ok && out[name] == nil && properties[name] == nil {
			out[name] = d.value(s["additionalProperties"], depth+1)
		}
	}
	for i := len(out); float64(i) < bound(s, "minProperties", 0); i++ {
		out["key"+strconv.Itoa(i)] = d.value(s["additionalProperties"], depth+1)
	}
	return out
}

var formats = map[string]string{
	"date": "2026-01-31", "date-time": "2026-01-31T12:30:00Z", "time": "12:30:00Z", "duration": "P1D",
	"uuid": "123e4567-e89b-12d3-a456-426614174000", "email": "someone@example.com", "uri": "https://example.com/a",
	"url": "https://example.com/a", "uri-reference": "/a", "hostname": "example.com", "ipv4": "192.0.2.1",
	"ipv6": "2001:db8::1", "byte": "aGVsbG8=", "binary": "aGVsbG8=", "cidr": "192.0.2.0/24",
}

func text(s map[string]any) string {
	least, most := int(bound(s, "minLength", 0)), int(bound(s, "maxLength", math.MaxInt32))
	if pattern, ok := s["pattern"].(string); ok {
		for more := range 200 {
			if t, ok := textFor(pattern, more); ok && utf8.RuneCountInString(t) >= max(least, 1) {
				return t
			}
		}
	}
	if s["contentEncoding"] == "base64" {
		return formats["byte"]
	}
	format, _ := s["format"].(string)
	if t, ok := formats[format]; ok && len(t) <= most && len(t) >= least {
		return t
	}
	t := "a b/c?d=é%" // each of these has to be escaped somewhere
	if most < utf8.RuneCountInString(t) {
		t = strings.Repeat("x", min(most, max(least, 1)))
	}
	if missing := least - utf8.RuneCountInString(t); missing > 0 {
		t += strings.Repeat("x", missing)
	}
	return t
}

func numberFor(s map[string]any, kind string) json.Number {
	low, high := bound(s, "minimum", math.Inf(-1)), bound(s, "maximum", math.Inf(1))
	step := bound(s, "multipleOf", 1)
	above, below := bound(s, "exclusiveMinimum", math.Inf(-1)), bound(s, "exclusiveMaximum", math.Inf(1))
	value := math.Max(low, step)
	if value <= above {
		value = (math.Floor(above/step) + 1) * step
	}
	if low > math.Inf(-1) {
		value = math.Max(value, math.Ceil(low/step)*step)
	}
	if value > high || value >= below {
		value = math.Min(high, below)
		if value == below {
			value = math.Nextafter(below, math.Inf(-1))
			if kind == "integer" {
				value = math.Ceil(below) - 1
			}
		}
		if low > math.Inf(-1) && value < low {
			value = low
		}
	}
	if kind == "integer" {
		value = math.Trunc(value)
	}
	return json.Number(strconv.FormatFloat(value, 'f', -1, 64))
}

func bound(s map[string]any, key string, otherwise float64) float64 {
	if n, ok := s[key].(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	return otherwise
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
