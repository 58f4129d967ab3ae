package mapping

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"mcpgate/config"
	"mcpgate/specs"
)

// override puts what gateway.yaml says of arguments on them.
func (c *compilation) override(p *plan, in *inputs) {
	in.assignNames() // so that body_name can be said where name alone is two arguments
	for _, key := range sortedKeys(p.entry.Arguments) {
		entry := p.entry.Arguments[key]
		path := p.path.Child("arguments", key)
		a := in.find(key)
		if a == nil {
			c.problem(path, suggest(key, in.wires()), "%s %s has no argument %q", p.op.Method, p.op.Path, key)
			continue
		}
		if entry != nil {
			c.change(path, p.defs, a, entry)
		}
	}
	in.checkNames(c, p)
}

// find returns an argument by its name on the wire, or where several share that, by the client's.
func (in *inputs) find(key string) *argument {
	var found []*argument
	for _, a := range in.arguments {
		if a.wire == key {
			found = append(found, a)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	for _, a := range in.arguments {
		if a.name == key {
			return a
		}
	}
	return nil
}

func (in *inputs) wires() []string {
	var out []string
	for _, a := range in.arguments {
		out = append(out, a.wire, a.name)
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// change puts one entry on its argument. A constraint takes the place of the document's.
func (c *compilation) change(path config.Path, d *definitions, a *argument, entry *config.Argument) {
	if entry.Name != "" {
		a.name, a.named = entry.Name, true
	}
	if entry.Description != "" {
		a.description = entry.Description
	}
	if entry.Required != nil {
		a.required = *entry.Required
	}
	constraints := map[string]any{}
	if len(entry.Enum) > 0 {
		constraints["enum"] = plain(entry.Enum)
	}
	if entry.Minimum != nil {
		constraints["minimum"] = plain(*entry.Minimum)
	}
	if entry.Maximum != nil {
		constraints["maximum"] = plain(*entry.Maximum)
	}
	if entry.Pattern != "" {
		if compiles(entry.Pattern) {
			constraints["pattern"] = entry.Pattern
		} else {
			c.problem(path.Child("pattern"), "", "%q is not a regular expression", entry.Pattern)
		}
	}
	if len(constraints) > 0 {
		a.schema = maps.Clone(d.follow(a.schema))
		maps.Copy(a.schema, constraints)
	}
	a.hidden = entry.Hide
	switch {
	case entry.Value != nil:
		a.value, a.fixed = plain(entry.Value), true
	case entry.Default != nil:
		a.value, a.defaulted = plain(entry.Default), true
	case entry.Hide && a.required:
		c.problem(path, "give it a value or a default", "a required argument can't be hidden")
	}
}

// checkNames makes sure that no new name is illegal or another's.
func (in *inputs) checkNames(c *compilation, p *plan) {
	taken := map[string]string{}
	for _, a := range in.arguments {
		if !a.named {
			continue
		}
		path := p.path.Child("arguments", a.wire, "name")
		if clean(a.name, notArgumentRune) != a.name || len(a.name) > maxName {
			c.problem(path, "use up to 64 letters, digits, _, . and -", "%q can't be the name of an argument", a.name)
		}
		if other, ok := taken[a.name]; ok {
			c.problem(path, "", "the argument %q is called %q too", other, a.name)
		}
		taken[a.name] = a.wire
	}
}

// checkValues makes sure that defaults and fixed values fit. A value from ${...} is text: it is read as what the argument
// takes.
func (c *compilation) checkValues(t *Tool, p *plan, in *inputs) {
	for _, a := range in.arguments {
		if !a.fixed && !a.defaulted {
			continue
		}
		schema, err := p.defs.compile(a.schema)
		if err != nil {
			c.problem(p.path.Child("arguments", a.wire), "", "its schema can't be used: %v", err)
			continue
		}
		value := lenient(schema, a.value)
		if err := schema.Validate(value); err != nil {
			key := "default"
			if a.fixed {
				key = "value"
			}
			c.problem(p.path.Child("arguments", a.wire, key), "", "%v is not a value of %q: %s", a.value, a.wire,
				firstMismatch(err))
			continue
		}
		if a.value = value; a.defaulted && !a.hidden {
			if t.defaults == nil {
				t.defaults = map[string]any{}
			}
			t.defaults[a.name] = value
		}
	}
}

// declared makes an operation of a tool that says its request itself.
func (c *compilation) declared(p *plan) *specs.Operation {
	method, path, ok := splitRequest(p.entry.Request)
	if !ok || !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions}, method) {
		c.problem(p.path.Child("request"), "write it as GET /path", "%q is not a request", p.entry.Request)
		return nil
	}
	op := &specs.Operation{ID: p.name, Method: method, Path: path}
	properties, required := map[string]any{}, []any{}
	for _, name := range sortedKeys(p.entry.Arguments) {
		a := p.entry.Arguments[name]
		if a == nil {
			a = &config.Argument{}
		}
		schema := declaredSchema(a)
		must := a.Required != nil && *a.Required
		switch a.In {
		case "path", "query", "header", "cookie":
			op.Parameters = append(op.Parameters, specs.Parameter{Name: name, In: a.In, Required: must, Schema: schema,
				Style: defaultStyle(a.In), Explode: a.In == "query" || a.In == "cookie"})
		case "body":
			properties[name] = map[string]any(schema)
			if must {
				required = append(required, name)
			}
		case "":
			if !slices.Contains(placeholder.FindAllString(path, -1), "{"+name+"}") {
				c.problem(p.path.Child("arguments", name), "add in: query", "nothing says where %q goes", name)
			} else {
				op.Parameters = append(op.Parameters, specs.Parameter{Name: name, In: "path", Required: true,
					Schema: schema, Style: "simple"})
			}
		default:
			c.problem(p.path.Child("arguments", name, "in"), "use path, query, header, cookie or body",
				"%q is no place for an argument", a.In)
		}
	}
	if len(properties) > 0 {
		schema := specs.Schema{"type": "object", "properties": properties, "required": required}
		op.Body = &specs.Body{Required: len(required) > 0 || p.entry.Body != nil, Content: []specs.Media{{
			Type: mediaType(p.entry.ContentType), Schema: schema}}}
	}
	return op
}

func declaredSchema(a *config.Argument) specs.Schema {
	schema := specs.Schema{"type": "string"}
	if a.Type != "" {
		schema["type"] = a.Type
	}
	if a.Format != "" {
		schema["format"] = a.Format
	}
	if a.Items != nil {
		schema["items"] = plain(a.Items)
	}
	if a.Description != "" {
		schema["description"] = a.Description
	}
	return schema
}

// defaultStyle is what OpenAPI says where a parameter has no style.
func defaultStyle(in string) string {
	if in == "query" || in == "cookie" {
		return "form"
	}
	return "simple"
}

// mediaType reads content_type, which has short names.
func mediaType(s string) string {
	switch s {
	case "", "json":
		return "application/json"
	case "form":
		return "application/x-www-form-urlencoded"
	case "multipart":
		return "multipart/form-data"
	}
	return s
}

func firstMismatch(err error) string {
	fields := mismatches(err)
	if len(fields) == 0 {
		return fmt.Sprint(err)
	}
	return fields[0].Message
}
