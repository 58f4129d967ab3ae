package mapping

import "errors"

// Select is a parsed `SELECT fields FROM type WHERE field = value AND ... ORDER BY field LIMIT n OFFSET n`.
type Select struct {
	Fields  []string // {"*"} for all
	From    string
	Where   []Condition // all of them hold
	OrderBy []Order
	Limit   int // 0 where there is none
	Offset  int
}

// Condition compares a field with a literal.
type Condition struct {
	Field    string
	Operator string // =, !=, <, <=, >, >=, LIKE, IN
	Value    any    // string, json.Number, bool, nil, or []any of these for IN
}

// Order sorts by a field.
type Order struct {
	Field      string
	Descending bool
}

// ParseSelect reads the part of SQL that SuiteQL and SOQL share. An error names the place and what was expected.
func ParseSelect(text string) (*Select, error) { return nil, errors.New("not built") }
