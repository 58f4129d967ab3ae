package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/specs"
)

const (
	typeName   = "record_type"
	fieldsName = "fields"
)

// kindOf is the schema of one record type, and whose definitions it refers to.
type kindOf struct {
	defs   *definitions
	schema specs.Schema
}

// recordKinds checks the fields of a tool for several record types.
type recordKinds struct {
	typeArgument, fieldsArgument string
	schemas                      map[string]*jsonschema.Schema // of the types that have one
}

// resolveTypes finds the schemas of types: those that schemas names, else those with the types' names.
func (r *record) resolveTypes() bool {
	r.kinds = map[string]kindOf{}
	for _, name := range r.Types {
		if pointer, ok := r.Schemas[name]; ok {
			defs, schema, ok := r.find(r.path.Child("schemas", name), pointer)
			if !ok {
				return false
			}
			r.kinds[name] = kindOf{defs, schema}
			continue
		}
		for _, o := range r.all {
			if written, ok := spelled(sortedKeys(o.defs.document.Defs), name); ok {
				r.kinds[name] = kindOf{o.defs, specs.Schema{"$ref": reference + written}}
				break
			}
		}
	}
	return true
}

// useTypes marks the document's operations on each type as used: the one set of tools stands for them.
func (r *record) useTypes(v verb) {
	for _, name := range r.Types {
		one := *r
		entry := *r.Record
		entry.Path = strings.ReplaceAll(r.Path, "{"+typeName+"}", name)
		entry.Upsert = strings.ReplaceAll(r.Upsert, "{"+typeName+"}", name)
		one.Record = &entry
		if o := one.documented(v); o != nil {
			o.used = true
		}
	}
}

// fieldsOf makes the body of a tool for several types one argument.
func (r *record) fieldsOf(p *plan, v verb) {
	if p.op.Body == nil {
		return
	}
	p.kinds = r.kinds
	p.entry.Arguments = map[string]*config.Argument{"body": {Name: fieldsName, Description: r.aboutFields(v)}}
}

// aboutFields tells the model which fields each type has, required ones with a star.
func (r *record) aboutFields(v verb) string {
	text := "The record's fields, as one object."
	for _, name := range r.Types {
		kind, ok := r.kinds[name]
		if !ok {
			continue
		}
		flat, ok := flatten(kind.defs, kind.defs.cleaned(kind.schema))
		if !ok {
			continue
		}
		var names []string
		for _, field := range sortedKeys(flat.properties) {
			if v.name == "create" && slices.Contains(flat.required, field) {
				field += "*"
			}
			names = append(names, field)
		}
		const most = 30
		more := ""
		if len(names) > most {
			more = fmt.Sprintf(" and %d more", len(names)-most)
			names = names[:most]
		}
		text += fmt.Sprintf(" %s: %s%s.", name, strings.Join(names, ", "), more)
	}
	return cut(text, maxDescription)
}

// compileKinds compiles the schemas of the types. Of a record that is there already nothing is required.
func (c *compilation) compileKinds(t *Tool, p *plan, in *inputs) bool {
	if p.kinds == nil {
		return true
	}
	t.kinds = &recordKinds{schemas: map[string]*jsonschema.Schema{}}
	for _, a := range in.arguments {
		switch {
		case a.wire == typeName && a.in == "path":
			t.kinds.typeArgument = a.name
		case a.wire == "" && a.in == "body":
			t.kinds.fieldsArgument = a.name
		}
	}
	for _, name := range sortedKeys(p.kinds) {
		kind := p.kinds[name]
		schema := kind.defs.resolved(kind.defs.cleaned(kind.schema))
		if p.partial {
			delete(schema, "required")
		}
		compiled, err := kind.defs.compile(schema)
		if err != nil {
			c.problem(p.path.Child("types"), "", "the schema of %q can't be used: %v", name, err)
			return false
		}
		t.kinds.schemas[name] = compiled
	}
	return true
}

// check holds the fields against the schema of their type.
func (k *recordKinds) check(args Arguments) []fault.Field {
	name, _ := args[k.typeArgument].(string)
	schema, value := k.schemas[name], args[k.fieldsArgument]
	if schema == nil || value == nil {
		return nil
	}
	value = lenient(schema, value)
	if object, ok := value.(map[string]any); ok {
		for name, property := range schema.Properties {
			if said, ok := object[name]; ok {
				object[name] = lenient(property, said)
			}
		}
	}
	args[k.fieldsArgument] = value
	err := schema.Validate(value)
	if err == nil {
		return nil
	}
	fields := mismatches(err)
	for i, f := range fields {
		fields[i].Path = strings.TrimSuffix(k.fieldsArgument+"."+f.Path, ".")
	}
	return fields
}
