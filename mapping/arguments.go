package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"mcpgate/internal/fault"
)

// ParseArguments validates a call's arguments against the whole schema, puts defaults in, and returns them. A
// mismatch is a fault.Input that names each argument and what is allowed. raw may be empty.
//
// It forgives what models get wrong where nothing is lost by it: null for an argument that takes no null counts as not
// given; a number, boolean, array or object that is written as a string is read as such where no string is allowed; and
// a number is written as a string where nothing but a string is.
func (t *Tool) ParseArguments(raw json.RawMessage) (Arguments, error) {
	args, err := decodeArguments(raw)
	if err != nil {
		return nil, fault.New(fault.Input, "the arguments must be one JSON object: "+err.Error(), nil)
	}
	var fields []fault.Field
	for _, name := range sortedKeys(args) {
		schema, ok := t.arguments.Properties[name]
		switch {
		case !ok:
			fields = append(fields, t.unknown(name))
			delete(args, name)
		case args[name] == nil && !accepts(schema, "null"):
			delete(args, name)
		default:
			args[name] = lenient(schema, args[name])
			if outOfBounds(args[name]) {
				fields = append(fields, fault.Field{Path: name, Message: "has a number that is out of all bounds"})
				delete(args, name)
			}
		}
	}
	for name, value := range t.defaults {
		if _, said := args[name]; !said {
			args[name] = value
		}
	}
	if err := t.arguments.Validate(map[string]any(args)); err != nil {
		fields = append(fields, mismatches(err)...)
	}
	if len(fields) == 0 {
		fields = append(t.checkSent(args), t.checkTogether(args)...)
	}
	if len(fields) == 0 && t.kinds != nil {
		fields = t.kinds.check(args)
	}
	if len(fields) == 0 && t.statement != nil {
		fields = t.statement.write(args)
	}
	if len(fields) > 0 {
		return nil, misfit(fields)
	}
	return args, nil
}

// checkSent checks what is made of arguments inside which gateway.yaml changes something.
func (t *Tool) checkSent(args Arguments) []fault.Field {
	var fields []fault.Field
	for _, name := range sortedKeys(t.sent) {
		s := t.sent[name]
		value, ok := s.slot.fill(args)
		if !ok {
			continue
		}
		if err := s.schema.Validate(map[string]any{name: value}); err != nil {
			for _, f := range mismatches(err) {
				f.Path = s.slot.said(f.Path)
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// checkTogether checks what a body's schema demands of its properties together, such as one of two.
func (t *Tool) checkTogether(args Arguments) []fault.Field {
	if t.together == nil {
		return nil
	}
	body := map[string]any{}
	for name, s := range t.parts {
		if value, ok := s.fill(args); ok {
			body[name] = value
		}
	}
	if len(body) == 0 && !t.template.body.required {
		return nil // there is no body
	}
	if least := t.together.MinProperties; least != nil && len(body) < *least {
		return []fault.Field{{Path: "arguments", Message: fmt.Sprintf("needs at least %d of %s", *least, listed(sortedKeys(t.parts)))}}
	}
	if err := t.together.Validate(body); err != nil {
		return mismatches(err)
	}
	return nil
}

// misfit is the fault for arguments that don't fit.
func misfit(fields []fault.Field) error {
	const most = 10
	more := ""
	if len(fields) > most {
		more = fmt.Sprintf("; and %d more", len(fields)-most)
		fields = fields[:most]
	}
	var lines []string
	for _, f := range fields {
		lines = append(lines, f.Path+": "+f.Message)
	}
	f := fault.New(fault.Input, "the arguments don't fit: "+strings.Join(lines, "; ")+more, nil)
	f.Fields = fields
	return f
}

// unknown is the mismatch of an argument that the tool does not have.
func (t *Tool) unknown(name string) fault.Field {
	message := "there is no such argument"
	if near := suggest(name, t.names); near != "" {
		return fault.Field{Path: name, Message: message + "; " + near}
	}
	if len(t.names) == 0 {
		return fault.Field{Path: name, Message: message + "; this tool takes none"}
	}
	return fault.Field{Path: name, Message: message + "; there are " + listed(t.names)}
}

// decodeArguments keeps numbers as they are written.
func decodeArguments(raw json.RawMessage) (Arguments, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return Arguments{}, nil
	}
	if raw[0] != '{' {
		return nil, errors.New("they begin with " + string(raw[:1]))
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var args Arguments
	if err := decoder.Decode(&args); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return args, nil
}
