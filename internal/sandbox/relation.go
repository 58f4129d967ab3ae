package sandbox

import (
	"slices"
	"strings"
)

// has reports whether the table has a column, in any case.
func (t table) has(name string) bool {
	return slices.ContainsFunc(t.columns, func(column string) bool { return strings.EqualFold(column, name) })
}

// written is a column as the records write it.
func (t table) written(column string) string {
	for _, own := range t.columns {
		if strings.EqualFold(own, column) {
			return own
		}
	}
	return column
}

// related finds the table that a dotted column leads to by an id: Account.Name of an Opportunity is the Name of the
// Account whose Id is its AccountId. It is nil where the column leads nowhere.
func (t table) related(column string) (of *table, relation, rest string) {
	relation, rest, dotted := strings.Cut(column, ".")
	if !dotted || !t.has(relation+"Id") || t.sandbox == nil {
		return nil, "", ""
	}
	for _, c := range t.sandbox.collections {
		if !c.called(relation) {
			continue
		}
		_, columns, err := t.sandbox.table(c.name)
		if err != nil {
			return nil, "", ""
		}
		return &table{name: c.name, columns: columns}, c.name, rest
	}
	return nil, "", ""
}

// value is what a row has in a column, of its own or of the record that it refers to.
func (t table) value(row map[string]any, field string) any {
	column := t.column(field)
	of, relation, rest := t.related(column)
	if of == nil {
		return value(row, column)
	}
	id := text(value(row, relation+"Id"))
	for _, c := range t.sandbox.collections {
		if c.name != of.name || id == "" {
			continue
		}
		if r := c.find(id, nil); r != nil {
			return value(r.fields, rest)
		}
	}
	return nil
}
