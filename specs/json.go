package specs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

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
