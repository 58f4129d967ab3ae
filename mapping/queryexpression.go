package mapping

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// operators is what may stand behind a value, for an error.
func (p *parser) operators() string {
	if p.dialect.soql {
		return "=, !=, <, <=, >, >=, LIKE, IN, INCLUDES or EXCLUDES"
	}
	return "=, !=, <, <=, >, >=, LIKE, IN, BETWEEN or IS NULL"
}

func (p *parser) where(query *Select) error {
	if ok, err := p.accept("WHERE"); !ok {
		return err
	}
	condition, err := p.conditions()
	query.Where = condition
	return err
}

// conditions passes something that is true or not.
func (p *parser) conditions() (Condition, error) {
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	condition, ok := e.(Condition)
	if !ok {
		return nil, p.expected(p.operators())
	}
	return condition, nil
}

// value passes something that is not a condition. what says what was expected where nothing can begin.
func (p *parser) value(what string) (Expression, error) {
	start := p.token.start
	e, err := p.sum(what)
	if err != nil {
		return nil, err
	}
	if _, ok := e.(Condition); ok {
		return nil, p.wrong(start, "expected %s, found a condition", what)
	}
	return e, nil
}

func (p *parser) or() (Expression, error) {
	terms, err := p.chain("OR", p.and)
	if len(terms) == 1 {
		return terms[0], err
	}
	return Or(asConditions(terms)), err
}

func (p *parser) and() (Expression, error) {
	terms, err := p.chain("AND", p.not)
	if len(terms) == 1 {
		return terms[0], err
	}
	return And(asConditions(terms)), err
}

func asConditions(terms []Expression) []Condition {
	out := make([]Condition, len(terms))
	for i, term := range terms {
		out[i], _ = term.(Condition) // chain has made sure
	}
	return out
}

// chain passes terms with a keyword between them; where there are several, they are conditions.
func (p *parser) chain(word string, next func() (Expression, error)) ([]Expression, error) {
	var terms []Expression
	for {
		term, err := next()
		if err != nil {
			return nil, err
		}
		_, isCondition := term.(Condition)
		if !isCondition && (len(terms) > 0 || p.is(word)) {
			return nil, p.expected(p.operators())
		}
		terms = append(terms, term)
		if ok, err := p.accept(word); err != nil || !ok {
			return terms, err
		}
	}
}

// not is NOT and a condition, EXISTS, a comparison, or a value.
func (p *parser) not() (Expression, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if ok, err := p.accept("NOT"); err != nil {
		return nil, err
	} else if ok {
		inner, err := p.not()
		if err != nil {
			return nil, err
		}
		condition, ok := inner.(Condition)
		if !ok {
			return nil, p.expected(p.operators())
		}
		return Not{condition}, nil
	}
	if !p.dialect.soql && p.is("EXISTS") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		query, err := p.subquery()
		return Exists{query}, err
	}
	left, err := p.sum("a field, NOT or (")
	if err != nil {
		return nil, err
	}
	if _, done := left.(Condition); done {
		return left, nil
	}
	return p.comparison(left)
}

// subquery passes ( SELECT ... ).
func (p *parser) subquery() (*Select, error) {
	if _, err := p.take(openToken, "( and a SELECT"); err != nil {
		return nil, err
	}
	query, err := p.query()
	if err != nil {
		return nil, err
	}
	_, err = p.take(closingToken, ")")
	return query, err
}

// comparison passes an operator and what is on its right; where there is none, left is a value.
func (p *parser) comparison(left Expression) (Expression, error) {
	switch left.(type) {
	case Column, Call, Marker:
	default:
		if p.dialect.soql && (p.token.kind == operatorToken || p.is("LIKE", "IN", "NOT", "INCLUDES", "EXCLUDES")) {
			return nil, p.expected("a field on the left of a comparison")
		}
	}
	c := Comparison{Left: left, Operator: p.token.text}
	if p.token.kind == operatorToken {
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.right()
		c.Right = []Expression{right}
		return c, err
	}
	if ok, err := p.accept("IS"); err != nil {
		return nil, err
	} else if ok {
		return p.isNull(c)
	}
	start := p.token.start
	not, err := p.accept("NOT")
	if err != nil {
		return nil, err
	}
	c.Operator = strings.ToUpper(p.token.text)
	read := p.rightOf()
	switch {
	case read == nil && not:
		return nil, p.expected("LIKE, IN or BETWEEN")
	case read == nil:
		return left, nil
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	c.Right, err = read()
	switch {
	case not && p.dialect.soql && c.Operator == "LIKE": // SOQL has no NOT LIKE
		return Not{c}, err
	case not && p.dialect.soql && c.Operator != "IN":
		return nil, p.wrong(start, "%s takes no NOT: use the other of INCLUDES and EXCLUDES", c.Operator)
	case not:
		c.Operator = "NOT " + c.Operator
	}
	return c, err
}

// isNull passes what follows IS.
func (p *parser) isNull(c Comparison) (Expression, error) {
	not, err := p.accept("NOT")
	if err != nil {
		return nil, err
	}
	switch {
	case p.dialect.soql: // which writes = NULL, and only models IS NULL
		c.Operator, c.Right = "=", []Expression{Literal{nil}}
		if not {
			c.Operator = "!="
		}
	case not:
		c.Operator = "IS NOT NULL"
	default:
		c.Operator = "IS NULL"
	}
	return c, p.require("NULL")
}

// rightOf says how the right of the operator that is ahead is read; nil where it is no operator.
func (p *parser) rightOf() func() ([]Expression, error) {
	switch {
	case p.is("LIKE"):
		return func() ([]Expression, error) {
			if p.token.kind == numberToken {
				return nil, p.expected("a pattern in quotes, such as 'A%'")
			}
			right, err := p.right()
			return []Expression{right}, err
		}
	case p.is("IN"), p.dialect.soql && p.is("INCLUDES", "EXCLUDES"):
		return p.choices
	case !p.dialect.soql && p.is("BETWEEN"):
		return func() ([]Expression, error) {
			low, err := p.value("a value")
			if err != nil {
				return nil, err
			}
			if err := p.require("AND"); err != nil {
				return nil, err
			}
			high, err := p.value("a value")
			return []Expression{low, high}, err
		}
	}
	return nil
}

// choices is the list of IN, or its subquery.
func (p *parser) choices() (list []Expression, err error) {
	if p.token.kind != openToken {
		return nil, p.expected("( and a list of values")
	}
	if sameName(p.ahead().text, "SELECT") && p.ahead().kind == nameToken {
		query, err := p.subquery()
		return []Expression{query}, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	err = p.list(func() error {
		value, err := p.right()
		list = append(list, value)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, err = p.take(closingToken, "a comma or )")
	return list, err
}

const soqlValues = "a value: 'text', a number, a date, a word such as TODAY or LAST_N_DAYS:30, TRUE, FALSE or NULL"

// right is a value on the right of a comparison: in SOQL no field.
func (p *parser) right() (Expression, error) {
	if !p.dialect.soql {
		return p.value("a value: 'text', a number, a field or a function")
	}
	name := p.token.text
	if p.token.kind == namedToken {
		base, n, _ := strings.Cut(name, ":")
		known, ok := spelled(p.dialect.named, base+":")
		if !ok {
			return nil, p.wrong(p.token.start, "%s is no date here; %s", name, cmp.Or(suggest(base+":", p.dialect.named), "write TODAY, LAST_N_DAYS:30 or 2026-01-31"))
		}
		return Named{known + n}, p.advance()
	}
	if known, ok := spelled(p.dialect.named, name); ok && p.token.kind == nameToken {
		return Named{known}, p.advance()
	}
	if p.token.kind == nameToken && !p.is("TRUE", "FALSE", "NULL") && p.ahead().kind == openToken {
		return p.primary(soqlValues)
	}
	if e, ok, err := p.literal(); ok || err != nil {
		return e, err
	}
	return nil, p.expected(soqlValues)
}

// sum is values with +, - and || between them.
func (p *parser) sum(what string) (Expression, error) {
	return p.operation(what, p.product, func() bool { return p.token.kind == arithmeticToken && p.token.text != "/" })
}

// product is values with * and / between them.
func (p *parser) product(what string) (Expression, error) {
	return p.operation(what, p.primary, func() bool {
		return p.token.kind == starToken || p.token.text == "/" && p.token.kind == arithmeticToken
	})
}

func (p *parser) operation(what string, next func(string) (Expression, error), ahead func() bool) (Expression, error) {
	left, err := next(what)
	for err == nil && !p.dialect.soql && ahead() {
		if _, ok := left.(Condition); ok {
			return nil, p.expected("AND, OR or )")
		}
		operator := p.token.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		var right Expression
		if right, err = next("a value"); err != nil {
			return nil, err
		}
		if _, ok := right.(Condition); ok {
			return nil, p.expected("a value after " + operator + ", not a condition")
		}
		left = Binary{left, operator, right}
	}
	return left, err
}

// primary is a field, a literal, a function, a CASE, a subquery, or something in parentheses.
func (p *parser) primary(what string) (Expression, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if e, ok, err := p.literal(); ok || err != nil {
		return e, err
	}
	switch {
	case p.token.kind == openToken && p.ahead().kind == nameToken && sameName(p.ahead().text, "SELECT"):
		return p.subquery()
	case p.token.kind == openToken:
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		_, err = p.take(closingToken, "AND, OR or )")
		return inner, err
	case p.is("CASE") && !p.dialect.soql:
		return p.choice()
	}
	start := p.token.start
	name, err := p.identifier(what)
	if err != nil {
		return nil, err
	}
	if p.token.kind == openToken {
		return p.call(name, start)
	}
	if known, ok := spelled(p.dialect.named, name); ok && !p.dialect.soql {
		return Named{known}, nil
	}
	return Column{name}, nil
}

func (p *parser) choice() (Expression, error) {
	c := Case{}
	err := p.advance()
	if err == nil && !p.is("WHEN") {
		c.Of, err = p.value("WHEN, or a value to compare")
	}
	for err == nil && (len(c.When) == 0 || p.is("WHEN")) {
		branch := When{}
		if err = p.require("WHEN"); err != nil {
			break
		}
		if c.Of != nil {
			branch.If, err = p.value("a value")
		} else {
			branch.If, err = p.conditions()
		}
		if err == nil {
			err = p.require("THEN")
		}
		if err == nil {
			branch.Then, err = p.value("a value")
		}
		c.When = append(c.When, branch)
	}
	if err == nil && p.is("ELSE") {
		if err = p.advance(); err == nil {
			c.Else, err = p.value("a value")
		}
	}
	if err == nil {
		err = p.require("END")
	}
	return c, err
}

// call passes what follows the name of a function.
func (p *parser) call(name string, start int) (Expression, error) {
	known, ok := spelled(p.dialect.functions, name)
	if !ok {
		return nil, p.wrong(start, "the function %s is not known; %s", name,
			cmp.Or(suggest(name, p.dialect.functions), "there are "+strings.Join(p.dialect.functions, ", ")))
	}
	c := Call{Function: known}
	err := p.advance()
	if err == nil && !p.dialect.soql && slices.Contains(aggregates, known) {
		c.Distinct, err = p.accept("DISTINCT")
	}
	switch {
	case err != nil:
	case known == "COUNT" && p.token.kind == starToken && !c.Distinct:
		c.Arguments = []Expression{Star{}}
		err = p.advance()
	case p.token.kind == closingToken && known == "COUNT" && (p.dialect.soql || p.dialect.loose) && !c.Distinct:
	default:
		err = p.list(func() error {
			value, err := p.value("a field or a value")
			c.Arguments = append(c.Arguments, value)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	_, err = p.take(closingToken, "a comma or )")
	return c, err
}

// literal passes a string, a number, a date, TRUE, FALSE, NULL or the place of an argument; ok where one was ahead.
func (p *parser) literal() (e Expression, ok bool, err error) {
	text, unquoted := p.token.text, p.dialect.soql || p.dialect.loose
	var value any
	switch {
	case p.token.kind == textToken:
		value = text
	case p.token.kind == patternToken:
		value = Pattern(text)
	case p.token.kind == numberToken:
		value = json.Number(text)
	case p.token.kind == arithmeticToken && text == "-" && p.ahead().kind == numberToken:
		value = json.Number("-" + p.ahead().text)
		err = p.advance()
	case p.token.kind == dateToken && unquoted:
		value = Date(text)
	case p.token.kind == dateToken:
		return nil, false, p.wrong(p.token.start, "a date is written TO_DATE('%s', 'YYYY-MM-DD') here", text[:10])
	case p.token.kind == markerToken:
		return Marker{text}, true, p.advance()
	case p.is("TRUE", "FALSE") && !unquoted:
		return nil, false, p.wrong(p.token.start, "there is no %s here: fields that are yes or no hold 'T' or 'F'", strings.ToUpper(text))
	case p.is("TRUE", "FALSE"):
		value = p.is("TRUE")
	case p.is("NULL"):
	default:
		return nil, false, nil
	}
	if err == nil {
		err = p.advance()
	}
	return Literal{value}, true, err
}
