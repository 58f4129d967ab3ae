package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Position is a place in a file; lines and columns count from 1, columns in characters. Line 0 means the file as a
// whole, column 0 the line as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String is file:line:column as far as it is known. The file is relative to the working directory where that is
// shorter.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return shortName(p.File)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", shortName(p.File), p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", shortName(p.File), p.Line, p.Column)
}

// Path is the way to a value in gateway.yaml, a key or index per element: {"upstreams", "crm", "spec", "0"}.
type Path []string

// Child returns the path with more elements; the receiver is not changed.
func (p Path) Child(keys ...string) Path { return append(slices.Clone(p), keys...) }

// String joins the elements with dots.
func (p Path) String() string { return strings.Join(p, ".") }

// Problem is something wrong in gateway.yaml, or in a document that it names: the author's to mend.
type Problem struct {
	Path    Path
	Message string   // what is wrong
	Hint    string   // the way out, such as `did you mean "spec"?`; may be empty
	Pos     Position // where
	Excerpt string   // the line itself; may be empty
}

// String is the problem in one line: `gateway.yaml:42:9: upstreams.crm: unknown key "sepc"; did you mean "spec"?`.
func (p Problem) String() string {
	var b strings.Builder
	if place := p.Pos.String(); place != "" {
		b.WriteString(place + ": ")
	}
	if len(p.Path) > 0 {
		b.WriteString(p.Path.String() + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems is every problem of one run, sorted by file and line. As an error it prints them all.
type Problems []Problem

// Error prints every problem, one under the other, each with the line that it is about and a caret.
func (p Problems) Error() string {
	var b strings.Builder
	for i, problem := range p {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(problem.String())
		b.WriteString(caret(problem.Excerpt, problem.Pos))
	}
	return b.String()
}

// Sort orders the problems by file, line and column, and drops those said twice of the same place.
func (p Problems) Sort() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(p, func(a, b Problem) bool {
		return a.Pos == b.Pos && a.Message == b.Message && (a.Pos.Line > 0 || slices.Equal(a.Path, b.Path))
	})
}

// Problem returns a problem at path, with the position and the excerpt of the nearest value that the file has there.
func (c *Config) Problem(path Path, message, hint string) Problem {
	pos := c.source.position(path)
	return Problem{Path: path, Message: message, Hint: hint, Pos: pos, Excerpt: c.source.excerpt(pos)}
}

// maxExcerpt bounds an excerpt in characters; a longer line is cut around the column.
const maxExcerpt = 110

// caret draws the line and a caret under the column. It returns nothing where there is no excerpt.
func caret(line string, pos Position) string {
	if strings.TrimSpace(line) == "" || pos.Line == 0 {
		return ""
	}
	number := fmt.Sprintf("%6d", pos.Line)
	shown, column := cutAround(line, pos.Column)
	out := "\n" + number + " | " + shown
	if column < 1 || column > utf8.RuneCountInString(shown)+1 {
		return out
	}
	// A tab stays a tab, so that the caret is under its column on every terminal.
	indent := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(shown)[:column-1]))
	return out + "\n" + strings.Repeat(" ", len(number)) + " | " + indent + "^"
}

// cutAround shortens a long line to the part around the column, and returns the column within that part.
func cutAround(line string, column int) (string, int) {
	runes := []rune(line)
	if len(runes) <= maxExcerpt {
		return line, column
	}
	start := max(0, min(column-maxExcerpt/2, len(runes)-maxExcerpt))
	out, shift := string(runes[start:min(start+maxExcerpt, len(runes))]), -start
	if start > 0 {
		out, shift = "..."+out, shift+3
	}
	if start+maxExcerpt < len(runes) {
		out += "..."
	}
	return out, column + shift
}

// shortName is the file's name as a person would write it here: relative to the working directory where that is
// shorter.
func shortName(file string) string {
	if !filepath.IsAbs(file) {
		return file
	}
	dir, err := os.Getwd()
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(dir, file); err == nil && len(rel) < len(file) {
		return rel
	}
	return file
}
