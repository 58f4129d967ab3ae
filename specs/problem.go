package specs

import (
	"fmt"
	"strconv"
)

// Warning is something odd in a document that did not keep it from being read.
type Warning struct {
	Message string
	Pos     Position
	Kind    Kind
}

// Kind says what a Warning is of.
type Kind uint8

const (
	// Repair is an oddity that was read in some other way, or left out.
	Repair Kind = iota
	// Unmatched is an overlay's target that is nowhere in the document.
	Unmatched
	// Advice is what kin-openapi says of a document, which is read all the same.
	Advice
)

// String writes file:line:column: message.
func (w Warning) String() string { return w.Pos.String() + ": " + w.Message }

// Error is a document, or a part of one, that can't be read.
type Error struct {
	Message string
	Pos     Position
	Cause   error // may be nil; its text is part of Message
}

// Error writes file:line:column: message.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// String writes file:line:column, as far as it is known.
func (p Position) String() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Column > 0 {
			s += ":" + strconv.Itoa(p.Column)
		}
	}
	return s
}

// place makes an error at n.
func place(n *node, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Pos: n.position()}
}
