package sandbox

import (
	"encoding/json"
	"slices"
	"strings"

	"mcpgate/mapping"
	"mcpgate/specs"
)

// action is what an endpoint does to records.
type action int

const (
	answer  action = iota // nothing: an example, or what the schema says
	list                  // GET of many
	get                   // GET of one
	create                // POST to many
	update                // PATCH of one, or a POST to it
	replace               // PUT of one
	remove                // DELETE of one
	alone                 // GET, PUT or PATCH of a thing that there is only one of, such as /settings
	query                 // a query language
)

// endpoint is one operation, understood.
type endpoint struct {
	method string
	path   pattern
	does   action
	of     *collection     // nil where it is about no records
	on     *endpoint       // the record that an answer belongs to, as /orders/{id} for /orders/{id}/cancel; may be nil
	query  *mapping.Query  // of a query
	op     specs.Operation // empty where no document has it
	defs   definitions
	many   bool // the body is a list of records
	// arguments are the types of a tool's arguments, where no document says what its path takes.
	arguments map[string]specs.Schema
}

// compile understands the operations of the documents, and the tools that no document describes.
func (s *Sandbox) compile(documents []*specs.Document, tools []*mapping.Tool) {
	for _, document := range documents {
		if document == nil {
			continue // one that could not be read, while the upstream's others could
		}
		for _, op := range document.Operations() {
			s.endpoints = append(s.endpoints, &endpoint{
				method: strings.ToUpper(op.Method), path: parsePattern(op.Path), op: *op, defs: document.Defs,
			})
		}
	}
	for _, tool := range tools {
		s.addTool(tool)
	}
	homes := map[string]*collection{}
	for _, e := range s.endpoints {
		s.findHome(e, homes)
	}
	for _, e := range s.endpoints {
		s.understand(e, homes)
	}
	for _, e := range s.endpoints {
		if e.does == answer {
			e.on = s.parentOf(e)
		}
		if e.of != nil {
			s.findAbove(e)
		}
	}
}

// isOne reports whether the last placeholder of the path is a record's id.
func (e *endpoint) isOne() bool {
	return e.of != nil && e.path.isItem() && (e.does == get || e.does == update || e.does == replace || e.does == remove)
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

// addTool adds what a tool knows and the documents do not: its endpoint, or that it takes a query.
func (s *Sandbox) addTool(tool *mapping.Tool) {
	path := parsePattern(tool.Path)
	i := slices.IndexFunc(s.endpoints, func(e *endpoint) bool {
		return e.method == tool.Method && e.path.key == path.key
	})
	if i < 0 {
		s.endpoints = append(s.endpoints, &endpoint{method: tool.Method, path: path, arguments: argumentsOf(tool)})
		i = len(s.endpoints) - 1
	}
	if tool.Query != nil {
		s.endpoints[i].query = tool.Query
	}
}

// argumentsOf reads a tool's schema; one that can't be read says nothing.
func argumentsOf(tool *mapping.Tool) map[string]specs.Schema {
	var schema specs.Schema
	if json.Unmarshal(tool.InputSchema, &schema) != nil {
		return nil
	}
	return properties(schema)
}

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

// understand decides what an endpoint does.
func (s *Sandbox) understand(e *endpoint, homes map[string]*collection) {
	if e.query != nil {
		e.does = query
		return
	}
	if e.path.isItem() {
		if home := homes[e.path.parent().key]; home != nil && s.isOnOne(e, home) {
			e.does, e.of = onOne[e.method], home
			return
		}
	}
	home := homes[e.path.key]
	e.many = typeOf(e.bodySchema()) == "array"
	switch e.method {
	case "GET":
		s.understandGet(e, home, homes)
	case "POST":
		s.understandPost(e, home)
	case "PUT", "PATCH":
		if home == nil {
			home = s.bySchema(e)
		}
		switch {
		case home != nil && e.namesItsRecord(home):
			e.does, e.of = map[string]action{"PUT": replace, "PATCH": update}[e.method], home
		case s.hasMethod(e.path, "GET"):
			e.does = alone
		}
	}
}

// isOnOne reports whether an endpoint at the path of one record is about that record.
func (s *Sandbox) isOnOne(e *endpoint, home *collection) bool {
	switch {
	case onOne[e.method] == answer || e.method == "GET" && e.isList() || s.isFile(e, home):
		return false
	case e.method == "POST":
		return s.reads(e.path)
	case e.method == "DELETE" || e.method == "PATCH":
		// What nothing makes, shows or lists is nothing to be kept: there is only an answer.
		return e.op.Method == "" || s.reads(e.path) || s.hasMethod(home.path, "POST") || s.hasMethod(home.path, "GET") || s.hasMethod(e.path, "PUT")
	}
	return true
}

// reads reports whether one record can be read at the path.
func (s *Sandbox) reads(path pattern) bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool {
		return e.method == "GET" && e.path.key == path.key && !e.isList()
	})
}

// isFile reports whether a GET of one thing gives no record: a picture, say, that nothing here can make or list.
func (s *Sandbox) isFile(e *endpoint, home *collection) bool {
	return e.method == "GET" && e.op.Method != "" && len(properties(home.schema)) == 0 &&
		!s.hasMethod(home.path, "POST") && !s.hasMethod(home.path, "GET")
}

// onOne is what each method does at the path of one record; the others only answer.
var onOne = map[string]action{"GET": get, "POST": update, "PUT": replace, "PATCH": update, "DELETE": remove}

// namesItsRecord reports whether a write to the collection's own path says in its body which record is meant.
func (e *endpoint) namesItsRecord(home *collection) bool {
	body := e.bodySchema()
	if typeOf(body) == "array" {
		body, _ = e.defs.items(body)
	}
	_, named := properties(body)[home.idName]
	return e.path.key == home.path.key && (named || e.op.Method == "")
}

func (e *endpoint) isList() bool {
	_, ok := e.listed()
	return ok
}

func (s *Sandbox) hasMethod(path pattern, method string) bool {
	return slices.ContainsFunc(s.endpoints, func(e *endpoint) bool {
		return e.method == method && e.path.key == path.key
	})
}

func (s *Sandbox) understandGet(e *endpoint, home *collection, homes map[string]*collection) {
	listed, isList := e.listed()
	undocumented := e.op.Method == ""
	switch {
	case home != nil && (isList || undocumented || e.successSchema() == nil):
		e.does, e.of = list, home
	case isList:
		e.does = list
		if e.of = s.bySchema(e); e.of == nil {
			c := s.addCollection(e.path, e)
			c.schema, c.title = listed.item, listed.name
			c.identify("id")
			if _, shown := properties(c.schema)[c.idName]; !shown && len(properties(c.schema)) > 0 {
				c.idName = "" // nothing reads one of these, so nobody needs it
			}
			homes[e.path.key] = c
			e.of = c
		}
	case undocumented && !e.path.isItem() && s.hasMethod(e.path, "POST"):
		c := s.addCollection(e.path, e)
		c.identify("id")
		homes[e.path.key] = c
		e.does, e.of = list, c
	default:
		e.does = alone
	}
}

func (s *Sandbox) understandPost(e *endpoint, home *collection) {
	if home == nil {
		// GET at the same path lists what is created here, although none can be read by itself.
		for _, other := range s.endpoints {
			if other.method == "GET" && other.path.key == e.path.key && (other.isList() || other.op.Method == "") {
				s.understandGet(other, nil, map[string]*collection{})
				home = other.of
			}
		}
	}
	if home == nil && !s.isStep(e) {
		home = s.bySchema(e)
	}
	if home == nil {
		home = s.byName(e)
	}
	if home != nil {
		e.does, e.of = create, home
	}
}

// isStep reports whether the endpoint is something to do with one record, such as POST /orders/{id}/cancel.
func (s *Sandbox) isStep(e *endpoint) bool {
	return len(e.path.segments) > 1 && e.path.parent().isItem() && s.parentOf(e) != nil
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
