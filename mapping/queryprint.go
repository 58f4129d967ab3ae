package mapping

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Text writes the query in a language (suiteql, soql or none) on one line: keywords in capitals, and only the parentheses
// that it needs. ParseSelect reads the same query out of it.
func (s *Select) Text(language string) string {
	w := &queryWriter{dialect: dialects[language]}
	w.query(s)
	return w.out.String()
}

// queryWriter writes a query down.
type queryWriter struct {
	dialect *dialect
	out     strings.Builder
}

func (w *queryWriter) put(texts ...string) {
	for _, text := range texts {
		w.out.WriteString(text)
	}
}

// separated writes n things with a text between them.
func (w *queryWriter) separated(n int, between string, write func(int)) {
	for i := range n {
		if i > 0 {
			w.put(between)
		}
		write(i)
	}
}

func (w *queryWriter) query(s *Select) {
	w.put("SELECT ")
	if s.Distinct {
		w.put("DISTINCT ")
	}
	w.separated(len(s.Fields), ", ", func(i int) {
		w.value(s.Fields[i].Value)
		w.alias(s.Fields[i].Alias)
	})
	w.put(" FROM ")
	for _, t := range s.From {
		w.table(t)
	}
	if s.Where != nil {
		w.put(" WHERE ")
		w.value(s.Where)
	}
	if len(s.GroupBy) > 0 {
		w.put(" GROUP BY ")
		w.values(s.GroupBy)
	}
	if s.Having != nil {
		w.put(" HAVING ")
		w.value(s.Having)
	}
	if len(s.OrderBy) > 0 {
		w.put(" ORDER BY ")
		w.separated(len(s.OrderBy), ", ", func(i int) { w.order(s.OrderBy[i]) })
	}
	w.limits(s)
}

func (w *queryWriter) alias(name string) {
	switch {
	case name == "":
	case w.dialect.soql:
		w.put(" ", name)
	default:
		w.put(" AS ", name)
	}
}

func (w *queryWriter) table(t Table) {
	switch t.Join {
	case "":
	case ",":
		w.put(", ")
	default:
		w.put(" ", t.Join, " ")
	}
	if t.Query != nil {
		w.value(t.Query)
	} else {
		w.put(t.Name)
	}
	if t.Alias != "" {
		w.put(" ", t.Alias)
	}
	if t.On != nil {
		w.put(" ON ")
		w.value(t.On)
	}
}

func (w *queryWriter) order(o Order) {
	w.value(o.Value)
	if o.Descending {
		w.put(" DESC")
	}
	if o.Nulls != "" {
		w.put(" NULLS ", o.Nulls)
	}
}

// limits are LIMIT and OFFSET; SuiteQL, as Oracle, has FETCH FIRST, which counts after ORDER BY as ROWNUM does not.
func (w *queryWriter) limits(s *Select) {
	if w.dialect.soql {
		if s.Limit != nil {
			w.put(" LIMIT ", strconv.Itoa(*s.Limit))
		}
		if s.Offset > 0 {
			w.put(" OFFSET ", strconv.Itoa(s.Offset))
		}
		return
	}
	if s.Offset > 0 {
		w.put(" OFFSET ", strconv.Itoa(s.Offset), " ROWS")
	}
	if s.Limit != nil {
		w.put(" FETCH FIRST ", strconv.Itoa(*s.Limit), " ROWS ONLY")
	}
}

func (w *queryWriter) values(list []Expression) {
	w.separated(len(list), ", ", func(i int) { w.value(list[i]) })
}

func (w *queryWriter) value(e Expression) {
	switch e := e.(type) {
	case Column:
		w.put(e.Name)
	case Star:
		w.star(e)
	case Literal:
		w.put(w.dialect.literal(e.Value))
	case Named:
		w.put(e.Name)
	case Marker:
		w.put("{", e.Name, "}")
	case Call:
		w.put(e.Function, "(")
		if e.Distinct {
			w.put("DISTINCT ")
		}
		w.values(e.Arguments)
		w.put(")")
	case Binary:
		w.operand(e.Left)
		w.put(" ", e.Operator, " ")
		w.operand(e.Right)
	case Case:
		w.choice(e)
	case *Select:
		w.put("(")
		w.query(e)
		w.put(")")
	case Condition:
		w.condition(e)
	}
}

func (w *queryWriter) star(s Star) {
	switch {
	case s.Group != "":
		w.put("FIELDS(", s.Group, ")")
	case s.Table != "":
		w.put(s.Table, ".*")
	default:
		w.put("*")
	}
}

func (w *queryWriter) choice(c Case) {
	w.put("CASE")
	if c.Of != nil {
		w.put(" ")
		w.value(c.Of)
	}
	for _, branch := range c.When {
		w.put(" WHEN ")
		w.value(branch.If)
		w.put(" THEN ")
		w.value(branch.Then)
	}
	if c.Else != nil {
		w.put(" ELSE ")
		w.value(c.Else)
	}
	w.put(" END")
}

// operand writes a part so that it stays together inside another.
func (w *queryWriter) operand(e Expression) {
	_, isNot := e.(Not)
	switch e.(type) {
	case And, Or, Binary, Not:
		if isNot && !w.dialect.soql { // SOQL wants them around NOT
			w.value(e)
			return
		}
		w.put("(")
		w.value(e)
		w.put(")")
	default:
		w.value(e)
	}
}

func (w *queryWriter) condition(c Condition) {
	switch c := c.(type) {
	case And:
		w.separated(len(c), " AND ", func(i int) { w.operand(c[i]) })
	case Or:
		w.separated(len(c), " OR ", func(i int) { w.operand(c[i]) })
	case Not:
		w.put("NOT ")
		w.operand(c.Condition)
	case Exists:
		w.put("EXISTS ")
		w.value(c.Query)
	case Comparison:
		w.comparison(c)
	}
}

func (w *queryWriter) comparison(c Comparison) {
	w.value(c.Left)
	w.put(" ", c.Operator)
	switch strings.TrimPrefix(c.Operator, "NOT ") {
	case "IS NULL", "IS NOT NULL":
	case "BETWEEN":
		w.put(" ")
		w.value(c.Right[0])
		w.put(" AND ")
		w.value(c.Right[1])
	case "IN", "INCLUDES", "EXCLUDES":
		if query, ok := c.Right[0].(*Select); ok {
			w.put(" ")
			w.value(query)
			return
		}
		w.put(" (")
		w.values(c.Right)
		w.put(")")
	default:
		w.put(" ")
		w.value(c.Right[0])
	}
}

// literal writes a value so that it can't end before its end: SuiteQL doubles a quote, and a backslash is a backslash;
// SOQL puts a backslash before both.
func (d *dialect) literal(value any) string {
	switch value := value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strings.ToUpper(strconv.FormatBool(value))
	case json.Number:
		return value.String()
	case Date:
		return string(value)
	case Pattern:
		return "'" + soqlPattern.Replace(string(value)) + "'"
	}
	text := fmt.Sprint(value)
	if d.soql {
		return "'" + soqlText.Replace(text) + "'"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

var (
	soqlText    = strings.NewReplacer(append(soqlEscapes, `\`, `\\`)...)
	soqlPattern = strings.NewReplacer(soqlEscapes...) // its backslashes are escapes already
)

var soqlEscapes = []string{"'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`}
