package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"mcpgate/config"
)

// filler puts values in the places of a template's markers. A value becomes one literal of the parsed query, or a list of
// them in IN; there is no text that it could end.
type filler struct {
	dialect *dialect
	values  func(name string) (any, *config.Argument)
	err     error
}

func (f *filler) query(q *Select) error {
	if !visitQuery(q, f.fill) && f.err == nil {
		f.err = errors.New("has several values where one belongs: a list stands in IN ({name})")
	}
	return f.err
}

// fill returns what stands for one expression: of a marker one or more values, of anything else itself.
func (f *filler) fill(e Expression) []Expression {
	marker, ok := e.(Marker)
	if !ok || f.err != nil {
		return []Expression{e}
	}
	value, a := f.values(marker.Name)
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	if len(list) == 0 {
		f.err = errors.New("must have a value")
		return []Expression{e}
	}
	var out []Expression
	for _, one := range list {
		filled, err := f.dialect.argument(one, a)
		if err != nil {
			f.err = err
		}
		out = append(out, filled)
	}
	return out
}

// argument is a value of an argument as the language writes it.
func (d *dialect) argument(value any, a *config.Argument) (Expression, error) {
	switch value := value.(type) {
	case bool:
		if d.soql {
			return Literal{value}, nil
		}
		return Literal{map[bool]string{true: "T", false: "F"}[value]}, nil
	case json.Number:
		return Literal{value}, nil
	case string:
		return d.text(value, a)
	}
	return Literal{""}, fmt.Errorf("has no place in a query: it must be a text, a number, true or false")
}

func (d *dialect) text(value string, a *config.Argument) (Expression, error) {
	format := ""
	if a != nil {
		format = a.Format
	}
	switch format {
	case "identifier":
		if namePattern.FindString(value) != value {
			return Literal{""}, fmt.Errorf("must be the name of a field")
		}
		return Column{value}, nil
	case "date":
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return Literal{""}, fmt.Errorf("must be a date such as 2026-01-31")
		}
		if d.soql {
			return Literal{Date(value)}, nil
		}
		return Call{Function: "TO_DATE", Arguments: []Expression{Literal{value}, Literal{"YYYY-MM-DD"}}}, nil
	case "date-time":
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return Literal{""}, fmt.Errorf("must be a time such as 2026-01-31T10:00:00Z")
		}
		return Literal{Date(value)}, nil
	}
	return Literal{value}, nil
}

// visitQuery puts what change returns in the place of every value of a query, the inner ones first. It reports whether
// one came back wherever one belongs: only IN and functions take several.
func visitQuery(q *Select, change func(Expression) []Expression) bool {
	v := &visitor{change: change}
	v.query(q)
	return !v.crowded
}

type visitor struct {
	change  func(Expression) []Expression
	crowded bool // several values came back for one
}

func (v *visitor) query(q *Select) {
	for i := range q.Fields {
		q.Fields[i].Value = v.one(q.Fields[i].Value)
	}
	for i := range q.From {
		if q.From[i].Query != nil {
			v.query(q.From[i].Query)
		}
		v.condition(&q.From[i].On)
	}
	v.condition(&q.Where)
	q.GroupBy = v.list(q.GroupBy)
	v.condition(&q.Having)
	for i := range q.OrderBy {
		q.OrderBy[i].Value = v.one(q.OrderBy[i].Value)
	}
}

func (v *visitor) condition(c *Condition) {
	if *c != nil {
		*c, _ = v.one(*c).(Condition)
	}
}

func (v *visitor) list(list []Expression) (out []Expression) {
	for _, e := range list {
		out = append(out, v.many(e)...)
	}
	return out
}

func (v *visitor) one(e Expression) Expression {
	if e == nil {
		return nil
	}
	all := v.many(e)
	v.crowded = v.crowded || len(all) > 1
	return all[0]
}

func (v *visitor) many(e Expression) []Expression {
	switch e := e.(type) {
	case Call:
		e.Arguments = v.list(e.Arguments)
		return []Expression{e}
	case Binary:
		e.Left, e.Right = v.one(e.Left), v.one(e.Right)
		return []Expression{e}
	case Case:
		e.Of, e.Else = v.one(e.Of), v.one(e.Else)
		for i := range e.When {
			e.When[i].If, e.When[i].Then = v.one(e.When[i].If), v.one(e.When[i].Then)
		}
		return []Expression{e}
	case *Select:
		v.query(e)
	case And:
		for i := range e {
			v.condition(&e[i])
		}
	case Or:
		for i := range e {
			v.condition(&e[i])
		}
	case Not:
		v.condition(&e.Condition)
		return []Expression{e}
	case Exists:
		v.query(e.Query)
	case Comparison:
		e.Left = v.one(e.Left)
		right := v.list(e.Right)
		takesMany := strings.HasSuffix(e.Operator, "IN") || strings.HasSuffix(e.Operator, "CLUDES")
		v.crowded = v.crowded || len(right) > len(e.Right) && !takesMany
		e.Right = right
		return []Expression{e}
	default:
		return v.change(e)
	}
	return []Expression{e}
}
