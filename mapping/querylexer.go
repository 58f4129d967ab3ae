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
	endToken        tokenKind = iota
	nameToken                 // a keyword, or a dotted name
	textToken                 // a string, its quotes and escapes resolved
	numberToken               //
	dateToken                 // 2026-01-31, or with a time
	operatorToken             // = != < <= > >=
	arithmeticToken           // + - / ||
	starToken                 // *
	patternToken              // a text of SOQL in which % or _ is escaped
	namedToken                // LAST_N_DAYS:30
	markerToken               // {name}, in a template
	commaToken                //
	openToken                 // (
	closingToken              // )
	semicolonToken            //
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
	dialect *dialect
	markers bool // {name} is the place of an argument
	text    string
	at      int
}

var (
	namePattern   = regexp.MustCompile(`^[\pL_][\pL\pN_$]*(\.[\pL_][\pL\pN_$]*)*(\.\*)?`)
	datePattern   = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2}))?`)
	numberPattern = regexp.MustCompile(`^(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?`)
	wordPattern   = regexp.MustCompile(`^[\pL\pN_$.]`)
	namedPattern  = regexp.MustCompile(`^[A-Za-z_]+:\d{1,6}`)
	markerPattern = regexp.MustCompile(`^\{[A-Za-z_][A-Za-z0-9_]*\}`)
)

// marks are the tokens that are no words. <> is another way to write !=.
var marks = []struct {
	text string
	kind tokenKind
}{
	{"!=", operatorToken}, {"<>", operatorToken}, {"<=", operatorToken}, {">=", operatorToken}, {"=", operatorToken}, {"<", operatorToken}, {">", operatorToken},
	{"||", arithmeticToken}, {"+", arithmeticToken}, {"-", arithmeticToken}, {"/", arithmeticToken},
	{"*", starToken}, {",", commaToken}, {"(", openToken}, {")", closingToken}, {";", semicolonToken},
}

// next returns the token that follows.
func (l *lexer) next() (token, error) {
	l.at += len(l.text[l.at:]) - len(strings.TrimLeft(l.text[l.at:], " \t\r\n"))
	rest, start := l.text[l.at:], l.at
	switch {
	case rest == "":
		return token{endToken, "", start}, nil
	case rest[0] == '\'' && l.dialect.soql:
		return l.escaped()
	case rest[0] == '\'':
		return l.quoted()
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
		return token{}, fmt.Errorf("%s: comments are not allowed", l.place(start))
	}
	if text := l.found(markerPattern); l.markers && text != "" {
		l.at += len(text)
		return token{markerToken, text[1 : len(text)-1], start}, nil
	}
	if text := l.found(namedPattern); l.dialect.soql && text != "" {
		return l.whole(namedToken, text)
	}
	for _, pattern := range []struct {
		kind tokenKind
		find *regexp.Regexp
	}{{nameToken, namePattern}, {dateToken, datePattern}, {numberToken, numberPattern}} {
		if text := l.found(pattern.find); text != "" {
			return l.whole(pattern.kind, text)
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

// found returns what a pattern finds here.
func (l *lexer) found(pattern *regexp.Regexp) string { return pattern.FindString(l.text[l.at:]) }

// whole is a word, after which something else has to come.
func (l *lexer) whole(kind tokenKind, text string) (token, error) {
	start := l.at
	l.at += len(text)
	if wordPattern.MatchString(l.text[l.at:]) {
		return token{}, fmt.Errorf("%s: %q is neither a name nor a number", l.place(start), l.word(start))
	}
	return token{kind, text, start}, nil
}

// quoted reads a string of SQL: a quote in it is doubled, and a backslash is a backslash.
func (l *lexer) quoted() (token, error) {
	start := l.at
	var text strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		switch {
		case l.text[i] != '\'':
			text.WriteByte(l.text[i])
		case strings.HasPrefix(l.text[i+1:], "'"):
			i++
			text.WriteByte('\'')
		default:
			l.at = i + 1
			return token{textToken, text.String(), start}, nil
		}
	}
	return token{}, l.unended(start)
}

func (l *lexer) unended(start int) error {
	return fmt.Errorf("%s: the text that begins here has no end: expected '", l.place(start))
}

// soqlEscaped are what a backslash and a letter stand for in a text of SOQL.
var soqlEscaped = map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'f': "\f", 'N': "\n", 'R': "\r", 'T': "\t",
	'B': "\b", 'F': "\f", '"': `"`, '\'': "'", '\\': `\`}

// escaped reads a string of SOQL: a backslash stands before a quote, before itself, and before letters that stand for
// others. With an escaped % or _ it is a Pattern.
func (l *lexer) escaped() (token, error) {
	start := l.at
	var text, pattern strings.Builder
	kind := textToken
	for i := start + 1; i < len(l.text); i++ {
		c := l.text[i]
		switch {
		case c == '\'':
			l.at = i + 1
			if strings.HasPrefix(l.text[l.at:], "'") {
				return token{}, fmt.Errorf("%s: in SOQL a quote in a text is written \\', not ''", l.place(i))
			}
			if kind == patternToken {
				return token{kind, pattern.String(), start}, nil
			}
			return token{kind, text.String(), start}, nil
		case c != '\\':
			text.WriteByte(c)
			pattern.WriteByte(c)
			continue
		case i+1 == len(l.text):
			return token{}, l.unended(start)
		}
		i++
		plain, known := soqlEscaped[l.text[i]]
		switch {
		case l.text[i] == '%', l.text[i] == '_':
			kind = patternToken
			pattern.WriteString(l.text[i-1 : i+1])
		case !known:
			return token{}, fmt.Errorf("%s: \\%c means nothing in a text of SOQL; a backslash is written \\\\", l.place(i-1), l.text[i])
		case plain == `\`:
			pattern.WriteString(`\\`)
		default:
			pattern.WriteString(plain)
		}
		text.WriteString(plain)
	}
	return token{}, l.unended(start)
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
