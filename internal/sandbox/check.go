package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"mcpgate/specs"
)

// checkParameters refuses a request without a parameter that the document demands, or with a value it doesn't know.
func (c *call) checkParameters() *problem {
	q := c.request.URL.Query()
	for _, parameter := range c.endpoint.op.Parameters {
		var v string
		switch parameter.In {
		case "query":
			if v = q.Get(parameter.Name); v == "" && hasDeep(q, parameter.Name) {
				continue
			}
		case "header":
			v = c.request.Header.Get(parameter.Name)
		default:
			continue
		}
		if v == "" {
			if parameter.Required {
				return &problem{
					status: 400, code: "MISSING_PARAMETER", field: parameter.Name,
					message: fmt.Sprintf("The %s %s is missing.", kindOf(parameter.In), parameter.Name),
				}
			}
			continue
		}
		schema, _ := c.endpoint.defs.resolve(parameter.Schema)
		if list, ok := schema["enum"].([]any); ok && !slices.ContainsFunc(list, func(allowed any) bool { return text(allowed) == v }) {
			return &problem{
				status: 400, code: "INVALID_PARAMETER", field: parameter.Name,
				message: fmt.Sprintf("The %s %s can't be %q; it is one of %s.", kindOf(parameter.In), parameter.Name, v, oneByOne(list)),
			}
		}
	}
	return nil
}

func kindOf(in string) string {
	if in == "header" {
		return "header"
	}
	return "parameter"
}

// hasDeep reports whether a parameter came as an object or a list: filter[name]=x.
func hasDeep(q map[string][]string, name string) bool {
	for key := range q {
		if strings.HasPrefix(key, name+"[") {
			return true
		}
	}
	return false
}

func oneByOne(list []any) string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = text(v)
	}
	return strings.Join(names, ", ")
}

// checkBody returns the body's fields, or what is wrong with them. What only the server writes is taken out.
func (c *call) checkBody(body any) (map[string]any, *problem) {
	schema := c.endpoint.bodySchema()
	if c.endpoint.many && typeOf(schema) == "array" {
		schema, _ = c.endpoint.defs.items(schema)
	}
	if body == nil {
		body = map[string]any{}
	}
	fields, ok := body.(map[string]any)
	if !ok {
		return nil, &problem{status: 400, code: "INVALID_BODY", message: "The body has to be an object, not " + jsonType(body) + "."}
	}
	fields = maps.Clone(fields)
	if key, inner, _ := c.endpoint.defs.wrapped(schema); key != "" && len(fields) == 1 {
		if unwrapped, ok := fields[key].(map[string]any); ok {
			fields, schema = maps.Clone(unwrapped), inner
		}
	}
	for name, property := range properties(schema) {
		if resolved, _ := c.endpoint.defs.resolve(property); isReadOnly(resolved) {
			delete(fields, name)
		}
	}
	if p := (checker{c.endpoint.defs, true}).check(schema, fields, "", 0); p != nil {
		return nil, p
	}
	copied, _ := clone(fields).(map[string]any)
	return copied, nil
}

// checker holds values to schemas. In what a client sends, a required property that only the server writes may be missing.
type checker struct {
	definitions
	sent bool
}

// check holds a value to a schema: required properties, types, enums and bounds. What combines schemas is not judged.
func (d checker) check(s specs.Schema, v any, path string, depth int) *problem {
	s, _ = d.resolve(s)
	if depth > 32 || s == nil {
		return nil
	}
	if v == nil {
		if all := types(s); len(all) > 0 && !slices.Contains(all, "null") && path != "" && depth > 0 && s["nullable"] != true {
			return &problem{status: 400, code: "INVALID_TYPE", field: path, message: fmt.Sprintf("The field %s can't be null; it is %s.", path, article(all))}
		}
		return nil
	}
	if p := checkType(s, v, path); p != nil {
		return p
	}
	if list, ok := s["enum"].([]any); ok && !slices.ContainsFunc(list, func(allowed any) bool { return text(allowed) == text(v) }) {
		return &problem{status: 400, code: "INVALID_VALUE", field: path, message: fmt.Sprintf("The field %s can't be %q; it is one of %s.", path, text(v), oneByOne(list))}
	}
	switch v := v.(type) {
	case string:
		return checkText(s, v, path)
	case json.Number:
		return checkBounds(s, v, path)
	case map[string]any:
		return d.checkObject(s, v, path, depth)
	case []any:
		if least, ok := number(s["minItems"]); ok && float64(len(v)) < least {
			return &problem{status: 400, code: "INVALID_VALUE", field: path, message: fmt.Sprintf("The field %s needs %v entries or more.", path, least)}
		}
		item, ok := asSchema(s["items"])
		if !ok {
			return nil
		}
		for i, inner := range v {
			if p := d.check(item, inner, fmt.Sprintf("%s[%d]", path, i), depth+1); p != nil {
				return p
			}
		}
	}
	return nil
}

func (d checker) checkObject(s specs.Schema, v map[string]any, path string, depth int) *problem {
	all := properties(s)
	for _, name := range required(s) {
		resolved, _ := d.resolve(all[name])
		if _, there := v[name]; !there && !(d.sent && isReadOnly(resolved)) {
			where := join(path, name)
			return &problem{status: 400, code: "REQUIRED_FIELD_MISSING", field: where, message: "The required field " + where + " is missing."}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		property, known := all[name]
		if !known {
			if s["additionalProperties"] == false {
				return &problem{status: 400, code: "UNKNOWN_FIELD", field: join(path, name), message: fmt.Sprintf("There is no field %s; there are %s.", join(path, name), strings.Join(slices.Sorted(maps.Keys(all)), ", "))}
			}
			continue
		}
		if p := d.check(property, v[name], join(path, name), depth+1); p != nil {
			return p
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func checkType(s specs.Schema, v any, path string) *problem {
	all := types(s)
	if len(all) == 0 {
		return nil
	}
	is := jsonType(v)
	for _, t := range all {
		if t == is || t == "number" && is == "integer" {
			return nil
		}
	}
	return &problem{status: 400, code: "INVALID_TYPE", field: path, message: fmt.Sprintf("The field %s has to be %s, not %s.", cmp.Or(path, "(the body)"), article(all), is)}
}

// formats are the formats that an API would refuse a wrong text for, and what such a text looks like.
var formats = map[string]struct {
	example string
	holds   func(string) bool
}{
	"date":      {"2026-01-31", func(v string) bool { _, err := time.Parse(time.DateOnly, v); return err == nil }},
	"date-time": {"2026-01-31T09:30:00Z", isTime},
	"email":     {"ada@example.com", func(v string) bool { _, err := mail.ParseAddress(v); return err == nil }},
	"uuid":      {"123e4567-e89b-42d3-a456-426614174000", isUUID},
}

// isTime takes what APIs write as a time, which is more than RFC 3339: without a zone, or with one without a colon.
func isTime(v string) bool {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", time.DateTime} {
		if _, err := time.Parse(layout, v); err == nil {
			return true
		}
	}
	return false
}

func checkText(s specs.Schema, v, path string) *problem {
	length := float64(utf8.RuneCountInString(v))
	if most, ok := number(s["maxLength"]); ok && length > most {
		return &problem{status: 400, code: "INVALID_VALUE", field: path, message: fmt.Sprintf("The field %s can have %v characters at most, and has %v.", path, most, length)}
	}
	if least, ok := number(s["minLength"]); ok && length < least {
		return &problem{status: 400, code: "INVALID_VALUE", field: path, message: fmt.Sprintf("The field %s needs %v characters or more.", path, least)}
	}
	name, _ := s["format"].(string)
	if format, ok := formats[name]; ok && !format.holds(v) {
		return &problem{status: 400, code: "INVALID_VALUE", field: path, message: fmt.Sprintf("The field %s has to be a %s such as %s, not %q.", path, name, format.example, v)}
	}
	return nil
}

func checkBounds(s specs.Schema, v json.Number, path string) *problem {
	x, err := v.Float64()
	if err != nil {
		return nil
	}
	for _, bound := range []struct {
		key    string
		broken func(limit float64) bool
	}{
		{"minimum", func(limit float64) bool { return x < limit }},
		{"exclusiveMinimum", func(limit float64) bool { return x <= limit }},
		{"maximum", func(limit float64) bool { return x > limit }},
		{"exclusiveMaximum", func(limit float64) bool { return x >= limit }},
	} {
		if limit, ok := number(s[bound.key]); ok && bound.broken(limit) {
			return &problem{status: 400, code: "INVALID_VALUE", field: path, message: fmt.Sprintf("The field %s can't be %s: its %s is %v.", path, v, bound.key, limit)}
		}
	}
	return nil
}

func article(all []string) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = "a " + t
		if strings.IndexAny(t, "aio") == 0 {
			names[i] = "an " + t
		}
		if t == "null" {
			names[i] = t
		}
	}
	return strings.Join(names, " or ")
}

func jsonType(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			f, err := v.Float64()
			if err == nil && f == float64(int64(f)) {
				return "integer"
			}
			return "number"
		}
		return "integer"
	}
	return "null"
}
