package specs

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Limits of one Load. They lie far above the largest published documents (GitHub's has 600,000 nodes and a depth of
// 30) and far below what would hurt: a YAML bomb ends at maxAliased, however small its file is.
const (
	maxNodes    = 4_000_000
	maxAliased  = 500_000 // values that aliases stand for
	maxDepth    = 256
	maxExponent = 400 // of a number: beyond a float64, and arithmetic on 1e999999999 would take all memory
)

// parser makes nodes of one file. The count of nodes is shared by the files of a Load.
type parser struct {
	file  *file
	nodes *int
}

// parse reads JSON or YAML. Errors are *Error with a place.
func (p *parser) parse(data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := p.foreign(data); err != nil {
		return nil, err
	}
	first := bytes.TrimLeft(data, " \t\r\n")
	if len(first) == 0 {
		return nil, p.fail(1, 1, "the file is empty")
	}
	if first[0] != '{' && first[0] != '[' {
		return p.yaml(data)
	}
	root, err := p.json(data)
	if err != nil && strings.Contains(err.Error(), "syntax") {
		// YAML in flow style, or JSON with comments or a comma too many, which YAML takes.
		if lenient, lenientErr := p.yaml(data); lenientErr == nil {
			return lenient, nil
		}
	}
	return root, err
}

func (p *parser) fail(line, column int, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Pos: Position{File: p.file.name, Line: line, Column: column}}
}

// node makes an empty one and holds the limits.
func (p *parser) node(k kind, line, column, depth int) (*node, error) {
	if *p.nodes++; *p.nodes > maxNodes {
		return nil, p.fail(line, column, "more than %d values: this is no API description", maxNodes)
	}
	if depth > maxDepth {
		return nil, p.fail(line, column, "nested more than %d levels deep", maxDepth)
	}
	return &node{kind: k, file: p.file, line: int32(line), column: int32(column)}, nil
}

var exponent = regexp.MustCompile(`[eE][+-]?0*(\d+)$`)

func (p *parser) number(n *node, literal string) error {
	if e := exponent.FindStringSubmatch(literal); e != nil {
		if digits, err := strconv.Atoi(e[1]); err != nil || digits > maxExponent {
			return p.fail(int(n.line), int(n.column), "the number %.40s is out of range", literal)
		}
	}
	n.text = literal
	return nil
}
