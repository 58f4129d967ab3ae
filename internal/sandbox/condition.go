package sandbox

import (
	"slices"
	"strings"

	"mcpgate/mapping"
)

// holds evaluates a WHERE over one row.
func (t table) holds(c mapping.Condition, row map[string]any) bool {
	switch c := c.(type) {
	case nil:
		return true
	case mapping.And:
		return !slices.ContainsFunc(c, func(inner mapping.Condition) bool { return !t.holds(inner, row) })
	case mapping.Or:
		return slices.ContainsFunc(c, func(inner mapping.Condition) bool { return t.holds(inner, row) })
	case mapping.Not:
		return !t.holds(c.Condition, row)
	case mapping.Comparison:
		column, _ := c.Left.(mapping.Column)
		return compares(t.value(row, column.Name), c.Operator, wanted(c))
	}
	return false
}

// wanted is what a comparison compares with: a list for IN, nothing for IS NULL.
func wanted(c mapping.Comparison) any {
	list := make([]any, len(c.Right))
	for i, e := range c.Right {
		if literal, ok := e.(mapping.Literal); ok {
			list[i] = literal.Value
		}
	}
	switch {
	case strings.HasSuffix(c.Operator, "IN"):
		return list
	case len(list) == 0:
		return nil
	}
	return list[0]
}

// compares says whether a value stands to a literal as the operator says. Nothing but IS NULL, and = null of SOQL, is
// true of a value that isn't there.
func compares(have any, operator string, want any) bool {
	have, _ = flat(have)
	operator = strings.ToUpper(operator)
	switch operator {
	case "IS NULL":
		return have == nil
	case "IS NOT NULL":
		return have != nil
	}
	if want == nil {
		return (have == nil) == (operator == "=")
	}
	if have == nil {
		return operator == "!="
	}
	switch operator {
	case "IN", "NOT IN":
		list, _ := want.([]any)
		found := slices.ContainsFunc(list, func(one any) bool { return compare(text(have), literal(one)) == 0 })
		return found == (operator == "IN")
	case "LIKE":
		return like(strings.ToLower(text(have)), strings.ToLower(literal(want)))
	case "NOT LIKE":
		return !like(strings.ToLower(text(have)), strings.ToLower(literal(want)))
	}
	order := compare(untilDay(text(have), want), literal(want))
	switch operator {
	case "=":
		return order == 0
	case "!=", "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return false
}

// untilDay cuts a time to its date where it is compared with a date.
func untilDay(have string, want any) string {
	wanted := literal(want)
	if isDay(wanted) && len(have) > len(wanted) && isDay(have[:len(wanted)]) {
		return have[:len(wanted)]
	}
	return have
}

func isDay(v string) bool {
	return len(v) == len("2026-01-31") && v[4] == '-' && v[7] == '-'
}

// literal is a query's literal as text. SuiteQL writes true as 'T'.
func literal(v any) string {
	switch v := v.(type) {
	case mapping.Date:
		return string(v)
	case mapping.Pattern:
		return string(v)
	}
	return text(v)
}

// like matches % (any text) and _ (one character).
func like(have, pattern string) bool {
	h, p := []rune(have), []rune(pattern)
	star, mark := -1, 0
	i, j := 0, 0
	for i < len(h) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
		case j < len(p) && (p[j] == '_' || p[j] == h[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}
