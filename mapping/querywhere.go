package mapping

import (
	"encoding/json"
	"fmt"
)

func (p *parser) where(query *Select) error {
	if ok, err := p.accept("WHERE"); !ok {
		return err
	}
	condition, err := p.or()
	query.Where = condition
	return err
}

func (p *parser) or() (Condition, error) {
	terms, err := p.chain("OR", p.and)
	if len(terms) == 1 {
		return terms[0], err
	}
	return Or(terms), err
}

func (p *parser) and() (Condition, error) {
	terms, err := p.chain("AND", p.term)
	if len(terms) == 1 {
		return terms[0], err
	}
	return And(terms), err
}

// chain passes conditions with a keyword between them.
func (p *parser) chain(word string, next func() (Condition, error)) ([]Condition, error) {
	var terms []Condition
	for {
		term, err := next()
		if err != nil {
			return nil, err
		}
		terms = append(terms, term)
		if ok, err := p.accept(word); err != nil || !ok {
			return terms, err
		}
	}
}

// term is a comparison, a NOT, or a condition in parentheses.
func (p *parser) term() (Condition, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("%s: the condition is nested too deeply", p.lexer.place(p.token.start))
	}
	defer func() { p.depth-- }()
	if ok, err := p.accept("NOT"); err != nil {
		return nil, err
	} else if ok {
		inner, err := p.term()
		return Not{inner}, err
	}
	if p.token.kind != openToken {
		return p.comparison()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	_, err = p.take(closingToken, "AND, OR or )")
	return inner, err
}

func (p *parser) comparison() (Condition, error) {
	field, err := p.identifier("a field, NOT or (")
	if err != nil {
		return nil, err
	}
	if p.token.kind == operatorToken {
		c := Comparison{Field: field, Operator: p.token.text}
		if err := p.advance(); err != nil {
			return nil, err
		}
		c.Value, err = p.literal()
		return c, err
	}
	return p.wordComparison(field)
}

// wordComparison is LIKE, IN and IS NULL, with or without NOT.
func (p *parser) wordComparison(field string) (Condition, error) {
	const what = "=, !=, <, <=, >, >=, LIKE, IN or IS NULL"
	if ok, err := p.accept("IS"); err != nil {
		return nil, err
	} else if ok {
		not, err := p.accept("NOT")
		if err != nil {
			return nil, err
		}
		return Comparison{Field: field, Operator: negated(not, "IS NULL")}, p.require("NULL")
	}
	not, err := p.accept("NOT")
	if err != nil {
		return nil, err
	}
	c := Comparison{Field: field}
	switch {
	case p.is("LIKE"):
		c.Operator = negated(not, "LIKE")
		if err := p.advance(); err != nil {
			return nil, err
		}
		c.Value, err = p.take(textToken, "a pattern in quotes, such as 'A%'")
	case p.is("IN"):
		c.Operator = negated(not, "IN")
		if err := p.advance(); err != nil {
			return nil, err
		}
		c.Value, err = p.values()
	default:
		return nil, p.expected(what)
	}
	return c, err
}

func negated(not bool, operator string) string {
	switch {
	case !not:
		return operator
	case operator == "IS NULL":
		return "IS NOT NULL"
	}
	return "NOT " + operator
}

// values is the list of IN.
func (p *parser) values() (any, error) {
	if _, err := p.take(openToken, "( and a list of values"); err != nil {
		return nil, err
	}
	list := []any{}
	err := p.list(func() error {
		value, err := p.literal()
		list = append(list, value)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, err = p.take(closingToken, "a comma or )")
	return list, err
}

// literal is a string, a number, a date, TRUE, FALSE or NULL.
func (p *parser) literal() (any, error) {
	text := p.token.text
	var value any
	switch {
	case p.token.kind == textToken:
		value = text
	case p.token.kind == numberToken:
		value = json.Number(text)
	case p.token.kind == dateToken:
		value = Date(text)
	case p.is("TRUE"):
		value = true
	case p.is("FALSE"):
		value = false
	case p.is("NULL"):
	default:
		return nil, p.expected("a value: 'text', a number, a date, TRUE, FALSE or NULL")
	}
	return value, p.advance()
}
