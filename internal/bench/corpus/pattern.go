package main

import (
	"regexp/syntax"
	"strings"
)

// textFor writes a text that a regular expression matches, with repeats at their least but at least more where they are
// open. False where the expression is not one of Go's.
func textFor(pattern string, more int) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	writeMatch(&b, re, more)
	return b.String(), true
}

func writeMatch(b *strings.Builder, re *syntax.Regexp, more int) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(pick(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			writeMatch(b, sub, more)
		}
	case syntax.OpAlternate:
		writeMatch(b, re.Sub[more%len(re.Sub)], more)
	case syntax.OpPlus:
		repeat(b, re.Sub[0], max(1, more), more)
	case syntax.OpStar, syntax.OpQuest:
		if re.Op == syntax.OpStar {
			repeat(b, re.Sub[0], more, more)
		}
	case syntax.OpRepeat:
		times := max(re.Min, more)
		if re.Max >= 0 {
			times = min(times, re.Max)
		}
		repeat(b, re.Sub[0], times, more)
	}
}

func repeat(b *strings.Builder, re *syntax.Regexp, times, more int) {
	for range min(times, 1000) {
		writeMatch(b, re, more)
	}
}

// pick takes a letter or digit out of a class of ranges where it has one.
func pick(ranges []rune) rune {
	for _, wanted := range []rune{'a', 'A', '1', '0', '-', '_'} {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= wanted && wanted <= ranges[i+1] {
				return wanted
			}
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if r > ' ' {
				return r
			}
		}
	}
	return 'a'
}
