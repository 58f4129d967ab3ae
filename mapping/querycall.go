package mapping

import (
	"fmt"
	"strings"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// statement is how a query tool makes the text that is sent: out of the caller's query or out of a template, parsed,
// checked, and written down anew. It is immutable.
type statement struct {
	language string
	rules    *rules
	template string
	values   map[string]*config.Argument // of the template

	wire     string            // the argument that carries the query
	argument string            // the client's name for it
	names    map[string]string // the client's names of values
}

// statement reads what gateway.yaml says of a query.
func (c *compilation) statement(path config.Path, q *config.Query) *statement {
	s := &statement{language: q.Language, template: q.Template, values: q.Arguments, wire: q.Argument, names: map[string]string{}}
	s.rules = &rules{dialect: dialects[q.Language], tables: q.Tables, fields: q.Fields, limit: q.Limit}
	if len(q.Tables) == 0 {
		s.rules.tables = sortedKeys(q.Fields)
	}
	if q.Template != "" {
		c.checkStatement(path, s)
	}
	return s
}

// checkStatement makes sure that the template is a query which may be run, and that its {name}s are the arguments.
func (c *compilation) checkStatement(path config.Path, s *statement) {
	at := path.Child("template")
	q, err := parseSelect(s.language, s.template, true)
	if err != nil {
		c.problem(at, "", "the template is no query: %v", err)
		return
	}
	used := map[string]bool{}
	f := &filler{dialect: s.rules.dialect, values: func(name string) (any, *config.Argument) {
		used[name] = true
		return sampleOf(s.values[name]), s.values[name]
	}}
	err = f.query(q)
	if err == nil {
		err = s.rules.prepare(q)
	}
	for _, name := range sortedKeys(used) {
		if s.values[name] == nil {
			c.problem(at, suggest(name, sortedKeys(s.values)), "nothing says what {%s} is; arguments does", name)
			return
		}
	}
	for _, name := range sortedKeys(s.values) {
		if !used[name] {
			c.problem(path.Child("arguments", name), "", "the template has no {%s}", name)
		}
		if a := s.values[name]; a != nil && a.Format == "identifier" {
			c.checkIdentifiers(path.Child("arguments", name, "enum"), s, name)
		}
	}
	if err != nil {
		c.problem(at, "", "the template is no query that may be run: %v", err)
	}
}

// checkIdentifiers tries every name that an argument may give.
func (c *compilation) checkIdentifiers(path config.Path, s *statement, name string) {
	for i, choice := range s.values[name].Enum {
		q, err := parseSelect(s.language, s.template, true)
		if err != nil {
			return // said already
		}
		f := &filler{dialect: s.rules.dialect, values: func(other string) (any, *config.Argument) {
			if other == name {
				return plain(choice), s.values[name]
			}
			return sampleOf(s.values[other]), s.values[other]
		}}
		if err = f.query(q); err == nil {
			err = s.rules.prepare(q)
		}
		if err != nil {
			c.problem(path.Child(itoa(i)), "", "%v can't stand in the template: %v", choice, err)
		}
	}
}

// sampleOf is a value that an argument may have.
func sampleOf(a *config.Argument) any {
	switch {
	case a == nil:
		return ""
	case len(a.Enum) > 0:
		return plain(a.Enum[0])
	case a.Type == "array":
		return []any{"x", "y"} // so that a place which takes one value only shows
	case a.Type == "boolean":
		return true
	case a.Type == "integer" || a.Type == "number":
		return plain(1)
	case a.Format == "date":
		return "2026-01-31"
	case a.Format == "date-time":
		return "2026-01-31T10:00:00Z"
	}
	return ""
}

// declare puts the template's arguments in the place of the query's.
func (c *compilation) declare(p *plan, in *inputs) {
	s := p.statement
	if s == nil || s.template == "" {
		return
	}
	query := in.find(s.wire)
	query.hidden, query.written, query.required = true, true, false
	for _, name := range sortedKeys(s.values) {
		entry := s.values[name]
		schema := map[string]any{"type": "string"}
		if entry.Type != "" {
			schema["type"] = entry.Type
		}
		if items, ok := plain(entry.Items).(map[string]any); ok {
			schema["items"] = items
		}
		if entry.Type == "array" {
			schema["minItems"] = plain(1)
		}
		if entry.Format == "date" || entry.Format == "date-time" {
			schema["format"] = entry.Format
		}
		a := &argument{wire: name, in: "template", schema: p.defs.cleaned(schema), required: entry.Default == nil}
		in.arguments = append(in.arguments, a)
		c.change(p.path.Child("arguments", name), p.defs, a, entry)
	}
	in.sort()
}

// named is the statement with the client's names of its arguments.
func (s *statement) named(in *inputs) *statement {
	out := *s
	out.names = map[string]string{}
	for _, a := range in.arguments {
		switch {
		case a.in == "template":
			out.names[a.wire] = a.name
		case a.wire == s.wire && (s.template == "" || a.written):
			out.argument = a.name
		}
	}
	return &out
}

// write puts the text that is sent into the arguments.
func (s *statement) write(args Arguments) []fault.Field {
	text, path := s.template, ""
	if s.template == "" {
		path = s.argument
		said, isText := args[s.argument].(string)
		if !isText {
			return []fault.Field{{Path: path, Message: "must be a query, as text"}}
		}
		text = said
	}
	q, err := parseSelect(s.language, text, s.template != "")
	if err == nil && s.template != "" {
		f := &filler{dialect: s.rules.dialect, values: func(name string) (any, *config.Argument) {
			path = s.names[name]
			return args[path], s.values[name]
		}}
		err = f.query(q)
	}
	if err == nil {
		err = s.rules.prepare(q)
	}
	if err != nil {
		return []fault.Field{{Path: path, Message: err.Error()}}
	}
	args[s.argument] = q.Text(s.language)
	return nil
}

// about tells the model what may be read; "" where all may.
func (r *rules) about() string {
	var tables []string
	for _, table := range r.tables {
		if fields, any := r.fieldsOf(table); !any {
			table += " (" + strings.Join(fields, ", ") + ")"
		}
		tables = append(tables, table)
	}
	out := ""
	if len(tables) > 0 {
		out = " It may read " + strings.Join(tables, "; ") + "."
	}
	if r.limit > 0 {
		out += fmt.Sprintf(" At most %d rows come back.", r.limit)
	}
	return out
}
