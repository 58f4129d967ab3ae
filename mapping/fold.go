package mapping

import (
	"slices"
	"strings"
)

// maxLayers is how many objects around one another a body may have without the model seeing them.
const maxLayers = 4

// layer is an object that a body wraps around its properties, and that no argument stands for: data and attributes of
// {"data": {"type": "profile", "attributes": {...}}}.
type layer struct {
	name     string
	required bool // in the object around it; one that is not is there where a property within is
}

// spread makes arguments of the properties of a body, or, where it is no more than a wrapping around an object, of that
// object's. entries are the keys of gateway.yaml: an object that one of them names is an argument, and stays whole.
func (in *inputs) spread(d *definitions, body *flatBody, entries func(key string) bool) {
	var constants []*argument
	needed := true
	for isJSON(in.body.mediaType) && in.body.xml == nil && len(in.body.layers) < maxLayers {
		name, inner := body.wrapped(d)
		if inner == nil || entries(dotted(in.body.path(), name)) {
			break
		}
		required := slices.Contains(body.required, name)
		if needed = needed && required; !needed && !inner.anchored(d) {
			break // {} is something else than nothing, and the two would look alike
		}
		delete(body.properties, name)
		constants = append(constants, in.properties(d, body, needed, true)...)
		in.body.layers = append(in.body.layers, layer{name, required})
		body = inner
	}
	in.rest = body.rest
	constants = append(constants, in.properties(d, body, needed, len(in.body.layers) > 0)...)
	if !needed {
		in.couple(body.required)
	}
	in.arguments = append(in.arguments, constants...)
}

// properties adds the arguments of one object, and returns those that the document fixes: what is required and has one value
// only is filled in, and hidden, where the body is folded.
func (in *inputs) properties(d *definitions, body *flatBody, needed, folded bool) []*argument {
	var constants []*argument
	within := in.body.path()
	for _, name := range sortedKeys(body.properties) {
		a := &argument{wire: dotted(within, name), in: "body", schema: body.properties[name],
			slot: slot{name: name, within: within}}
		a.needed = slices.Contains(body.required, name)
		a.required = a.needed && needed
		if isMultipart(in.body.mediaType) {
			a.takeFile(d)
		}
		if value, ok := constant(d, a.schema); ok && a.needed && folded {
			a.value, a.fixed, a.slot.constant = value, true, true
			constants = append(constants, a)
			continue
		}
		in.arguments = append(in.arguments, a)
	}
	return constants
}

// couple notes what an object that may be left out requires once anything of it is said.
func (in *inputs) couple(required []string) {
	first := slices.IndexFunc(in.body.layers, func(l layer) bool { return !l.required })
	var needs []any
	for _, a := range in.arguments {
		if a.in == "body" && len(a.slot.within) == len(in.body.layers) && slices.Contains(required, a.slot.name) {
			needs = append(needs, a.wire)
		}
	}
	in.coupled = map[string]any{}
	for _, a := range in.arguments {
		if a.in == "body" && len(a.slot.within) > first {
			in.coupled[a.wire] = needs
		}
	}
}

// wrapped returns the one object that a body is a wrapping around, nil where it is more than that. What has one value
// only, as JSON:API's type, says nothing of its own.
func (f *flatBody) wrapped(d *definitions) (string, *flatBody) {
	if f.rest != nil {
		return "", nil
	}
	found := ""
	for name, schema := range f.properties {
		if _, ok := constant(d, schema); ok {
			continue
		}
		if found != "" {
			return "", nil
		}
		found = name
	}
	schema := f.properties[found]
	if found == "" || !onlyObject(d, schema, 0) {
		return "", nil
	}
	inner, ok := flatten(d, schema)
	if !ok || inner.rest != nil {
		return "", nil
	}
	return found, inner
}

// onlyObject reports whether a schema takes objects and nothing else.
func onlyObject(d *definitions, schema map[string]any, depth int) bool {
	schema = d.follow(schema)
	if kind, ok := schema["type"]; ok || depth > maxDepth {
		return kind == "object"
	}
	parts, _ := schema["allOf"].([]any)
	return slices.ContainsFunc(parts, func(part any) bool { return onlyObject(d, asObject(part), depth+1) })
}

// anchored reports whether the object can't be empty, so that it is there where something in it is.
func (f *flatBody) anchored(d *definitions) bool {
	return slices.ContainsFunc(f.required, func(name string) bool {
		_, fixed := constant(d, f.properties[name])
		return !fixed
	})
}

// constant returns the one value that a schema has.
func constant(d *definitions, schema map[string]any) (any, bool) {
	whole := d.follow(schema)
	value, ok := whole["const"]
	if list, isList := whole["enum"].([]any); isList && len(list) == 1 && !ok {
		value, ok = list[0], true
	}
	if !ok || value == nil {
		return nil, false
	}
	compiled, err := d.compile(schema)
	return value, err == nil && compiled.Validate(value) == nil
}

// path are the names of the layers.
func (b *bodyTemplate) path() []string {
	var names []string
	for _, l := range b.layers {
		names = append(names, l.name)
	}
	return names
}

func dotted(within []string, name string) string {
	return strings.Join(append(slices.Clone(within), name), ".")
}

// wrap puts the properties into the layers that are there: those that have to be, and those around what the call says.
func (b *bodyTemplate) wrap(args Arguments) (any, bool) {
	values, said, deepest := make([]any, len(b.properties)), make([]bool, len(b.properties)), 0
	sent := b.required
	for i, s := range b.properties {
		values[i], said[i] = s.fill(args)
		if said[i] && !s.constant {
			sent, deepest = true, max(deepest, len(s.within))
		}
	}
	object := map[string]any{}
	layers := []map[string]any{object}
	for i, l := range b.layers {
		if !l.required && i >= deepest {
			break
		}
		inner := map[string]any{}
		layers[i][l.name] = inner
		layers = append(layers, inner)
	}
	for i, s := range b.properties {
		if said[i] && len(s.within) < len(layers) {
			layers[len(s.within)][s.name] = values[i]
		}
	}
	return object, sent
}
