package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"mcpgate/mapping"
)

// statement is what the sandbox runs of a query: fields of one table, or a count of its rows.
type statement struct {
	fields  []selected
	from    string
	alias   string
	where   mapping.Condition // comparisons of a mapping.Column with mapping.Literals
	orderBy []order
	limit   *int
	offset  int
}

// selected is one column of the answer.
type selected struct {
	function string // COUNT, or "" for a plain field
	name     string // "*" for all; of COUNT() ""
	alias    string
}

// order sorts by a field.
type order struct {
	field      string
	descending bool
	nulls      string // FIRST, LAST or ""
}

// statement takes a query apart. What the language can and the sandbox can't is an error that says so.
func (c *call) statement(q *mapping.Select) (*statement, error) {
	switch {
	case len(q.From) > 1 || q.From[0].Query != nil:
		return nil, errors.New("the sandbox does not run joins and tables made by a subquery: read one table, then the other by its ids; the real API runs it")
	case len(q.GroupBy) > 0 || q.Having != nil || q.Distinct:
		return nil, errors.New("the sandbox does not run GROUP BY, HAVING and DISTINCT; the real API does")
	}
	s := &statement{from: q.From[0].Name, alias: q.From[0].Alias, limit: q.Limit, offset: q.Offset}
	for _, f := range q.Fields {
		field, err := field(f)
		if err != nil {
			return nil, err
		}
		s.fields = append(s.fields, field)
	}
	for _, o := range q.OrderBy {
		column, ok := unwrapped(o.Value).(mapping.Column)
		if !ok {
			return nil, errors.New("the sandbox sorts by plain fields only; the real API sorts by any value")
		}
		s.orderBy = append(s.orderBy, order{column.Name, o.Descending, o.Nulls})
	}
	var err error
	if q.Where != nil {
		s.where, err = c.condition(q.Where)
	}
	return s, err
}

func field(f mapping.Selected) (selected, error) {
	out := selected{alias: f.Alias}
	switch value := f.Value.(type) {
	case mapping.Column:
		out.name = value.Name
		return out, nil
	case mapping.Star:
		out.name = "*"
		return out, nil
	case mapping.Call:
		if value.Function != "COUNT" || value.Distinct {
			return out, fmt.Errorf("the sandbox knows no function but COUNT among the fields, and so not %s; the real API does", value.Function)
		}
		out.function = "COUNT"
		if len(value.Arguments) == 0 {
			return out, nil
		}
		switch argument := value.Arguments[0].(type) {
		case mapping.Star:
			out.name = "*"
			return out, nil
		case mapping.Column:
			out.name = argument.Name
			return out, nil
		}
	}
	return out, errors.New("the sandbox selects plain fields and COUNT only; the real API runs the rest")
}

// condition makes every comparison one of a field with literals.
func (c *call) condition(from mapping.Condition) (mapping.Condition, error) {
	switch from := from.(type) {
	case mapping.And:
		out, err := c.conditions(from)
		return mapping.And(out), err
	case mapping.Or:
		out, err := c.conditions(from)
		return mapping.Or(out), err
	case mapping.Not:
		inner, err := c.condition(from.Condition)
		return mapping.Not{Condition: inner}, err
	case mapping.Comparison:
		return c.comparison(from)
	}
	return nil, errors.New("the sandbox does not run EXISTS; the real API does")
}

func (c *call) conditions(from []mapping.Condition) (out []mapping.Condition, err error) {
	for _, one := range from {
		plain, err := c.condition(one)
		if err != nil {
			return nil, err
		}
		out = append(out, plain)
	}
	return out, nil
}

func (c *call) comparison(from mapping.Comparison) (mapping.Condition, error) {
	column, ok := unwrapped(from.Left).(mapping.Column)
	if !ok {
		return nil, errors.New("the sandbox compares fields with values only, the field on the left; the real API compares any two")
	}
	out := mapping.Comparison{Left: column, Operator: from.Operator}
	for _, right := range from.Right {
		if query, ok := right.(*mapping.Select); ok {
			values, err := c.values(query)
			if err != nil {
				return nil, err
			}
			out.Right = append(out.Right, values...)
			continue
		}
		literal, ok := unwrapped(right).(mapping.Literal)
		if !ok {
			return nil, errors.New("the sandbox compares fields with texts, numbers and dates only; the real API compares any two")
		}
		out.Right = append(out.Right, literal)
	}
	between := mapping.And{
		mapping.Comparison{Left: column, Operator: ">=", Right: out.Right[:min(1, len(out.Right))]},
		mapping.Comparison{Left: column, Operator: "<=", Right: out.Right[min(1, len(out.Right)):]},
	}
	switch from.Operator {
	case "BETWEEN":
		return between, nil
	case "NOT BETWEEN":
		return mapping.Not{Condition: between}, nil
	case "INCLUDES", "EXCLUDES":
		return nil, fmt.Errorf("the sandbox does not run %s; the real API does", from.Operator)
	}
	return out, nil
}

// values are what a subquery of one column answers.
func (c *call) values(q *mapping.Select) (out []mapping.Expression, err error) {
	rows, _, err := c.selected(q)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		delete(row, "attributes")
		for _, v := range row {
			out = append(out, mapping.Literal{Value: v})
		}
	}
	return out, nil
}

// unwrapped takes off the functions that change nothing here: the sandbox compares without case, and knows a date when it
// sees one.
func unwrapped(e mapping.Expression) mapping.Expression {
	if call, ok := e.(mapping.Call); ok && len(call.Arguments) > 0 {
		switch strings.ToUpper(call.Function) {
		case "UPPER", "LOWER", "TRIM", "TO_DATE", "DAY_ONLY":
			return unwrapped(call.Arguments[0])
		}
	}
	return e
}
