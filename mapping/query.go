package mapping

import (
	"errors"
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
type Condition interface{ condition() }

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

// ParseSelect reads the part of SQL that SuiteQL and SOQL share:
//
//	SELECT fields FROM type [alias] [WHERE condition] [ORDER BY field ...] [LIMIT n] [OFFSET n]
//
// An error names the place and what was expected.
func ParseSelect(text string) (*Select, error) { return nil, errors.New("not built") }
