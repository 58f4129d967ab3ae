package mapping

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// tokenKind says what a token of a query is.
type tokenKind int

const (
	endToken       tokenKind = iota
	nameToken                // a keyword, or a dotted name
	textToken                // a string, its quotes and escapes resolved
	numberToken              //
	dateToken                // 2026-01-31, or with a time
	operatorToken            // = != < <= > >=
	starToken                // *
	commaToken               //
	openToken                // (
	closingToken             // )
	semicolonToken           //
)

// token is one word of a query.
type token struct {
	kind  tokenKind
	text  string
	start int // in bytes
}

// String writes a token for an error.
func (t token) String() string {
	if t.kind == textToken {
		return "'" + cutText(t.text, 40) + "'"
	}
	return `"` + cutText(t.text, 40) + `"`
}

// lexer cuts a query into tokens.
type lexer struct {
	text string
	at   int
}

var (
	namePattern   = regexp.MustCompile(`^[\pL_][\pL\pN_$]*(\.[\pL_][\pL\pN_$]*)*(\.\*)?`)
	datePattern   = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2}))?`)
	numberPattern = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?`)
	wordPattern   = regexp.MustCompile(`^[\pL\pN_$.]`)
)

// marks are the tokens that are no words. <> is another way to write !=.
var marks = []struct {
	text string
	kind tokenKind
}{
	{"!=", operatorToken}, {"<>", operatorToken}, {"<=", operatorToken}, {">=", operatorToken}, {"=", operatorToken}, {"<", operatorToken}, {">", operatorToken},
	{"*", starToken}, {",", commaToken}, {"(", openToken}, {")", closingToken}, {";", semicolonToken},
}

// next returns the token that follows.
func (l *lexer) next() (token, error) {
	l.at += len(l.text[l.at:]) - len(strings.TrimLeft(l.text[l.at:], " \t\r\n"))
	rest, start := l.text[l.at:], l.at
	switch {
	case rest == "":
		return token{endToken, "", start}, nil
	case rest[0] == '\'':
		return l.quoted()
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
		return token{}, fmt.Errorf("%s: comments are not allowed", l.place(start))
	}
	for _, pattern := range []struct {
		kind tokenKind
		find *regexp.Regexp
	}{{nameToken, namePattern}, {dateToken, datePattern}, {numberToken, numberPattern}} {
		if text := pattern.find.FindString(rest); text != "" {
			l.at += len(text)
			if wordPattern.MatchString(l.text[l.at:]) {
				return token{}, fmt.Errorf("%s: %q is neither a name nor a number", l.place(start), l.word(start))
			}
			return token{pattern.kind, text, start}, nil
		}
	}
	for _, mark := range marks {
		if strings.HasPrefix(rest, mark.text) {
			l.at += len(mark.text)
			if mark.text == "<>" {
				mark.text = "!="
			}
			return token{mark.kind, mark.text, start}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	if r == '"' {
		return token{}, fmt.Errorf("%s: texts stand in single quotes: 'text'", l.place(start))
	}
	return token{}, fmt.Errorf("%s: %q has no place in a query", l.place(start), r)
}

// quoted reads a string. A quote in it is written ” as in SQL, or \' as in SOQL, where \\ is a backslash; before any
// other character a backslash is one.
func (l *lexer) quoted() (token, error) {
	start := l.at
	var text strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		c := l.text[i]
		var following byte
		if i+1 < len(l.text) {
			following = l.text[i+1]
		}
		switch {
		case c == '\'' && following == '\'', c == '\\' && (following == '\'' || following == '\\'):
			i++
			text.WriteByte(following)
		case c == '\'':
			l.at = i + 1
			return token{textToken, text.String(), start}, nil
		default:
			text.WriteByte(c)
		}
	}
	return token{}, fmt.Errorf("%s: the text that begins here has no end: expected '", l.place(start))
}

// word is what stands at a place up to the next blank, for an error.
func (l *lexer) word(start int) string {
	word, _, _ := strings.Cut(l.text[start:], " ")
	return cutText(word, 40)
}

// place writes where in the text something is; lines and columns count from 1, columns in characters.
func (l *lexer) place(at int) string {
	before := l.text[:at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	if line == 1 {
		return fmt.Sprintf("column %d", column)
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}
