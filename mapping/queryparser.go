package mapping

import (
	"fmt"
	"strconv"
	"strings"
)

// maxNesting bounds parentheses and NOTs in a condition.
const maxNesting = 100

// ParseSelect reads the part of SQL that SuiteQL and SOQL share:
//
//	SELECT field [AS name], ... FROM type [alias]
//	[WHERE condition] [ORDER BY field [ASC|DESC] [NULLS FIRST|LAST], ...]
//	[LIMIT n] [OFFSET n [ROWS]] [FETCH FIRST n ROWS ONLY]
//
// A field is a dotted name, *, COUNT(*), COUNT(field) or COUNT(). A condition compares fields with literals, by AND, OR,
// NOT and parentheses. An error says where in the text it is and what was expected.
func ParseSelect(text string) (*Select, error) {
	p := &parser{lexer: lexer{text: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	query, err := p.query()
	if err != nil {
		return nil, err
	}
	if p.token.kind == semicolonToken {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.token.kind != endToken {
			return nil, p.expected("the end: one statement at a time")
		}
	}
	if p.token.kind != endToken {
		return nil, p.expected("the end of the query")
	}
	return query, nil
}

// parser is a recursive descent over the tokens, with one of them ahead.
type parser struct {
	lexer lexer
	token token
	depth int
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

// expected is the error at the token that is ahead.
func (p *parser) expected(what string) error {
	found := "found " + p.token.String()
	if p.token.kind == endToken {
		found = "the query ends"
	}
	return fmt.Errorf("%s: expected %s, %s", p.lexer.place(p.token.start), what, found)
}

// is reports whether the token ahead is a keyword.
func (p *parser) is(word string) bool {
	return p.token.kind == nameToken && strings.EqualFold(p.token.text, word)
}

// accept passes a keyword, if it is ahead.
func (p *parser) accept(word string) (bool, error) {
	if !p.is(word) {
		return false, nil
	}
	return true, p.advance()
}

// require passes keywords that have to come now.
func (p *parser) require(words ...string) error {
	for _, word := range words {
		if ok, err := p.accept(word); err != nil {
			return err
		} else if !ok {
			return p.expected(word)
		}
	}
	return nil
}

// take passes a token of a kind, and returns its text.
func (p *parser) take(kind tokenKind, what string) (string, error) {
	if p.token.kind != kind {
		return "", p.expected(what)
	}
	text := p.token.text
	return text, p.advance()
}

// reserved words can't be a field's or a type's name here.
var reserved = []string{"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ORDER", "GROUP", "HAVING", "LIMIT", "OFFSET",
	"FETCH", "LIKE", "IN", "IS", "NULL", "TRUE", "FALSE", "AS", "BY", "ASC", "DESC", "UNION", "JOIN", "ON", "INNER", "LEFT",
	"RIGHT", "OUTER", "CROSS", "BETWEEN", "DISTINCT", "FOR", "WITH", "USING", "NULLS"}

// identifier passes a name that is no keyword.
func (p *parser) identifier(what string) (string, error) {
	for _, word := range reserved {
		if p.is(word) {
			return "", p.expected(what)
		}
	}
	if strings.HasSuffix(p.token.text, ".*") {
		return "", p.expected(what)
	}
	return p.take(nameToken, what)
}

func (p *parser) query() (*Select, error) {
	if !p.is("SELECT") {
		return nil, p.expected("SELECT: nothing else can be run")
	}
	query := &Select{}
	steps := []func(*Select) error{p.fields, p.from, p.where, p.orderBy, p.limits}
	for _, step := range steps {
		if err := step(query); err != nil {
			return nil, err
		}
	}
	return query, nil
}

// list passes one or more of something, with commas between.
func (p *parser) list(item func() error) error {
	for {
		if err := item(); err != nil {
			return err
		}
		if p.token.kind != commaToken {
			return nil
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
}

func (p *parser) fields(query *Select) error {
	if err := p.require("SELECT"); err != nil {
		return err
	}
	return p.list(func() error {
		field, err := p.field()
		query.Fields = append(query.Fields, field)
		return err
	})
}

func (p *parser) field() (Selected, error) {
	if p.token.kind == starToken {
		return Selected{Name: "*"}, p.advance()
	}
	start := p.token.start
	if field := (Selected{Name: p.token.text}); p.token.kind == nameToken && strings.HasSuffix(field.Name, ".*") {
		return field, p.advance()
	}
	text, err := p.identifier("a field")
	if err != nil {
		return Selected{}, err
	}
	field := Selected{Name: text}
	if p.token.kind == openToken {
		if field, err = p.count(text, start); err != nil {
			return Selected{}, err
		}
	}
	as, err := p.accept("AS")
	if err != nil {
		return Selected{}, err
	}
	if as || p.token.kind == nameToken && !p.is("FROM") {
		field.Alias, err = p.identifier("FROM, a comma, or another name for the field")
	}
	return field, err
}

// count passes what follows the name of a function. COUNT is the only one.
func (p *parser) count(function string, start int) (Selected, error) {
	if !strings.EqualFold(function, "COUNT") {
		return Selected{}, fmt.Errorf("%s: the function %s is not known; COUNT is", p.lexer.place(start), function)
	}
	field := Selected{Function: "COUNT"}
	err := p.advance()
	switch {
	case err != nil:
	case p.token.kind == starToken:
		field.Name, err = "*", p.advance()
	case p.token.kind != closingToken:
		field.Name, err = p.identifier("a field, * or )")
	}
	if err != nil {
		return Selected{}, err
	}
	_, err = p.take(closingToken, ")")
	return field, err
}

func (p *parser) from(query *Select) (err error) {
	if err := p.require("FROM"); err != nil {
		return err
	}
	if query.From, err = p.identifier("the type to read"); err != nil {
		return err
	}
	as, err := p.accept("AS")
	if err != nil {
		return err
	}
	if !as {
		for _, word := range []string{"WHERE", "ORDER", "LIMIT", "OFFSET", "FETCH"} {
			if p.is(word) {
				return nil
			}
		}
	}
	if as || p.token.kind == nameToken {
		query.Alias, err = p.identifier("WHERE, ORDER BY, LIMIT, or another name for the type")
	}
	return err
}

func (p *parser) orderBy(query *Select) error {
	if ok, err := p.accept("ORDER"); !ok {
		return err
	}
	if err := p.require("BY"); err != nil {
		return err
	}
	return p.list(func() error {
		order, err := p.order()
		query.OrderBy = append(query.OrderBy, order)
		return err
	})
}

func (p *parser) order() (order Order, err error) {
	if order.Field, err = p.identifier("a field to sort by"); err != nil {
		return order, err
	}
	if order.Descending, err = p.accept("DESC"); err != nil {
		return order, err
	}
	if !order.Descending {
		if _, err := p.accept("ASC"); err != nil {
			return order, err
		}
	}
	if ok, err := p.accept("NULLS"); !ok {
		return order, err
	}
	for _, word := range []string{"FIRST", "LAST"} {
		if ok, err := p.accept(word); ok || err != nil {
			order.Nulls = word
			return order, err
		}
	}
	return order, p.expected("FIRST or LAST")
}

// limits are LIMIT, OFFSET and FETCH FIRST, in any order, each once.
func (p *parser) limits(query *Select) error {
	offset := false
	for {
		switch {
		case query.Limit == nil && p.is("LIMIT"):
			n, err := p.amount()
			if err != nil {
				return err
			}
			query.Limit = &n
		case query.Limit == nil && p.is("FETCH"):
			if err := p.fetch(query); err != nil {
				return err
			}
		case !offset && p.is("OFFSET"):
			n, err := p.amount()
			if err != nil {
				return err
			}
			query.Offset, offset = n, true
			if err := p.rows(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// fetch is FETCH FIRST n ROWS ONLY, as SuiteQL has it.
func (p *parser) fetch(query *Select) error {
	if err := p.advance(); err != nil {
		return err
	}
	if !p.is("FIRST") && !p.is("NEXT") {
		return p.expected("FIRST")
	}
	n, err := p.amount()
	if err != nil {
		return err
	}
	query.Limit = &n
	if err := p.rows(); err != nil {
		return err
	}
	return p.require("ONLY")
}

// rows passes ROW or ROWS, if it is ahead.
func (p *parser) rows() error {
	if !p.is("ROW") && !p.is("ROWS") {
		return nil
	}
	return p.advance()
}

// amount passes a keyword and the whole number after it.
func (p *parser) amount() (int, error) {
	if err := p.advance(); err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(p.token.text, 10, 32)
	if p.token.kind != numberToken || err != nil || n < 0 {
		return 0, p.expected("a whole number")
	}
	return int(n), p.advance()
}
