package config

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// This file reads the types that have a notation of their own.

// notation reads a scalar with parse, and reports its error. An empty variable says nothing.
func notation[T any](d *decoder, n *node, path Path, parse func(string) (T, error)) (value T, ok bool) {
	text, ok := d.text(n, path)
	if !ok || (text == "" && n.text != "") {
		return value, false
	}
	value, err := parse(text)
	if err != nil {
		d.notMeant(n, path, text, err)
		return value, false
	}
	return value, true
}

func (d *Duration) decode(from *decoder, n *node, path Path) {
	if value, ok := notation(from, n, path, parseDuration); ok {
		*d = value
	}
}

func (s *Size) decode(d *decoder, n *node, path Path) {
	if value, ok := notation(d, n, path, parseSize); ok {
		*s = value
	}
}

func (r *Rate) decode(d *decoder, n *node, path Path) {
	if value, ok := notation(d, n, path, parseRate); ok {
		*r = value
	}
}

func (s *Secret) decode(d *decoder, n *node, path Path) {
	n.hide()
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	*s = NewSecret(text)
	s.named = secretVariable.MatchString(n.text)
}

func (s *Strings) decode(d *decoder, n *node, path Path) {
	if n.kind == sequence {
		var list []string
		d.list(n, path, reflect.ValueOf(&list).Elem())
		*s = list
		return
	}
	if n.kind == mapping {
		d.mismatch(n, path, "a plain value or a list")
		return
	}
	if text, ok := d.text(n, path); ok && text != "" {
		*s = Strings{text}
	}
}

func (*Later) decode(d *decoder, n *node, path Path) {
	key := path[len(path)-1]
	if n.keyLine > 0 {
		n = &node{file: n.file, line: n.keyLine, column: n.keyColumn}
	}
	d.notYet(n, path[:len(path)-1], key)
}

func (d *decoder) notYet(n *node, path Path, what string) {
	d.report(n, path, what+" is not available yet in this version", "")
}

// decode reports a kind of credential that is not built yet once, instead of each of its keys.
func (c *Credential) decode(d *decoder, n *node, path Path) {
	if n.kind == sequence {
		d.notYet(n, path, "a list of credentials")
		return
	}
	v := reflect.ValueOf(c).Elem()
	if given := n.get("type"); given != nil && given.kind == scalar {
		for _, f := range fieldsOf(v.Type()) {
			if f.key == "type" && slices.Contains(f.later, given.text) {
				d.notYet(given, path, "type: "+given.text)
				return
			}
		}
	}
	d.structure(n, path, v)
}

// leadingZero finds what YAML reads as a number in base 8, and people mean as a customer's number: 00123.
var leadingZero = regexp.MustCompile(`^[-+]?0[0-9]`)

// free reads a value of any shape, as JSON has them: numbers become json.Number, so that none loses digits.
func (d *decoder) free(n *node, path Path) any {
	switch n.kind {
	case null:
		return nil
	case mapping:
		out := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			out[e.key] = d.free(e.value, path.Child(e.key))
		}
		return out
	case sequence:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = d.free(item, path.Child(fmt.Sprint(i)))
		}
		return out
	}
	text, ok := d.text(n, path)
	if !ok || n.quoted || leadingZero.MatchString(text) {
		return text
	}
	switch (&yaml.Node{Kind: yaml.ScalarNode, Value: text}).ShortTag() {
	case "!!bool":
		return strings.EqualFold(text, "true")
	case "!!int", "!!float":
		if number, ok := jsonNumber(text); ok {
			return number
		}
		d.report(n, path, fmt.Sprintf("%q is no number that JSON has", text), "put quotes around it")
	}
	return text
}

// jsonNumber writes a number of YAML (0x1F, 1_000, .5, 1e3) as JSON writes it, digit by digit.
func jsonNumber(text string) (json.Number, bool) {
	if json.Valid([]byte(text)) {
		return json.Number(text), true
	}
	plain := strings.ReplaceAll(strings.TrimPrefix(text, "+"), "_", "")
	if whole, ok := new(big.Int).SetString(plain, 0); ok {
		return json.Number(whole.String()), true
	}
	if value, err := parseNumber(plain); err == nil {
		out, err := json.Marshal(value)
		return json.Number(out), err == nil
	}
	return "", false
}
