package mapping

import (
	"regexp"
	"strings"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// matchTime bounds one match of a pattern that only a backtracking engine takes.
const matchTime = 100 * time.Millisecond

// compilePattern reads a pattern as JSON Schema means it, in the language of JavaScript. Go's engine is tried first,
// because its time is linear; what it can't read (lookaheads, back references) regexp2 may.
func compilePattern(pattern string) (jsonschema.Regexp, error) {
	if re, err := regexp.Compile(pattern); err == nil {
		return re, nil
	}
	re, err := regexp2.Compile(pattern, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = matchTime
	return backtracking{re}, nil
}

// backtracking is a regexp2 pattern. A match that takes too long counts as one: the upstream then decides.
type backtracking struct{ *regexp2.Regexp }

func (b backtracking) MatchString(s string) bool {
	ok, err := b.Regexp.MatchString(s)
	return ok || err != nil
}

// compiles reports whether a pattern can be checked here at all.
func compiles(pattern string) bool {
	_, err := compilePattern(pattern)
	return err == nil
}

// portable reports whether Go's engine and JavaScript's, with its u flag and without, read a pattern alike. Clients
// check arguments with either, and some refuse every tool over one pattern they can't read.
func portable(pattern string) bool {
	if _, err := regexp.Compile(pattern); err != nil {
		return false
	}
	class := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c >= 0x80:
			return false // without the u flag JavaScript matches halves of characters
		case c == '\\':
			i++
			if !strings.ContainsRune(`dDwWsSbBnrtfv^$\.*+?()[]{}|/`, rune(pattern[i])) && !(class && pattern[i] == '-') {
				return false
			}
		case class:
			class = c != ']'
			if c == '[' && i+1 < len(pattern) && pattern[i+1] == ':' {
				return false
			}
		case c == '[':
			class = true
			if strings.HasPrefix(pattern[i+1:], "]") || strings.HasPrefix(pattern[i+1:], "^]") {
				return false
			}
		case c == '(' && strings.HasPrefix(pattern[i+1:], "?") && !strings.HasPrefix(pattern[i+1:], "?:"):
			return false
		case c == ']' || c == '}' && !quantifier.MatchString(pattern[:i+1]),
			c == '{' && !quantifierAhead.MatchString(pattern[i:]):
			return false
		}
	}
	return true
}

var (
	quantifier      = regexp.MustCompile(`[^\\]\{\d+(,\d*)?\}$`)
	quantifierAhead = regexp.MustCompile(`^\{\d+(,\d*)?\}`)
)
