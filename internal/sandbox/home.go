package sandbox

import (
	"slices"
	"strings"
)

// findHome makes the collection whose records an endpoint reads or writes one by one: its path less the id.
func (s *Sandbox) findHome(e *endpoint, homes map[string]*collection) {
	if !e.path.isItem() || len(e.path.segments) < 2 || e.query != nil || e.method == "POST" {
		return
	}
	if _, isList := e.listed(); isList && e.method == "GET" {
		return
	}
	base := e.path.parent()
	c := homes[base.key]
	if c == nil {
		c = s.addCollection(base, e)
		homes[base.key] = c
	}
	if schema, name := e.recordSchema(); schema != nil && (c.schema == nil || e.method == "GET") {
		c.schema, c.title, c.defs = schema, name, e.defs
	}
	names := e.path.segments[len(e.path.segments)-1].names
	c.identify(names[len(names)-1])
	if c.schema == nil && e.arguments != nil {
		c.idType = typeOf(e.arguments[names[len(names)-1]])
	}
}

// findAbove notes which collections the records of an endpoint lie under: the users of /users/{userId}/orders.
func (s *Sandbox) findAbove(e *endpoint) {
	for path := e.path.parent(); len(path.segments) > 1; path = path.parent() {
		if !path.isItem() {
			continue
		}
		name := parentName(path.segments[len(path.segments)-2].literal, path.segments[len(path.segments)-1].names[0])
		for _, c := range s.collections {
			if c != e.of && c.path.key == path.parent().key {
				if e.of.above == nil {
					e.of.above = map[string]*collection{}
				}
				e.of.above[name] = c
			}
		}
	}
}

func (s *Sandbox) addCollection(path pattern, e *endpoint) *collection {
	c := &collection{name: path.lastLiteral(), path: path, defs: e.defs, tags: e.op.Tags}
	s.collections = append(s.collections, c)
	return c
}

// identify finds the property that holds the id: the one that the path names, else what is usual.
func (c *collection) identify(placeholder string) {
	all := properties(c.schema)
	one := singular(c.name)
	candidates := []string{"id", placeholder, one + "id", "uuid", "guid", "key", "name", "slug", "code", "number"}
	if plain(placeholder) != "id" && !strings.HasSuffix(plain(placeholder), "id") {
		candidates = append([]string{placeholder}, candidates...)
	}
	c.idName, c.idType = "id", ""
	for _, candidate := range candidates {
		for name, schema := range all {
			if plain(name) == plain(candidate) {
				resolved, _ := c.defs.resolve(schema)
				c.idName, c.idType = name, typeOf(resolved)
				return
			}
		}
	}
}

// reads reports whether one record can be read at the path.
func (s *Sandbox) reads(path pattern) bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool {
		return e.method == "GET" && e.path.key == path.key && !e.isList()
	})
}

func (s *Sandbox) hasMethod(path pattern, method string) bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool {
		return e.method == method && e.path.key == path.key
	})
}

// byName finds the one collection that is called as the end of the path is: /orders/{id}/!transform/invoice makes one
// of the invoices.
func (s *Sandbox) byName(e *endpoint) *collection {
	if e.path.isItem() || len(e.path.segments) < 2 {
		return nil
	}
	var found *collection
	for _, c := range s.collections {
		if strings.EqualFold(c.name, e.path.lastLiteral()) && c.path.key != e.path.key {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// bySchema finds the collection whose records have the schema that the endpoint answers with or takes.
func (s *Sandbox) bySchema(e *endpoint) *collection {
	var names []string
	if listed, ok := e.listed(); ok {
		names = append(names, listed.name)
	}
	if _, name := e.recordSchema(); name != "" {
		names = append(names, name)
	}
	if body := e.op.Body; body != nil && len(body.Content) > 0 {
		schema, name := e.defs.resolve(body.Content[0].Schema)
		if typeOf(schema) == "array" {
			_, name = e.defs.items(schema)
		}
		names = append(names, name)
	}
	var found *collection
	for _, c := range s.collections {
		if c.title == "" || !slices.Contains(names, c.title) {
			continue
		}
		if found == nil || len(c.path.segments) < len(found.path.segments) {
			found = c
		}
	}
	return found
}

// parentOf finds the endpoint that reads the record under whose path e lies, nil where there is none.
func (s *Sandbox) parentOf(e *endpoint) *endpoint {
	for path := e.path; len(path.segments) > 1; {
		path = path.parent()
		if !path.isItem() {
			continue
		}
		for _, other := range s.endpoints {
			if other.path.key == path.key && other.isOne() {
				return other
			}
		}
	}
	return nil
}
