package config

import (
	"slices"
	"strings"
)

// ProblemWithin is Problem for a place inside a plain value: offset counts bytes of the value, such as those before a
// mistake in an expression. Where that place can't be found in the file, since a variable or an escape stands for what is
// wrong, the problem is at the value.
func (c *Config) ProblemWithin(path Path, offset int, message, hint string) Problem {
	problem := c.Problem(path, message, hint)
	n := c.source.find(path)
	if n == nil || n.kind != scalar || n.file == nil || offset > len(n.text) {
		return problem
	}
	if pos, ok := n.within(offset); ok {
		problem.Pos = pos
		problem.Excerpt = c.source.excerpt(pos)
	}
	return problem
}

// within finds the place of a byte of the value: it follows the value through the file, over indentation, quotes and
// the line ends that YAML folds.
func (n *node) within(offset int) (Position, bool) {
	raw := n.written()
	if n.quoted && len(raw) > 0 {
		switch raw[0].r {
		case '|', '>': // the value begins in the next line
			end := slices.IndexFunc(raw, func(p placed) bool { return p.r == '\n' })
			raw = raw[max(end, 0):]
		default:
			raw = raw[1:]
		}
	}
	at := Position{File: n.file.name, Line: n.line, Column: n.column}
	for i, want := range n.text {
		for len(raw) > 0 && raw[0].r != want && (want != ' ' || raw[0].r != '\n') {
			if !strings.ContainsRune(" \t\n\r'\\", raw[0].r) {
				return at, false
			}
			raw = raw[1:]
		}
		if len(raw) == 0 {
			return at, false
		}
		at.Line, at.Column = raw[0].line, raw[0].column
		if i >= offset {
			return at, true
		}
		raw = raw[1:]
	}
	at.Column++ // behind the last character
	return at, true
}

// placed is a character of a file.
type placed struct {
	r            rune
	line, column int
}

// written is the text of the file from the value on, as far as the value can reach.
func (n *node) written() []placed {
	var out []placed
	skip := n.column - 1
	for line := n.line; line <= len(n.file.lines) && len(out) < 16*len(n.text)+256; line++ {
		column := 0
		for _, r := range n.file.line(line) {
			if column++; column > skip {
				out = append(out, placed{r, line, column})
			}
		}
		out, skip = append(out, placed{'\n', line, column + 1}), 0
	}
	return out
}
