package mapping

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// edit is what an entry of gateway.yaml changes inside an argument, between what the model says and what is sent.
type edit struct {
	path  []string // to the property, on the wire; lists on the way are passed through
	shown string   // the model's name for the property; "" where it does not see it
	// value is put in where set says so and the model gives none.
	value any
	set   bool
}

// nested is an entry of gateway.yaml for a property inside an argument, such as address.city.
type nested struct {
	key   string
	owner *argument
	path  []string
}

// locate finds what a dotted key leads to: an argument, and the way to a property in it.
func (in *inputs) locate(d *definitions, key string) (*argument, []string) {
	if a := in.find(key); a != nil {
		return a, nil
	}
	for at := strings.LastIndexByte(key, '.'); at > 0; at = strings.LastIndexByte(key[:at], '.') {
		if a := in.find(key[:at]); a != nil {
			if path := d.way(a.schema, key[at+1:], 0); path != nil {
				return a, path
			}
		}
	}
	return nil, nil
}

// way splits a dotted key into the names of properties that lead through a schema; nil where they lead nowhere.
func (d *definitions) way(schema map[string]any, key string, depth int) []string {
	properties := d.members(schema, 0)
	if properties[key] != nil {
		return []string{key}
	}
	for at := strings.IndexByte(key, '.'); at > 0 && depth < maxDepth; {
		if inner := properties[key[:at]]; inner != nil {
			if rest := d.way(inner, key[at+1:], depth+1); rest != nil {
				return append([]string{key[:at]}, rest...)
			}
		}
		next := strings.IndexByte(key[at+1:], '.')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return nil
}

// members are the properties of an object, or of the objects in a list, also those of an allOf.
func (d *definitions) members(schema map[string]any, depth int) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, piece := range d.pieces(schema, map[string]bool{}) {
		const lists = 3 // in one another
		if items, ok := piece["items"].(map[string]any); ok && depth < lists {
			maps.Copy(out, d.members(items, depth+1))
		}
		properties, _ := piece["properties"].(map[string]any)
		for name, property := range properties {
			if property != false {
				out[name] = asObject(property)
			}
		}
	}
	return out
}

// pieces are a schema and the parts of its allOf, each once.
func (d *definitions) pieces(schema map[string]any, seen map[string]bool) []map[string]any {
	if name, ok := definitionName(schema["$ref"]); ok {
		if seen[name] {
			return nil
		}
		seen[name] = true
	}
	whole := d.opened(schema)
	all := []map[string]any{whole}
	for _, part := range listOf(whole["allOf"]) {
		all = append(all, d.pieces(asObject(part), seen)...)
	}
	return all
}

// change copies the parts of an object's allOf, and lets f change each and the object, which is a copy already.
func (d *definitions) change(object map[string]any, seen map[string]bool, f func(piece map[string]any)) {
	f(object)
	parts := slices.Clone(listOf(object["allOf"]))
	for i, part := range parts {
		if name, ok := definitionName(asObject(part)["$ref"]); ok {
			if seen[name] {
				continue
			}
			seen[name] = true
		}
		copied := d.opened(asObject(part))
		d.change(copied, seen, f)
		parts[i] = copied
	}
	if len(parts) > 0 {
		object["allOf"] = parts
	}
}

// nearestWay is the hint for a key that leads nowhere, "" where it is no way into an argument.
func (in *inputs) nearestWay(d *definitions, key string) string {
	for at := strings.LastIndexByte(key, '.'); at > 0; at = strings.LastIndexByte(key[:at], '.') {
		a, path := in.locate(d, key[:at])
		if a == nil {
			continue
		}
		schema := a.schema
		for _, name := range path {
			schema = d.members(schema, 0)[name]
		}
		var all []string
		for _, name := range sortedKeys(d.members(schema, 0)) {
			all = append(all, key[:at+1]+name)
		}
		if len(all) == 0 {
			return "nothing is known to be in " + key[:at]
		}
		return cmp.Or(suggest(key, all), "there are "+listed(all))
	}
	return ""
}

// changeNested puts what gateway.yaml says of properties inside arguments on these. The deepest come first: the names on
// the way to them are still those on the wire.
func (c *compilation) changeNested(p *plan, all []nested) {
	slices.SortStableFunc(all, func(a, b nested) int { return cmp.Compare(len(b.path), len(a.path)) })
	for _, n := range all {
		at, name := p.path.Child("arguments", n.key), n.path[len(n.path)-1]
		changed := func(holder map[string]any, required bool) *argument {
			// The property as if it were an argument of its own.
			property := holder["properties"].(map[string]any)[name]
			a := &argument{wire: n.key, name: name, schema: asObject(property), required: required}
			c.change(at, p.defs, a, p.entry.Arguments[n.key])
			return a
		}
		if n.owner.sent == nil {
			n.owner.sent = n.owner.schema
		}
		e := edit{path: n.path}
		around := n.owner.schema
		for _, name := range n.path[:len(n.path)-1] {
			around = p.defs.members(around, 0)[name]
		}
		beside := p.defs.members(around, 0)
		n.owner.sent = p.defs.edited(n.owner.sent, n.path, false, func(holder map[string]any, required bool) {
			a := changed(holder, required)
			if e.set = a.fixed || a.defaulted; e.set {
				c.checkValue(p, n.key, a)
				e.value = a.value
			}
			p.defs.put(holder, name, a.schema, a.required)
		})
		entry := p.entry.Arguments[n.key]
		wide := entry.Hide || entry.Value != nil || entry.Default != nil || entry.Name != ""
		n.owner.schema = p.defs.edited(n.owner.schema, n.path, wide, func(holder map[string]any, required bool) {
			a := changed(holder, required)
			if a.name != name && beside[a.name] != nil {
				c.problem(at.Child("name"), "", "there is a %q beside it", a.name)
			}
			a.value = e.value
			e.shown = p.defs.show(holder, name, a)
		})
		n.owner.slot.edits = append([]edit{e}, n.owner.slot.edits...) // what is sent is made from the outside in
	}
}

// edited is a copy of a schema in which f changed the object that has the last property of a path, which required says of.
// wide says that the object has other properties then than those that its schema is about.
func (d *definitions) edited(schema map[string]any, path []string, wide bool, f func(holder map[string]any, required bool)) map[string]any {
	out := d.opened(schema)
	if wide && len(path) == 1 && d.members(out, 0)[path[0]] != nil {
		d.widen(out)
	}
	properties, _ := out["properties"].(map[string]any)
	property, ok := properties[path[0]]
	switch {
	case ok && property != false:
		properties = maps.Clone(properties)
		out["properties"] = properties
		if len(path) == 1 {
			f(out, d.requires(out, path[0]))
			return out
		}
		properties[path[0]] = d.edited(asObject(property), path[1:], wide, f)
		return out
	case out["items"] != nil && d.members(asObject(out["items"]), 0)[path[0]] != nil:
		out["items"] = d.edited(asObject(out["items"]), path, wide, f)
		return out
	}
	// It lies in a part of an allOf, and another part may require it.
	required := len(path) == 1 && d.requires(out, path[0])
	if required {
		d.forget(out, path[0])
	}
	parts := slices.Clone(listOf(out["allOf"]))
	for i, part := range parts {
		if d.members(asObject(part), 0)[path[0]] != nil {
			parts[i] = d.edited(asObject(part), path, wide, func(holder map[string]any, here bool) { f(holder, required || here) })
			break
		}
	}
	out["allOf"] = parts
	return out
}

// opened is a copy of a schema that is no reference: one that has something beside it is a part of an allOf.
func (d *definitions) opened(schema map[string]any) map[string]any {
	out := d.resolved(schema)
	if ref, ok := out["$ref"]; ok {
		out["allOf"] = append([]any{map[string]any{"$ref": ref}}, listOf(out["allOf"])...)
		delete(out, "$ref")
	}
	return out
}

// put changes a property in the schema of what is sent.
func (d *definitions) put(holder map[string]any, name string, schema map[string]any, required bool) {
	holder["properties"].(map[string]any)[name] = schema
	d.forget(holder, name)
	if required {
		holder["required"] = append(slices.Clone(listOf(holder["required"])), name)
	}
}

// show changes a property in the schema of what the model says, and returns its name there.
func (d *definitions) show(holder map[string]any, name string, a *argument) string {
	if a.hidden || a.fixed {
		d.put(holder, name, nil, false)
		holder["properties"].(map[string]any)[name] = false
		return ""
	}
	schema := d.resolved(a.schema)
	if a.description != "" {
		schema["description"] = a.description
	}
	if a.defaulted {
		schema["default"] = a.value
	}
	d.put(holder, name, schema, false)
	if a.name != name {
		holder["properties"].(map[string]any)[name] = false
	}
	d.put(holder, a.name, schema, a.required && !a.defaulted)
	return a.name
}

// requires reports whether an object requires a property.
func (d *definitions) requires(object map[string]any, name string) bool {
	return slices.ContainsFunc(d.pieces(object, map[string]bool{}), func(piece map[string]any) bool {
		return slices.Contains(nameList(piece["required"]), name)
	})
}

// forget takes a property off what an object requires. The object is a copy, its parts are not.
func (d *definitions) forget(object map[string]any, name string) {
	if !d.requires(object, name) {
		return
	}
	d.change(object, map[string]bool{}, func(piece map[string]any) {
		required := slices.DeleteFunc(slices.Clone(listOf(piece["required"])), func(other any) bool { return other == name })
		if piece["required"] = required; len(required) == 0 {
			delete(piece, "required")
		}
	})
}

// widen takes off an object what speaks of several properties together, or of their number: that is checked with what is
// sent.
func (d *definitions) widen(object map[string]any) {
	d.change(object, map[string]bool{}, func(piece map[string]any) {
		for _, key := range []string{"anyOf", "oneOf", "not", "if", "then", "else", "enum", "const", "dependentRequired", "dependentSchemas",
			"minProperties", "maxProperties", "propertyNames", "patternProperties", "unevaluatedProperties"} {
			delete(piece, key)
		}
	})
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

// sent turns what the model says into what is sent.
func (s slot) sent(value any) any {
	for _, e := range s.edits {
		value = e.apply(value, e.path)
	}
	return value
}

func (e edit) apply(value any, path []string) any {
	switch value := value.(type) {
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = e.apply(item, path)
		}
		return out
	case map[string]any:
		out := maps.Clone(value)
		name := path[0]
		inner, there := out[name]
		switch {
		case len(path) > 1 && there:
			out[name] = e.apply(inner, path[1:])
		case len(path) == 1:
			if e.shown != "" && e.shown != name {
				inner, there = out[e.shown]
				delete(out, e.shown)
			}
			switch {
			case there:
				out[name] = inner
			case e.set:
				out[name] = e.value
			}
		}
		return out
	}
	return value
}

// said turns the place of a mismatch in what is sent into the model's names.
func (s slot) said(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, s.argument), ".")
	for _, e := range s.edits {
		if len(parts) <= len(e.path) || e.shown == "" {
			continue
		}
		matches := true
		for i, name := range e.path {
			part, _, _ := strings.Cut(parts[i+1], "[")
			matches = matches && part == name
		}
		if last := len(e.path); matches {
			_, index, indexed := strings.Cut(parts[last], "[")
			if parts[last] = e.shown; indexed {
				parts[last] += "[" + index
			}
		}
	}
	return s.argument + strings.Join(parts, ".")
}
