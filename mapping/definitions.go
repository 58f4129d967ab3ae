package mapping

import (
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/specs"
)

// definitions are the named schemas of one document, cleaned and compiled once for all the tools that are made of it.
type definitions struct {
	document *specs.Document
	compiler *jsonschema.Compiler
	clean    map[string]map[string]any
	urls     map[string]string // of those that the compiler has
	tools    int
}

// newDefinitions takes a nil document where an upstream has none.
func newDefinitions(document *specs.Document) *definitions {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(compilePattern)
	assertFormats(compiler)
	return &definitions{
		document: document, compiler: compiler,
		clean: map[string]map[string]any{}, urls: map[string]string{},
	}
}

// noLoader keeps the compiler from reading anything that was not handed to it.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, errors.New("schemas are not fetched: " + url)
}

// cleaned returns a schema in the form that the rest of this package reads.
func (d *definitions) cleaned(schema specs.Schema) map[string]any {
	c := &cleaner{document: d.document}
	return asObject(c.schema(map[string]any(schema), 0))
}

// named returns a definition, cleaned.
func (d *definitions) named(name string) map[string]any {
	if schema, ok := d.clean[name]; ok {
		return schema
	}
	schema := d.cleaned(d.document.Defs[name])
	d.clean[name] = schema
	return schema
}

// follow returns the schema that a chain of plain references leads to.
func (d *definitions) follow(schema map[string]any) map[string]any {
	seen := map[string]bool{}
	for {
		name, ok := definitionName(schema["$ref"])
		if !ok || seen[name] || !onlyAnnotations(schema) {
			return schema
		}
		seen[name] = true
		schema = d.named(name)
	}
}

// resolved is a copy of what follow returns, with what the reference itself says of it.
func (d *definitions) resolved(schema map[string]any) map[string]any {
	out := maps.Clone(d.follow(schema))
	for key, value := range schema {
		if key != "$ref" {
			out[key] = value
		}
	}
	return out
}

// onlyAnnotations reports whether nothing stands beside a $ref that narrows it.
func onlyAnnotations(schema map[string]any) bool {
	for key := range schema {
		switch key {
		case "$ref", "title", "description", "default", "deprecated":
		default:
			return false
		}
	}
	return true
}

// compile compiles a cleaned schema together with what it refers to. Each definition is a resource of its own, so that
// a bad one costs only the tools that use it.
func (d *definitions) compile(schema map[string]any) (*jsonschema.Schema, error) {
	d.tools++
	url := "mcpgate:///tool/" + strconv.Itoa(d.tools)
	linked, err := d.link(schema)
	if err != nil {
		return nil, err
	}
	if err := d.compiler.AddResource(url, linked); err != nil {
		return nil, err
	}
	return d.compiler.Compile(url)
}

// link copies a schema with references that the compiler resolves, and hands it what they lead to.
func (d *definitions) link(schema map[string]any) (map[string]any, error) {
	var pending []string
	linked := rewrite(schema, func(name string) string {
		url, ok := d.urls[name]
		if !ok {
			url = fmt.Sprintf("mcpgate:///definition/%d", len(d.urls))
			d.urls[name] = url
			pending = append(pending, name)
		}
		return url
	})
	for _, name := range pending {
		definition, err := d.link(d.named(name))
		if err != nil {
			return nil, err
		}
		if err := d.compiler.AddResource(d.urls[name], definition); err != nil {
			return nil, err
		}
	}
	return asObject(linked), nil
}

// rewrite copies a schema with every $ref changed. It looks into schemas only: a property that is called $ref, or an
// enum's value, stays what it is.
func rewrite(schema any, reference func(name string) string) any {
	in, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	out := make(map[string]any, len(in))
	for _, key := range sortedKeys(in) {
		v := in[key]
		switch keywords[key] {
		case aReference:
			if name, ok := definitionName(v); ok {
				v = reference(name)
			}
		case aSchema:
			v = rewrite(v, reference)
		case schemaList:
			list, _ := v.([]any)
			all := make([]any, len(list))
			for i, item := range list {
				all[i] = rewrite(item, reference)
			}
			v = all
		case schemaMap, patternMap:
			in, _ := v.(map[string]any)
			all := make(map[string]any, len(in))
			for _, name := range sortedKeys(in) {
				all[name] = rewrite(in[name], reference)
			}
			v = all
		}
		out[key] = v
	}
	return out
}

// asObject turns a cleaned schema that is a bool into the object that means the same.
func asObject(schema any) map[string]any {
	switch schema := schema.(type) {
	case map[string]any:
		return schema
	case bool:
		if !schema {
			return map[string]any{"not": map[string]any{}}
		}
	}
	return map[string]any{}
}
