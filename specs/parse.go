package specs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
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

// jsonReader walks json.Decoder's tokens and keeps count of lines, which the decoder does not.
type jsonReader struct {
	*parser
	decoder   *json.Decoder
	data      []byte
	line      int
	lineStart int
	counted   int // the offset up to which lines are counted
}

func (p *parser) json(data []byte) (*node, error) {
	r := &jsonReader{parser: p, decoder: json.NewDecoder(bytes.NewReader(data)), data: data, line: 1}
	r.decoder.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.decoder.Token(); err != io.EOF {
		line, column := r.place(int(r.decoder.InputOffset()))
		return nil, p.fail(line, column, "something follows the end of the JSON document")
	}
	return root, nil
}

// place returns line and column of an offset; offsets only grow.
func (r *jsonReader) place(offset int) (line, column int) {
	offset = min(offset, len(r.data))
	for ; r.counted < offset; r.counted++ {
		if r.data[r.counted] == '\n' {
			r.line++
			r.lineStart = r.counted + 1
		}
	}
	return r.line, max(offset-r.lineStart, 0) + 1
}

// next returns a token and the place where it begins.
func (r *jsonReader) next() (token json.Token, line, column int, err error) {
	start := int(r.decoder.InputOffset())
	for start < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[start]) >= 0 {
		start++
	}
	line, column = r.place(start)
	token, err = r.decoder.Token()
	var syntax *json.SyntaxError
	switch {
	case err == nil:
	case errors.As(err, &syntax):
		// The offset is of the character that is wrong, or, inside of a value, the one after it.
		at := int(syntax.Offset)
		if at >= len(r.data) || !strings.Contains(err.Error(), "'"+string(r.data[at])+"'") {
			at--
		}
		line, column = r.place(at)
		err = r.fail(line, column, "JSON syntax: %s", strings.TrimPrefix(err.Error(), "json: "))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		line, column = r.place(len(r.data))
		err = r.fail(line, column, "JSON syntax: the document ends in the middle; is it complete?")
	default:
		err = r.fail(line, column, "JSON syntax: %v", err)
	}
	return token, line, column, err
}

func (r *jsonReader) value(depth int) (*node, error) {
	token, line, column, err := r.next()
	if err != nil {
		return nil, err
	}
	return r.valueOf(token, line, column, depth)
}

func (r *jsonReader) valueOf(token json.Token, line, column, depth int) (*node, error) {
	n, err := r.node(null, line, column, depth)
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case nil:
	case bool:
		n.kind, n.text = boolean, strconv.FormatBool(t)
	case json.Number:
		n.kind = number
		return n, r.number(n, t.String())
	case string:
		n.kind, n.text = text, t
	case json.Delim:
		if t == '{' {
			n.kind = object
			return n, r.members(n, depth)
		}
		n.kind = array
		return n, r.elements(n, depth)
	}
	return n, nil
}

func (r *jsonReader) members(n *node, depth int) error {
	for {
		token, _, _, err := r.next()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return nil // the closing brace: the decoder takes nothing else here
		}
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.add(key, item)
	}
}

func (r *jsonReader) elements(n *node, depth int) error {
	for {
		token, line, column, err := r.next()
		if err != nil {
			return err
		}
		if token == json.Delim(']') {
			return nil
		}
		item, err := r.valueOf(token, line, column, depth+1)
		if err != nil {
			return err
		}
		n.push(item)
	}
}

// yamlReader turns yaml.v3's nodes into ours, aliases and merge keys expanded.
type yamlReader struct {
	*parser
	open    map[*yaml.Node]bool // anchors that are being expanded
	inAlias int                 // how many aliases deep the reader is
	aliased int                 // values read there
}

func (p *parser) yaml(data []byte) (root *node, err error) {
	defer func() {
		if caught := recover(); caught != nil { // yaml.v3 has panicked on odd input
			root, err = nil, p.fail(0, 0, "YAML syntax: the file can't be parsed")
		}
	}()
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, p.fail(1, 1, "the file holds nothing but comments")
		}
		return nil, p.yamlError(data, err)
	}
	r := &yamlReader{parser: p, open: map[*yaml.Node]bool{}}
	return r.value(document.Content[0], 0)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yamlError finds the place, which yaml.v3 tells as a line at best.
func (p *parser) yamlError(data []byte, err error) *Error {
	line, message := 0, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1]) // "" is no line
		message = m[2]
	}
	for i := 0; i < len(data) && line == 0; {
		c, size := utf8.DecodeRune(data[i:])
		if c < ' ' && !strings.ContainsRune("\t\r\n", c) || c == 0x7f || c == utf8.RuneError && size <= 1 {
			line = bytes.Count(data[:i], []byte("\n")) + 1
			return p.fail(line, i-bytes.LastIndexByte(data[:i], '\n'), "YAML syntax: a control character or a broken UTF-8 sequence (byte 0x%02x)", data[i])
		}
		i += size
	}
	column := 0
	if lines := bytes.Split(data, []byte("\n")); line > 0 && line <= len(lines) {
		at := lines[line-1]
		indented := bytes.TrimLeft(at, " ")
		if column = len(at) - len(indented) + 1; bytes.HasPrefix(indented, []byte("\t")) {
			message += " (a tab; YAML indents with spaces)"
		}
	}
	return p.fail(line, column, "YAML syntax: %s", message)
}

func (r *yamlReader) value(y *yaml.Node, depth int) (*node, error) {
	if y.Kind == yaml.AliasNode {
		if r.open[y.Alias] {
			return nil, r.fail(y.Line, y.Column, "the anchor %q contains itself", y.Value)
		}
		r.open[y.Alias] = true
		r.inAlias++
		defer func() {
			delete(r.open, y.Alias)
			r.inAlias--
		}()
		return r.value(y.Alias, depth)
	}
	if r.inAlias > 0 {
		if r.aliased++; r.aliased > maxAliased {
			return nil, r.fail(y.Line, y.Column, "aliases expand to more than %d values", maxAliased)
		}
	}
	if y.Anchor != "" && !r.open[y] {
		r.open[y] = true
		defer delete(r.open, y)
	}
	n, err := r.node(null, y.Line, y.Column, depth)
	if err != nil {
		return nil, err
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = object
		return n, r.mapping(n, y, depth)
	case yaml.SequenceNode:
		n.kind = array
		for _, content := range y.Content {
			item, err := r.value(content, depth+1)
			if err != nil {
				return nil, err
			}
			n.push(item)
		}
		return n, nil
	}
	return n, r.scalar(n, y)
}

func (r *yamlReader) mapping(n *node, y *yaml.Node, depth int) error {
	var merged []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			return r.fail(key.Line, key.Column, "a key that is itself a list or an object")
		}
		item, err := r.value(value, depth+1)
		if err != nil {
			return err
		}
		n.add(key.Value, item)
	}
	for _, source := range merged {
		if err := r.merge(n, source, depth); err != nil {
			return err
		}
	}
	return nil
}

// merge adds the keys of `<<: *anchor` that n does not have itself.
func (r *yamlReader) merge(n *node, source *yaml.Node, depth int) error {
	other, err := r.value(source, depth+1)
	if err != nil {
		return err
	}
	sources := []*node{other}
	if other.kind == array {
		sources = other.items
	}
	for _, from := range sources {
		if from.kind != object {
			return r.fail(source.Line, source.Column, "the merge key << wants an object, not %s", from.kind)
		}
		for i, key := range from.keys {
			if n.find(key) < 0 {
				n.add(key, from.items[i])
			}
		}
	}
	return nil
}

func (r *yamlReader) scalar(n *node, y *yaml.Node) error {
	n.kind, n.text = text, y.Value
	switch y.ShortTag() {
	case "!!null":
		n.kind, n.text = null, ""
	case "!!bool":
		var b bool
		if y.Decode(&b) == nil {
			n.kind, n.text = boolean, strconv.FormatBool(b)
		}
	case "!!int", "!!float":
		if literal, ok := jsonNumber(y); ok {
			n.kind = number
			return r.number(n, literal)
		}
	}
	return nil
}

// jsonNumber writes a YAML number as JSON would: 0x1F, 1_000 and +1 are none there. Infinity has no JSON.
func jsonNumber(y *yaml.Node) (string, bool) {
	if json.Valid([]byte(y.Value)) {
		return y.Value, true
	}
	var whole int64
	if y.Decode(&whole) == nil {
		return strconv.FormatInt(whole, 10), true
	}
	var fraction float64
	if y.Decode(&fraction) != nil {
		return "", false
	}
	literal, err := json.Marshal(fraction)
	return string(literal), err == nil
}
