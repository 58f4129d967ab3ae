package mapping

import (
	"cmp"
	"maps"
	"slices"
)

// flatBody is an object body as its properties.
type flatBody struct {
	properties map[string]map[string]any
	required   []string
	rest       map[string]any // constraints on the properties together; nil where there are none
}

// flatten takes an object schema apart: its plain properties, also through $ref and through an allOf of such objects.
// It fails where something would be lost, as with further properties that may have any name.
func flatten(d *definitions, schema map[string]any) (*flatBody, bool) {
	flat := &flatBody{properties: map[string]map[string]any{}}
	if !flat.add(d, schema, 0) || len(flat.properties) == 0 {
		return nil, false
	}
	known := func(name string) bool { return flat.properties[name] != nil }
	for _, name := range flat.required {
		if !known(name) {
			flat.properties[name] = map[string]any{}
		}
	}
	slices.Sort(flat.required)
	flat.required = slices.Compact(flat.required)
	return flat, true
}

func (f *flatBody) add(d *definitions, schema map[string]any, depth int) bool {
	if depth > maxDepth {
		return false
	}
	schema = d.follow(schema)
	for _, key := range sortedKeys(schema) {
		v := schema[key]
		switch key {
		case "title", "description", "default", "deprecated":
		case "type":
			if v != "object" && !slices.Contains(nameList(v), "object") {
				return false
			}
		case "properties":
			for name, property := range v.(map[string]any) {
				f.property(name, asObject(property))
			}
		case "required":
			f.required = append(f.required, nameList(v)...)
		case "additionalProperties":
			if v != false {
				return false
			}
		case "allOf":
			for _, part := range v.([]any) {
				if !f.add(d, asObject(part), depth+1) {
					return false
				}
			}
		case "minProperties", "maxProperties", "dependentRequired", "anyOf", "oneOf":
			if !f.keep(key, v) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// property adds one; of two descriptions of one property both hold.
func (f *flatBody) property(name string, schema map[string]any) {
	if before, ok := f.properties[name]; ok && len(before) > 0 {
		schema = map[string]any{"allOf": []any{before, schema}}
	}
	f.properties[name] = schema
}

// keep puts a constraint on several properties aside, if it speaks of nothing but which of them are there.
func (f *flatBody) keep(key string, v any) bool {
	if key == "anyOf" || key == "oneOf" {
		for _, branch := range v.([]any) {
			branch, ok := branch.(map[string]any)
			for key := range maps.Keys(branch) {
				ok = ok && (key == "required" || key == "title" || key == "description" || key == "type")
			}
			if !ok {
				return false
			}
		}
	}
	if f.rest == nil {
		f.rest = map[string]any{}
	}
	if _, twice := f.rest[key]; twice {
		return false
	}
	f.rest[key] = v
	return true
}

// renamed copies the constraints on properties together with the client's names for them.
func (in *inputs) renamed() map[string]any {
	rest := maps.Clone(in.rest)
	if in.coupled != nil {
		if rest == nil {
			rest = map[string]any{}
		}
		rest["dependentRequired"] = in.coupled
	}
	names := map[string]string{}
	for _, a := range in.arguments {
		if a.in == "body" {
			names[a.wire] = a.name
		}
	}
	list := func(value any) []any {
		var out []any
		for _, name := range nameList(value) {
			out = append(out, cmp.Or(names[name], name))
		}
		return out
	}
	out := maps.Clone(rest)
	for _, key := range []string{"anyOf", "oneOf"} {
		branches, _ := rest[key].([]any)
		var all []any
		for _, branch := range branches {
			branch := maps.Clone(branch.(map[string]any))
			if branch["required"] != nil {
				branch["required"] = list(branch["required"])
			}
			all = append(all, branch)
		}
		if all != nil {
			out[key] = all
		}
	}
	if dependent, ok := rest["dependentRequired"].(map[string]any); ok {
		all := map[string]any{}
		for name, needed := range dependent {
			all[cmp.Or(names[name], name)] = list(needed)
		}
		out["dependentRequired"] = all
	}
	return out
}
