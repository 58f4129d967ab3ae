package specs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

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
