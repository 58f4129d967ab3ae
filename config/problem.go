package config

import (
	"slices"
	"strings"
)

// Position is a place in a file; lines and columns count from 1. Line 0 means the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
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

// Problems is every problem of one run, sorted by file and line. As an error it prints them all.
type Problems []Problem

// Problem returns a problem at path, with the position and the excerpt of the nearest value that the file has there.
func (c *Config) Problem(path Path, message, hint string) Problem {
	return Problem{Path: path, Message: message, Hint: hint, Pos: c.source.position(path), Excerpt: c.source.excerpt(path)}
}
