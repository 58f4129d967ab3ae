package mapping

// Select is a parsed query of SuiteQL or SOQL, also one inside another.
type Select struct {
	Distinct bool
	Fields   []Selected
	From     []Table // one; with SuiteQL's joins more
	Where    Condition
	GroupBy  []Expression
	Having   Condition
	OrderBy  []Order
	Limit    *int // LIMIT n, TOP n, or FETCH FIRST n ROWS ONLY; nil where there is none
	Offset   int
}

// Selected is one column of the answer.
type Selected struct {
	Value Expression
	Alias string // "" where there is none
}

// Table is what FROM names, and how it is joined to those before it.
type Table struct {
	Join  string // "" of the first; a comma, JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN or CROSS JOIN
	Name  string // dotted as written; "" where Query is set
	Query *Select
	Alias string // "" where there is none
	On    Condition
}

// Order sorts by a value.
type Order struct {
	Value      Expression
	Descending bool
	// Nulls is "FIRST", "LAST", or "" where the query does not say.
	Nulls string
}

// Expression is a value: a Column, Star, Literal, Named, Marker, Call, Binary, Case or *Select; or a Condition.
type Expression interface{ expression() }

// Condition is what is true or not: an And, an Or, a Not, a Comparison or an Exists.
type Condition interface {
	Expression
	condition()
}

// Column is a field, dotted as written.
type Column struct{ Name string }

// Star stands for all fields: *, c.*, or in SOQL FIELDS(ALL).
type Star struct {
	Table string // before the dot; "" where there is none
	Group string // ALL, STANDARD or CUSTOM of FIELDS(...); "" of a plain *
}

// Literal is a value that stands in the query: a string, Pattern, json.Number, bool, Date or nil.
type Literal struct{ Value any }

// Pattern is a text of SOQL in which a backslash stands before %, _ and itself, for LIKE.
type Pattern string

// Date is an unquoted date or time as SOQL writes it: 2026-01-31 or 2026-01-31T10:00:00Z.
type Date string

// Named is a value that has a name: SYSDATE, ROWNUM, or in SOQL TODAY and LAST_N_DAYS:30.
type Named struct{ Name string }

// Marker is the place of an argument in a template.
type Marker struct{ Name string }

// Call is a function of its arguments.
type Call struct {
	Function  string
	Distinct  bool
	Arguments []Expression
}

// Binary is + - * / or || between two values.
type Binary struct {
	Left     Expression
	Operator string
	Right    Expression
}

// Case is CASE [Of] WHEN ... THEN ... [ELSE ...] END.
type Case struct {
	Of   Expression // nil where the WHENs are conditions
	When []When
	Else Expression // nil where there is none
}

// When is one branch of a Case.
type When struct{ If, Then Expression }

// And holds where all of its conditions do; it has two or more.
type And []Condition

// Or holds where one of its conditions does; it has two or more.
type Or []Condition

// Not holds where its condition does not.
type Not struct{ Condition Condition }

// Exists holds where a query has a row.
type Exists struct{ Query *Select }

// Comparison compares a value with others.
type Comparison struct {
	Left Expression
	// Operator is =, !=, <, <=, >, >=, LIKE, IN, BETWEEN, the last three also with NOT before them, IS NULL, IS NOT NULL,
	// INCLUDES or EXCLUDES.
	Operator string
	// Right is one value; two of BETWEEN; a list, or one *Select, of IN; none of IS NULL.
	Right []Expression
}

func (Column) expression()     {}
func (Star) expression()       {}
func (Literal) expression()    {}
func (Named) expression()      {}
func (Marker) expression()     {}
func (Call) expression()       {}
func (Binary) expression()     {}
func (Case) expression()       {}
func (*Select) expression()    {}
func (And) expression()        {}
func (Or) expression()         {}
func (Not) expression()        {}
func (Exists) expression()     {}
func (Comparison) expression() {}

func (And) condition()        {}
func (Or) condition()         {}
func (Not) condition()        {}
func (Exists) condition()     {}
func (Comparison) condition() {}
