package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// location is where a value lies in an answer: .a.b, ."a.b", .[0], .[-1] and .[rel=next], the item whose rel is next. The
// empty location is the answer itself; nil is nowhere.
type location []step

// step leads from a value to one within it.
type step struct {
	key   string // of an object; or of an array's objects, where is says which value decides
	is    string
	index int // of an array; negative from the end
	kind  byte
}

const (
	byKey   = 'k'
	byIndex = 'i'
	byValue = 'v'
)

var errLocation = errors.New("no path")

// parseLocation reads a path as gateway.yaml writes it, a small part of jq.
func parseLocation(text string) (location, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, ".") {
		text = "." + text
	}
	out := location{}
	for rest := text; rest != "" && rest != "."; {
		rest = strings.TrimPrefix(rest, ".")
		var s step
		switch {
		case strings.HasPrefix(rest, `"`):
			end := stringEnd([]byte(rest), 0)
			if end >= len(rest) || json.Unmarshal([]byte(rest[:end+1]), &s.key) != nil {
				return nil, errLocation
			}
			s.kind, rest = byKey, rest[end+1:]
		case strings.HasPrefix(rest, "["):
			inner, after, closed := strings.Cut(rest[1:], "]")
			key, value, chosen := strings.Cut(inner, "=")
			n, err := strconv.Atoi(inner)
			switch {
			case !closed:
				return nil, errLocation
			case err == nil:
				s = step{kind: byIndex, index: n}
			case chosen && key != "":
				s = step{kind: byValue, key: key, is: strings.Trim(value, `"`)}
			case strings.HasPrefix(inner, `"`) && json.Unmarshal([]byte(inner), &s.key) == nil:
				s.kind = byKey
			default:
				return nil, errLocation
			}
			rest = after
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if s.key = rest[:end]; s.key == "" || strings.ContainsAny(s.key, "\"|(){} \t\n") {
				return nil, errLocation
			}
			s.kind, rest = byKey, rest[end:]
		}
		out = append(out, s)
		if rest != "" && rest[0] != '.' && rest[0] != '[' {
			return nil, errLocation
		}
	}
	return out, nil
}

// in returns the value at the location in compact JSON, nil where there is none.
func (l location) in(data []byte) []byte {
	if l == nil || len(data) == 0 {
		return nil
	}
	for _, s := range l {
		if data = s.in(data); data == nil {
			return nil
		}
	}
	return data
}

func (s step) in(data []byte) []byte {
	switch {
	case s.kind == byKey && data[0] == '{':
		for key, value := range rawMembers(data) {
			if unquoted(key) == s.key {
				return value
			}
		}
	case s.kind == byIndex && data[0] == '[':
		index := s.index
		if index < 0 {
			index += count(rawItems(data))
		}
		for item := range rawItems(data) {
			if index == 0 {
				return item
			}
			index--
		}
	case s.kind == byValue && data[0] == '[':
		for item := range rawItems(data) {
			if item[0] == '{' && text(step{kind: byKey, key: s.key}.in(item)) == s.is {
				return item
			}
		}
	}
	return nil
}

// unquoted is the text of a JSON string.
func unquoted(quoted []byte) string {
	if !bytes.ContainsRune(quoted, '\\') && len(quoted) >= 2 {
		return string(quoted[1 : len(quoted)-1])
	}
	var out string
	if json.Unmarshal(quoted, &out) != nil {
		return ""
	}
	return out
}

// text is a JSON string's text, or a number as it is written; "" for anything else.
func text(value []byte) string {
	switch {
	case len(value) == 0:
		return ""
	case value[0] == '"':
		return unquoted(value)
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		return string(value)
	}
	return ""
}

// whole is a JSON number, or a string of one, that is whole; false for anything else.
func whole(value []byte) (int, bool) {
	n, err := strconv.Atoi(text(value))
	return n, err == nil
}

// truth is a JSON boolean, also as a string, since some APIs write it so.
func truth(value []byte) (is, known bool) {
	switch string(value) {
	case "true", `"true"`:
		return true, true
	case "false", `"false"`:
		return false, true
	}
	return false, false
}
