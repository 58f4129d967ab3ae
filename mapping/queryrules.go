package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// rules are what a query may read. prepare makes a parsed query keep to them, or says what does not.
type rules struct {
	dialect *dialect
	tables  []string            // the only tables; empty where any may be read
	fields  map[string][]string // the only fields, by table; of a table without a list, any
	limit   int                 // rows at most; 0 where it is the query's own business
}

// prepare checks every name of the query, wherever it stands, writes the lists out for *, says which table a name belongs
// to where several could be meant, and puts the limit in.
func (r *rules) prepare(q *Select) error {
	if err := r.query(q, nil); err != nil {
		return err
	}
	r.bound(q)
	return nil
}

// restricted reports whether there are lists at all.
func (r *rules) restricted() bool { return len(r.tables) > 0 }

// A list for each * of many tables would be far longer than the query. No question needs so much.
const (
	maxSources = 50   // of one FROM
	maxWritten = 5000 // fields of one SELECT, with those that * stands for
)

// source is one table of a query's FROM.
type source struct {
	name   string   // by which the query's fields call it
	table  string   // as the lists have it; "" of a subquery
	fields []string // the only ones
	any    bool     // no list stands for it
}

func (s *source) has(field string) bool {
	_, ok := spelled(s.fields, field)
	return s.any || ok
}

// scope is what a name in one SELECT may mean.
type scope struct {
	rules   *rules
	sources []*source
	outer   *scope
	aliases []string // of the SELECT's fields
}

// query checks one SELECT; outer is the one that it stands in.
func (r *rules) query(q *Select, outer *scope) error {
	s := &scope{rules: r, outer: outer}
	if len(q.From) > maxSources {
		return fmt.Errorf("the query reads %d tables at once; %d are the most", len(q.From), maxSources)
	}
	for i := range q.From {
		if err := s.add(&q.From[i]); err != nil {
			return err
		}
	}
	if r.dialect.soql {
		q.From[0].Alias = "" // its fields lose it too: what is sent can't be read in two ways
	}
	if err := s.expand(q); err != nil {
		return err
	}
	for _, f := range q.Fields {
		if f.Alias != "" {
			s.aliases = append(s.aliases, f.Alias)
		}
	}
	w := &walker{scope: s}
	for i := range q.Fields {
		child, isChild := q.Fields[i].Value.(*Select)
		if isChild && r.dialect.soql {
			if err := r.children(child); err != nil {
				return err
			}
			continue
		}
		w.replace(&q.Fields[i].Value)
	}
	for i := range q.From {
		w.condition(&q.From[i].On)
	}
	w.condition(&q.Where)
	w.list(q.GroupBy)
	w.condition(&q.Having)
	for i, o := range q.OrderBy {
		if c, ok := o.Value.(Column); ok { // a field's other name
			if _, ok := spelled(s.aliases, c.Name); ok {
				continue
			}
		}
		w.replace(&q.OrderBy[i].Value)
	}
	return w.err
}

// children checks a subquery among SOQL's fields: FROM names a relation there, such as Contacts.
func (r *rules) children(q *Select) error {
	if r.restricted() {
		if _, ok := spelled(r.tables, q.From[0].Name); !ok {
			if table, ok := r.childTable(q.From[0].Name); ok {
				written := q.From[0].Name
				q.From[0].Name = table
				if q.From[0].Alias == "" { // its fields may be called by the relation too
					q.From[0].Alias = written
				}
				err := r.query(q, nil)
				q.From[0].Name = written
				return err
			}
		}
	}
	return r.query(q, nil)
}

// childTable is the table that a standard relation's name is the plural of.
func (r *rules) childTable(relation string) (string, bool) {
	for _, table := range r.tables {
		for _, plural := range []string{table + "s", table + "es", strings.TrimSuffix(table, "y") + "ies"} {
			if sameName(plural, relation) {
				return table, true
			}
		}
	}
	return "", false
}

// add puts a table of FROM into the scope.
func (s *scope) add(t *Table) error {
	r := s.rules
	one := &source{name: t.Alias}
	switch {
	case t.Query != nil:
		if err := r.query(t.Query, s.outer); err != nil {
			return err
		}
		one.fields, one.any = outputs(t.Query)
	default:
		one.table = t.Name
		if one.name == "" {
			one.name = t.Name[strings.LastIndexByte(t.Name, '.')+1:]
		}
		if r.restricted() {
			known, ok := spelled(r.tables, t.Name)
			if !ok {
				return unknownName("table", t.Name, "", r.tables)
			}
			one.table = known
		}
		one.fields, one.any = r.fieldsOf(one.table)
	}
	for _, other := range s.sources {
		if one.name != "" && sameName(other.name, one.name) && r.restricted() {
			return fmt.Errorf("two tables are called %s: give them other names, as in FROM %s a", one.name, one.name)
		}
	}
	s.sources = append(s.sources, one)
	return nil
}

// fieldsOf returns the fields of a table that may be read; any where no list stands for it.
func (r *rules) fieldsOf(table string) (fields []string, any bool) {
	for _, key := range sortedKeys(r.fields) {
		if sameName(key, table) {
			return r.fields[key], false
		}
	}
	return nil, true
}

// outputs are the names that a subquery's columns have outside of it.
func outputs(q *Select) (names []string, any bool) {
	for _, f := range q.Fields {
		switch value := f.Value.(type) {
		case Star:
			any = true
		case Column:
			if f.Alias == "" {
				names = append(names, value.Name[strings.LastIndexByte(value.Name, '.')+1:])
			}
		}
		if f.Alias != "" {
			names = append(names, f.Alias)
		}
	}
	return names, any
}

// expand writes the list of fields out where the query says *.
func (s *scope) expand(q *Select) error {
	var out []Selected
	for _, f := range q.Fields {
		star, ok := f.Value.(Star)
		if !ok {
			out = append(out, f)
			continue
		}
		fields, err := s.all(star)
		if err != nil {
			return err
		}
		if out = append(out, fields...); len(out) > maxWritten {
			return fmt.Errorf("* stands for more than %d fields here: name the fields", maxWritten)
		}
	}
	q.Fields = out
	return nil
}

// all is what a * stands for: the fields of the lists, or itself where there is none.
func (s *scope) all(star Star) ([]Selected, error) {
	var out []Selected
	listed, found := false, false
	for _, one := range s.sources {
		if star.Table != "" && !sameName(star.Table, one.name) {
			continue
		}
		found = true
		if one.any {
			out = append(out, Selected{Value: Star{Table: one.name}})
			continue
		}
		listed = true
		for _, field := range one.fields {
			switch {
			case s.rules.dialect.soql && (strings.Contains(field, ".") || s.rules.isRelation(field)): // a parent's
			case s.rules.dialect.soql || len(s.sources) == 1 && s.outer == nil:
				out = append(out, Selected{Value: Column{field}})
			default:
				out = append(out, Selected{Value: Column{one.name + "." + field}})
			}
		}
	}
	switch {
	case !found:
		return nil, unknownName("table", star.Table, "", s.names())
	case !listed && s.rules.dialect.soql && star.Group == "":
		return nil, fmt.Errorf("SOQL has no *: name the fields")
	case !listed:
		return []Selected{{Value: star}}, nil
	case len(out) == 0:
		return nil, fmt.Errorf("* stands for no field here: name the fields")
	}
	return out, nil
}

// isRelation reports whether a listed field of SOQL is a parent with a list of its own: it can't be selected itself.
func (r *rules) isRelation(field string) bool {
	_, ok := spelled(r.tables, field)
	return ok
}

func (s *scope) names() (names []string) {
	for _, one := range s.sources {
		names = append(names, one.name)
	}
	return names
}

// bound puts the limit into a query that has none, or a higher one, and into those of SOQL's children. A SOQL query that
// only counts has one row, and must not have a limit.
func (r *rules) bound(q *Select) {
	if r.limit <= 0 {
		return
	}
	counts := false
	for _, f := range q.Fields {
		call, isCall := f.Value.(Call)
		counts = counts || isCall && slices.Contains(aggregates, call.Function)
		if child, ok := f.Value.(*Select); ok && r.dialect.soql {
			r.bound(child)
		}
	}
	if r.dialect.soql && counts && len(q.GroupBy) == 0 && q.Limit == nil {
		return
	}
	if q.Limit == nil || *q.Limit > r.limit {
		q.Limit = new(r.limit)
	}
}

// unknownName says that a name may not be used, and which may.
func unknownName(kind, name, where string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("there is no %s %s%s here", kind, name, where)
	}
	list := strings.Join(known, ", ")
	if near := suggest(name, known); near != "" {
		return fmt.Errorf("there is no %s %s%s here; %s There are %s", kind, name, where, near, list)
	}
	return fmt.Errorf("there is no %s %s%s here; there are %s", kind, name, where, list)
}
