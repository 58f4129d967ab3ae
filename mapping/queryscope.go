package mapping

import (
	"fmt"
	"strings"
)

// walker visits every expression of a SELECT and puts each field's checked name in its place. After an error it does
// nothing more.
type walker struct {
	scope *scope
	err   error
}

func (w *walker) condition(c *Condition) {
	if *c == nil || w.err != nil {
		return
	}
	e := w.visit(*c)
	if w.err == nil {
		*c, _ = e.(Condition) // visit keeps a condition one
	}
}

func (w *walker) replace(e *Expression) {
	if *e != nil && w.err == nil {
		*e = w.visit(*e)
	}
}

func (w *walker) list(list []Expression) {
	for i := range list {
		w.replace(&list[i])
	}
}

// visit returns the expression with its names checked. A kind that it does not know is refused: nothing passes unseen.
func (w *walker) visit(e Expression) Expression {
	switch e := e.(type) {
	case Column:
		name, err := w.scope.resolve(e.Name)
		if err != nil {
			w.err = err
		}
		return Column{name}
	case Literal, Named, Marker:
		return e
	case Star: // of COUNT(*): elsewhere expand has written it out
		return e
	case Call:
		w.list(e.Arguments)
		return e
	case Binary:
		w.replace(&e.Left)
		w.replace(&e.Right)
		return e
	case Case:
		w.replace(&e.Of)
		for i := range e.When {
			w.replace(&e.When[i].If)
			w.replace(&e.When[i].Then)
		}
		w.replace(&e.Else)
		return e
	case *Select:
		w.query(e)
		return e
	case And:
		for i := range e {
			w.condition(&e[i])
		}
		return e
	case Or:
		for i := range e {
			w.condition(&e[i])
		}
		return e
	case Not:
		w.condition(&e.Condition)
		return e
	case Exists:
		w.query(e.Query)
		return e
	case Comparison:
		w.replace(&e.Left)
		w.list(e.Right)
		return e
	}
	w.err = fmt.Errorf("%T can't be checked", e)
	return e
}

// query checks a subquery. SOQL's see nothing of the query around them.
func (w *walker) query(q *Select) {
	outer := w.scope
	if w.scope.rules.dialect.soql {
		outer = nil
	}
	if err := w.scope.rules.query(q, outer); err != nil {
		w.err = err
	}
}

// resolve returns the name by which a field is sent.
func (s *scope) resolve(name string) (string, error) {
	if s.rules.dialect.soql {
		return s.resolvePath(name)
	}
	if !s.rules.restricted() {
		return name, nil
	}
	if table, field, qualified := strings.Cut(name, "."); qualified {
		return s.resolveIn(table, field, name)
	}
	return s.resolveAlone(name)
}

// resolveIn checks c.name: the innermost table that is called c.
func (s *scope) resolveIn(table, field, name string) (string, error) {
	var known []string
	for at := s; at != nil; at = at.outer {
		for _, one := range at.sources {
			if !sameName(one.name, table) {
				known = append(known, one.name)
				continue
			}
			if strings.Contains(field, ".") || !one.has(field) {
				return "", unknownName("field", field, " in "+one.name, one.fields)
			}
			return name, nil
		}
	}
	return "", unknownName("table", table, " (of "+name+")", known)
}

// resolveAlone finds the table of a field that is named without one, from the inside to the outside. Where another table
// is in sight the name is sent with its table before it, so that the upstream can't take it for another's.
func (s *scope) resolveAlone(name string) (string, error) {
	var known []string
	for at := s; at != nil; at = at.outer {
		var found []*source
		for _, one := range at.sources {
			if one.has(name) {
				found = append(found, one)
			}
			known = append(known, one.fields...)
		}
		switch {
		case len(found) > 1:
			return "", fmt.Errorf("%s can be a field of several tables: write %s.%s or %s.%s", name, found[0].name, name, found[1].name, name)
		case len(found) == 1 && (len(s.sources) > 1 || s.outer != nil) && found[0].name != "":
			return found[0].name + "." + name, nil
		case len(found) == 1 && (len(s.sources) > 1 || s.outer != nil):
			return "", fmt.Errorf("give the subquery of %s a name, as in FROM (SELECT ...) x, and write x.%s", name, name)
		case len(found) == 1:
			return name, nil
		}
	}
	return "", unknownName("field", name, " in "+strings.Join(s.names(), ", "), known)
}

// resolvePath checks a field of SOQL, which may be a parent's: Account.Name.
func (s *scope) resolvePath(path string) (string, error) {
	one := s.sources[0]
	for _, before := range []string{one.name, one.table} { // the type's other name, or its own
		if head, rest, ok := strings.Cut(path, "."); ok && sameName(head, before) {
			path = rest
			break
		}
	}
	if !s.rules.restricted() {
		return path, nil
	}
	return path, s.rules.path(one.table, path)
}

// path checks a field of a type, or one of its parent's. Where fields are listed the whole path is among them, or the
// relation is, and has the name of a type whose own list has the rest. Without a list the relation's name is enough.
func (r *rules) path(table, path string) error {
	fields, any := r.fieldsOf(table)
	if _, ok := spelled(fields, path); ok {
		return nil
	}
	relation, rest, dotted := strings.Cut(path, ".")
	switch {
	case !dotted && any:
		return nil
	case dotted:
		parent, isTable := spelled(r.tables, relation)
		_, named := spelled(fields, relation)
		if isTable && (any || named) {
			return r.path(parent, rest)
		}
		if any {
			return fmt.Errorf("%s of %s can't be followed here; only parents with the name of one of these can: %s", relation, table, strings.Join(r.tables, ", "))
		}
	}
	return unknownName("field", path, " in "+table, fields)
}
