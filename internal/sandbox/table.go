package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"mcpgate/mapping"
)

// table returns the records that a name after FROM means: those of a collection, or of all collections with that tag.
// columns are the names that they may have.
func (s *Sandbox) table(name string) (rows []map[string]any, columns []string, err error) {
	var found []*collection
	for _, c := range s.collections {
		if c.called(name) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		for _, c := range s.collections {
			if slices.ContainsFunc(c.tags, func(tag string) bool { return plain(tag) == plain(name) }) {
				found = append(found, c)
			}
		}
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("there is no table %s here; there are %s", name, strings.Join(s.tables(), ", "))
	}
	for _, c := range found {
		for column := range properties(c.schema) {
			columns = append(columns, column)
		}
		for _, r := range c.records {
			rows = append(rows, r.fields)
			for column := range r.fields {
				columns = append(columns, column)
			}
		}
	}
	slices.Sort(columns)
	return rows, slices.Compact(columns), nil
}

// table evaluates a query's parts over rows of one FROM.
type table struct {
	name, alias string
	columns     []string
	sandbox     *Sandbox // for the records that these refer to
}

// column takes an alias or the table's name off a field.
func (t table) column(field string) string {
	for _, before := range []string{t.alias, t.name} {
		if rest, ok := cutPrefixFold(field, before+"."); ok && before != "" {
			return rest
		}
	}
	return field
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

// check refuses fields that no record has, with those that there are.
func (t table) check(q *statement) error {
	var fields []string
	for _, f := range q.fields {
		if f.name != "*" && f.name != "" {
			fields = append(fields, f.name)
		}
	}
	fields = append(fields, conditionFields(q.where)...)
	for _, o := range q.orderBy {
		if !slices.ContainsFunc(q.fields, func(f selected) bool { return strings.EqualFold(f.alias, o.field) }) {
			fields = append(fields, o.field)
		}
	}
	for _, field := range fields {
		column := t.column(field)
		if of, _, rest := t.related(column); of != nil && of.has(rest) {
			continue
		}
		name, _, _ := strings.Cut(column, ".")
		if !t.has(name) {
			return fmt.Errorf("there is no field %s in %s; there are %s", field, t.name, strings.Join(t.columns, ", "))
		}
	}
	return nil
}

func conditionFields(c mapping.Condition) []string {
	var out []string
	switch c := c.(type) {
	case mapping.And:
		for _, inner := range c {
			out = append(out, conditionFields(inner)...)
		}
	case mapping.Or:
		for _, inner := range c {
			out = append(out, conditionFields(inner)...)
		}
	case mapping.Not:
		return conditionFields(c.Condition)
	case mapping.Comparison:
		if column, ok := c.Left.(mapping.Column); ok {
			return []string{column.Name}
		}
	}
	return out
}

// counted answers SELECT COUNT(...): one row, or for SOQL's COUNT() only the number.
func (t table) counted(q *statement, n int, language string) ([]map[string]any, bool) {
	if len(q.fields) == 0 || q.fields[0].function == "" {
		return nil, false
	}
	row := map[string]any{}
	for i, f := range q.fields {
		name := f.alias
		switch {
		case name != "" && language != "soql":
			name = strings.ToLower(name)
		case name == "" && language == "soql":
			name = fmt.Sprintf("expr%d", i)
		case name == "":
			name = fmt.Sprintf("expr%d", i+1)
		}
		row[name] = asNumber(n)
	}
	return []map[string]any{row}, true
}

func (t table) order(rows []map[string]any, by []order) {
	slices.SortStableFunc(rows, func(a, b map[string]any) int {
		for _, o := range by {
			x, y := t.value(a, o.field), t.value(b, o.field)
			if x == nil || y == nil {
				if x == nil && y == nil {
					continue
				}
				last := 1
				if o.nulls == "FIRST" || o.nulls == "" && !o.descending {
					last = -1
				}
				if y == nil {
					last = -last
				}
				return last
			}
			sign := compare(text(x), text(y))
			if o.descending {
				sign = -sign
			}
			if sign != 0 {
				return sign
			}
		}
		return 0
	})
}

// project makes the answer's row. An object that stands for another record comes out as its id, since a query's rows
// are flat; SuiteQL writes column names in lower case.
func (t table) project(fields []selected, row map[string]any, language string) map[string]any {
	out := map[string]any{}
	put := func(name string, v any) {
		if language == "suiteql" {
			name = strings.ToLower(name)
		}
		out[name] = clone(v)
	}
	for _, f := range fields {
		if f.name == "*" {
			for name, v := range row {
				if flat, ok := flat(v); ok {
					put(name, flat)
				}
			}
			continue
		}
		column := t.column(f.name)
		v, _ := flat(t.value(row, f.name))
		of, relation, rest := t.related(column)
		switch {
		case f.alias != "":
			put(f.alias, v)
		case of != nil: // as SOQL nests it: {"Account": {"Name": ...}}
			inner, ok := out[relation].(map[string]any)
			if !ok {
				inner = map[string]any{}
				out[relation] = inner
			}
			inner[of.written(rest)] = clone(v)
		default:
			put(t.written(column), v)
		}
	}
	if attributes, ok := row["attributes"]; ok && language == "soql" {
		out["attributes"] = clone(attributes)
	}
	return out
}

// flat is a value as a column holds it; false for lists and for objects that stand for no record.
func flat(v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		if id, ok := v["id"]; ok {
			return id, true
		}
		return nil, false
	case []any:
		return nil, false
	}
	return v, true
}
