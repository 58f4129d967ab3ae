package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxNesting = 100     // of parentheses, NOTs, functions and subqueries inside each other
	maxQuery   = 100_000 // bytes: SOQL's own limit, in characters
)

// ParseSelect reads one SELECT statement of a language (suiteql, soql or none, which is the sandbox's mixture). Nothing
// else passes: no second statement, no comment, no UNION, WITH or FOR. An error says where in the text it is and what was
// expected there.
func ParseSelect(language, text string) (*Select, error) {
	return parseSelect(language, text, false)
}

// parseSelect is ParseSelect; in a template {name} stands where an argument goes.
func parseSelect(language, text string, template bool) (*Select, error) {
	if len(text) > maxQuery {
		return nil, fmt.Errorf("the query has %d bytes; %d are the most", len(text), maxQuery)
	}
	p := &parser{lexer: lexer{dialect: dialects[language], text: text, markers: template}, dialect: dialects[language]}
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
	lexer   lexer
	dialect *dialect
	token   token
	depth   int
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
	return p.wrong(p.token.start, "expected %s, %s", what, found)
}

func (p *parser) wrong(start int, format string, args ...any) error {
	return fmt.Errorf("%s: %s", p.lexer.place(start), fmt.Sprintf(format, args...))
}

// deeper counts how deep things lie in each other; the caller takes one off again.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxNesting {
		return p.wrong(p.token.start, "the query is nested too deeply")
	}
	return nil
}

// is reports whether the token ahead is one of these keywords.
func (p *parser) is(words ...string) bool {
	return p.token.kind == nameToken && slices.ContainsFunc(words, func(w string) bool { return sameName(w, p.token.text) })
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

// identifier passes a name that is no keyword.
func (p *parser) identifier(what string) (string, error) {
	if p.is(p.dialect.reservedWords()...) || strings.HasSuffix(p.token.text, ".*") {
		return "", p.expected(what)
	}
	return p.take(nameToken, what)
}

// ahead is the token behind the one that is ahead.
func (p *parser) ahead() token {
	behind := p.lexer
	t, err := behind.next()
	if err != nil {
		return token{kind: endToken}
	}
	return t
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

func (p *parser) query() (*Select, error) {
	if !p.is("SELECT") {
		return nil, p.expected("SELECT: nothing else can be run")
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	query := &Select{}
	steps := []func(*Select) error{p.fields, p.from, p.where, p.groupBy, p.orderBy, p.limits}
	for _, step := range steps {
		if err := step(query); err != nil {
			return nil, err
		}
	}
	return query, nil
}

func (p *parser) fields(query *Select) (err error) {
	if err := p.require("SELECT"); err != nil {
		return err
	}
	if !p.dialect.soql {
		if query.Distinct, err = p.accept("DISTINCT"); err != nil {
			return err
		}
		if p.is("TOP") && p.ahead().kind == numberToken {
			n, err := p.amount()
			if err != nil {
				return err
			}
			query.Limit = &n
		}
	}
	return p.list(func() error {
		field, err := p.field()
		query.Fields = append(query.Fields, field)
		return err
	})
}

func (p *parser) field() (field Selected, err error) {
	name := p.token.text
	switch {
	case p.token.kind == starToken:
		return Selected{Value: Star{}}, p.advance()
	case p.token.kind == nameToken && strings.HasSuffix(name, ".*"):
		return Selected{Value: Star{Table: strings.TrimSuffix(name, ".*")}}, p.advance()
	case p.is("TYPEOF"):
		return field, p.wrong(p.token.start, "TYPEOF is not taken here: select the fields that all types have, or query one type")
	case p.dialect.soql && p.is("FIELDS") && p.ahead().kind == openToken:
		field.Value, err = p.fieldGroup()
		return field, err
	}
	if field.Value, err = p.value("a field"); err != nil {
		return field, err
	}
	as, err := p.accept("AS")
	if err != nil {
		return field, err
	}
	if as || p.token.kind == nameToken && !p.is("FROM") {
		field.Alias, err = p.alias("FROM, a comma, or another name for the field")
	}
	return field, err
}

// alias is a name without dots.
func (p *parser) alias(what string) (string, error) {
	if strings.Contains(p.token.text, ".") {
		return "", p.expected(what)
	}
	return p.identifier(what)
}

// fieldGroup is FIELDS(ALL) of SOQL.
func (p *parser) fieldGroup() (Expression, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	group := strings.ToUpper(p.token.text)
	if !p.is("ALL", "STANDARD", "CUSTOM") {
		return nil, p.expected("ALL, STANDARD or CUSTOM")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	_, err := p.take(closingToken, ")")
	return Star{Group: group}, err
}

func (p *parser) from(query *Select) error {
	if err := p.require("FROM"); err != nil {
		return err
	}
	for {
		join, err := p.join(query)
		if err != nil || join == "" && len(query.From) > 0 {
			return err
		}
		t, err := p.table(join)
		if err != nil {
			return err
		}
		query.From = append(query.From, t)
	}
}

// join passes what stands before the next table; "" where none follows.
func (p *parser) join(query *Select) (string, error) {
	joins := p.is("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS")
	switch {
	case len(query.From) == 0:
		return "", nil
	case p.token.kind != commaToken && !joins:
		return "", nil
	case p.dialect.soql:
		return "", p.wrong(p.token.start, "SOQL joins no tables: a parent's field is written Account.Name, children are a subquery (SELECT Id FROM Contacts) among the fields")
	case p.token.kind == commaToken:
		return ",", p.advance()
	}
	kind, word := "", strings.ToUpper(p.token.text)
	if word != "JOIN" {
		if word != "INNER" {
			kind = word + " "
		}
		if err := p.advance(); err != nil {
			return "", err
		}
		if kind != "" && kind != "CROSS " {
			if _, err := p.accept("OUTER"); err != nil {
				return "", err
			}
		}
	}
	return kind + "JOIN", p.require("JOIN")
}

func (p *parser) table(join string) (t Table, err error) {
	t.Join = join
	if p.token.kind == openToken && !p.dialect.soql {
		if err = p.advance(); err != nil {
			return t, err
		}
		if t.Query, err = p.query(); err == nil {
			_, err = p.take(closingToken, ")")
		}
	} else if p.dialect.soql && p.is("Group", "Order") { // types of Salesforce
		t.Name, err = p.take(nameToken, "the type to read")
	} else {
		t.Name, err = p.identifier("the type to read")
	}
	if err != nil {
		return t, err
	}
	as, err := p.accept("AS")
	if err != nil {
		return t, err
	}
	following := p.is("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "ON")
	if as || p.token.kind == nameToken && !following {
		if t.Alias, err = p.alias("WHERE, ORDER BY, LIMIT, or another name for the type"); err != nil {
			return t, err
		}
	}
	if strings.HasSuffix(join, "JOIN") && join != "CROSS JOIN" {
		if err = p.require("ON"); err == nil {
			t.On, err = p.conditions()
		}
	}
	return t, err
}

func (p *parser) groupBy(query *Select) error {
	ok, err := p.accept("GROUP")
	if err != nil {
		return err
	}
	if ok {
		if err := p.require("BY"); err != nil {
			return err
		}
		err := p.list(func() error {
			value, err := p.value("a field to group by")
			query.GroupBy = append(query.GroupBy, value)
			return err
		})
		if err != nil {
			return err
		}
	}
	if ok, err := p.accept("HAVING"); !ok {
		return err
	}
	query.Having, err = p.conditions()
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
	if order.Value, err = p.value("a field to sort by"); err != nil {
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
	if !p.is("FIRST", "NEXT") {
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
	if !p.is("ROW", "ROWS") {
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
