package mapping

import (
	"reflect"
	"slices"
)

// alternatives lowers the branches of a oneOf or anyOf; it is anyOf that clients see, since of lowered branches several
// may match.
func (v *view) alternatives(out map[string]any, key string, in map[string]any, depth int) {
	branches, _ := in[key].([]any)
	switch {
	case v.level.joined:
		v.stubs = true
		for name, value := range v.join(branches) {
			if _, own := in[name]; !own {
				out[name] = value
			}
		}
	case key == "anyOf" || in["anyOf"] == nil:
		out["anyOf"] = v.list(branches, depth)
	}
}

// join is one schema that every one of the branches fits: the properties that all of them have, with the values that
// any of them allows there, and what all of them require. A model then sees the `type` by which dozens of payment
// methods differ; what else the chosen one needs, ParseArguments says. It is empty where a branch is no object.
func (v *view) join(branches []any) map[string]any {
	var names, required []string
	enums := map[string][]any{} // of a shared property; nil where a branch allows more than some values
	for i, branch := range branches {
		in, _ := branch.(map[string]any)
		whole := v.definitions.follow(in)
		properties, _ := whole["properties"].(map[string]any)
		if whole["type"] != "object" {
			return nil
		}
		needs := nameList(whole["required"])
		if i == 0 {
			names, required = sortedKeys(properties), needs
		}
		names = slices.DeleteFunc(names, func(name string) bool { return properties[name] == nil })
		required = slices.DeleteFunc(required, func(name string) bool { return !slices.Contains(needs, name) })
		for _, name := range names {
			enums[name] = v.joinValues(enums[name], properties[name], i == 0)
		}
	}
	shared := map[string]any{}
	for _, name := range names {
		shared[name] = map[string]any{}
		if len(enums[name]) > 0 {
			shared[name] = map[string]any{"enum": enums[name]}
		}
	}
	out := map[string]any{"type": "object"}
	if len(shared) > 0 {
		out["properties"] = shared
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// joinValues adds the values that a branch allows to those that the ones before it do; nil says that any is.
func (v *view) joinValues(before []any, property any, first bool) []any {
	in, _ := property.(map[string]any)
	whole := v.definitions.follow(in)
	values, _ := whole["enum"].([]any)
	if constant, ok := whole["const"]; ok {
		values = []any{constant}
	}
	if len(values) == 0 || !first && before == nil {
		return nil
	}
	out := slices.Clone(before)
	for _, value := range values {
		if !slices.ContainsFunc(out, func(other any) bool { return reflect.DeepEqual(other, value) }) {
			out = append(out, value)
		}
	}
	return out
}
