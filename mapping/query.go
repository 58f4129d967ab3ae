package mapping

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Select is a parsed query: the part of SQL that SuiteQL and SOQL share.
type Select struct {
	Fields  []Selected
	From    string // the type or table
	Alias   string // of From; "" where there is none
	Where   Condition
	OrderBy []Order
	Limit   *int // LIMIT n, or FETCH FIRST n ROWS ONLY; nil where there is none
	Offset  int
}

// Selected is one column of the answer.
type Selected struct {
	Function string // COUNT, or "" for a plain field
	Name     string // dotted as written; "*" for all; of COUNT() ""
	Alias    string // "" where there is none
}

// Condition is what a WHERE holds: an And, an Or, a Not or a Comparison; nil where there is no WHERE.
type Condition interface {
	fmt.Stringer
	condition()
}

// And holds where all of its conditions do; it has two or more.
type And []Condition

// Or holds where one of its conditions does; it has two or more.
type Or []Condition

// Not holds where its condition does not.
type Not struct{ Condition Condition }

// Comparison compares a field with a literal.
type Comparison struct {
	Field string // dotted as written
	// Operator is =, !=, <, <=, >, >=, LIKE, NOT LIKE, IN, NOT IN, IS NULL or IS NOT NULL.
	Operator string
	// Value is a string, json.Number, bool, Date or nil; of IN and NOT IN a []any of these, of IS NULL nil.
	Value any
}

// Date is an unquoted date or time as SOQL writes it: 2026-01-31 or 2026-01-31T10:00:00Z.
type Date string

// String writes the query on one line, keywords in capitals, quotes in texts as ” and backslashes as \\.
func (s *Select) String() string {
	var out strings.Builder
	out.WriteString("SELECT ")
	for i, field := range s.Fields {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(field.String())
	}
	out.WriteString(" FROM " + s.From)
	if s.Alias != "" {
		out.WriteString(" AS " + s.Alias)
	}
	if s.Where != nil {
		out.WriteString(" WHERE " + s.Where.String())
	}
	for i, order := range s.OrderBy {
		if i == 0 {
			out.WriteString(" ORDER BY ")
		} else {
			out.WriteString(", ")
		}
		out.WriteString(order.String())
	}
	if s.Limit != nil {
		fmt.Fprintf(&out, " LIMIT %d", *s.Limit)
	}
	if s.Offset > 0 {
		fmt.Fprintf(&out, " OFFSET %d", s.Offset)
	}
	return out.String()
}

// String writes the column as a query does.
func (s Selected) String() string {
	text := s.Name
	if s.Function != "" {
		text = s.Function + "(" + s.Name + ")"
	}
	if s.Alias != "" {
		text += " AS " + s.Alias
	}
	return text
}

// String writes the order as ORDER BY does.
func (o Order) String() string {
	text := o.Field
	if o.Descending {
		text += " DESC"
	}
	if o.Nulls != "" {
		text += " NULLS " + o.Nulls
	}
	return text
}

// String writes the conditions with AND between them.
func (a And) String() string { return joinConditions(a, " AND ") }

// String writes the conditions with OR between them.
func (o Or) String() string { return joinConditions(o, " OR ") }

// String writes NOT and the condition.
func (n Not) String() string { return "NOT " + inParentheses(n.Condition) }

// String writes the comparison.
func (c Comparison) String() string {
	switch c.Operator {
	case "IS NULL", "IS NOT NULL":
		return c.Field + " " + c.Operator
	}
	return c.Field + " " + c.Operator + " " + literalText(c.Value)
}

func joinConditions(terms []Condition, word string) string {
	texts := make([]string, len(terms))
	for i, term := range terms {
		texts[i] = inParentheses(term)
	}
	return strings.Join(texts, word)
}

// inParentheses writes a condition so that it stays together inside another.
func inParentheses(c Condition) string {
	switch c.(type) {
	case And, Or:
		return "(" + c.String() + ")"
	}
	return c.String()
}

// literalText writes a value as a query does.
func literalText(value any) string {
	switch value := value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strings.ToUpper(fmt.Sprint(value))
	case []any:
		texts := make([]string, len(value))
		for i, item := range value {
			texts[i] = literalText(item)
		}
		return "(" + strings.Join(texts, ", ") + ")"
	case json.Number:
		return value.String()
	case Date:
		return string(value)
	}
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(fmt.Sprint(value)) + "'"
}

func (And) condition()        {}
func (Or) condition()         {}
func (Not) condition()        {}
func (Comparison) condition() {}

// Order sorts by a field.
type Order struct {
	Field      string
	Descending bool
	// Nulls is "FIRST", "LAST", or "" where the query does not say.
	Nulls string
}
