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
