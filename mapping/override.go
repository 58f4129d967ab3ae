package mapping

import (
	"cmp"
	"fmt"
	"maps"

	"mcpgate/config"
)

// override puts what gateway.yaml says of arguments on them.
func (c *compilation) override(p *plan, in *inputs) {
	in.takeDefaults(p.defs)
	in.assignNames() // so that body_name can be said where name alone is two arguments
	var inside []nested
	for _, key := range sortedKeys(p.entry.Arguments) {
		entry := p.entry.Arguments[key]
		path := p.path.Child("arguments", key)
		a, way := in.locate(p.defs, key)
		switch {
		case a == nil:
			c.problem(path, cmp.Or(in.nearestWay(p.defs, key), in.nearest(p.defs, key)), "%s %s has no argument %q",
				p.op.Method, p.op.Path, key)
		case entry == nil:
		case way != nil:
			inside = append(inside, nested{key, a, way})
		default:
			a.key = key
			c.change(path, p.defs, a, entry)
		}
	}
	in.checkNames(c, p)
	c.changeNested(p, inside)
}

// takeDefaults sends the document's default where an argument is required, so that the model need not say it. Where it is
// not, the upstream knows its defaults best.
func (in *inputs) takeDefaults(d *definitions) {
	for _, a := range in.arguments {
		if value, ok := d.resolved(a.schema)["default"]; ok && value != nil && a.required && a.in != "path" {
			a.value, a.defaulted, a.documented = value, true, true
		}
	}
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

// nearest is the hint for a name that no argument has.
func (in *inputs) nearest(d *definitions, key string) string {
	var names, all []string
	for _, a := range in.arguments {
		if a.slot.constant {
			continue
		}
		names = append(names, cmp.Or(a.wire, a.name))
		all = append(all, cmp.Or(a.wire, a.name), a.name)
	}
	if len(names) == 0 {
		return "it has none at all"
	}
	for _, a := range in.arguments {
		if !a.slot.constant && d.members(a.schema, 0)[key] != nil {
			return fmt.Sprintf("did you mean %q?", cmp.Or(a.wire, a.name)+"."+key)
		}
	}
	return cmp.Or(suggest(key, all), "it has "+listed(names))
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
		c.constrain(path, d, a, constraints)
	}
	a.hidden = entry.Hide
	switch {
	case entry.Value != nil:
		a.value, a.fixed = plain(entry.Value), true
	case entry.Default != nil:
		a.value, a.defaulted, a.documented = plain(entry.Default), true, false
	case entry.Hide && (a.required || a.needed) && !a.defaulted:
		c.problem(path, "give it a value or a default", "a required argument can't be hidden")
	}
}

// constrain puts constraints in the place of the schema's own: of a list, on its items. A choice that the document's schema
// does not take is a problem: no call could make it.
func (c *compilation) constrain(path config.Path, d *definitions, a *argument, constraints map[string]any) {
	a.schema = d.resolved(a.schema)
	target := a.schema
	if items, ok := a.schema["items"].(map[string]any); ok && a.schema["type"] == "array" {
		target = d.resolved(items)
		a.schema["items"] = target
	}
	if choices, ok := constraints["enum"].([]any); ok {
		schema, err := d.compile(target)
		for i, choice := range choices {
			if err != nil {
				break // compileInput says so
			}
			choices[i] = lenient(schema, choice)
			if err := schema.Validate(choices[i]); err != nil {
				c.problem(path.Child("enum", itoa(i)), "", "%v is not a value of %q: %s", choice, a.wire, firstMismatch(err))
			}
		}
	}
	maps.Copy(target, constraints)
}

// checkNames makes sure that no new name is illegal or another's.
func (in *inputs) checkNames(c *compilation, p *plan) {
	taken := map[string]string{}
	for _, a := range in.arguments {
		if !a.named {
			continue
		}
		path := p.path.Child("arguments", cmp.Or(a.key, a.wire), "name")
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
	t.defaults = map[string]any{}
	for _, a := range in.arguments {
		if !a.fixed && !a.defaulted {
			continue
		}
		c.checkValue(p, cmp.Or(a.key, a.wire), a)
		if a.defaulted && !a.hidden {
			t.defaults[a.name] = a.value
		}
	}
}

// checkValue reads a value as what the argument takes. That it can't be is a problem of gateway.yaml at key, or no default.
func (c *compilation) checkValue(p *plan, key string, a *argument) {
	err := a.fitValue(p.defs)
	if err != nil && !a.documented && a.schema["format"] != nil {
		a.schema = p.defs.resolved(a.schema) // who writes gateway.yaml knows better what the API takes: "today" for a date
		delete(a.schema, "format")
		err = a.fitValue(p.defs)
	}
	switch {
	case err != nil && a.documented:
		a.defaulted = false // documents have defaults that don't fit; the model then has to say it
	case err != nil:
		which := "default"
		if a.fixed {
			which = "value"
		}
		c.problem(p.path.Child("arguments", key, which), "", "%v is not a value of %q: %s", a.value, key, firstMismatch(err))
	}
}

// fitValue reads the value as what the argument takes, and checks it.
func (a *argument) fitValue(d *definitions) error {
	schema, err := d.compile(a.schema)
	if err != nil {
		return err
	}
	a.value = lenient(schema, a.value)
	return schema.Validate(a.value)
}

func firstMismatch(err error) string {
	fields := mismatches(err)
	if len(fields) == 0 {
		return fmt.Sprint(err)
	}
	return fields[0].Message
}
