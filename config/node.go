package config

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits against YAML bombs: aliases of aliases that unfold into millions of values.
const (
	maxNodes = 200_000 // values after aliases are unfolded
	maxDepth = 64      // lists and mappings inside one another
)

type kind int

const (
	null kind = iota
	scalar
	mapping
	sequence
)

// describe names a kind in a message.
func (k kind) describe() string {
	return [...]string{"empty", "a plain value", "a mapping (key: value)", "a list"}[k]
}

// node is a value of the file with its place. Aliases and merge keys are unfolded, keys are unique, and ${...} is still
// as the author wrote it.
type node struct {
	kind   kind
	file   *file // nil for a default
	line   int
	column int

	keyLine, keyColumn int // of the key that it is the value of; 0 where there is none

	text    string // of a scalar
	quoted  bool   // the scalar is a string, whatever it looks like
	entries []entry
	items   []*node
}

// entry is a key of a mapping with its value.
type entry struct {
	key          string
	line, column int
	value        *node
}

func (n *node) position() Position {
	if n == nil || n.file == nil {
		return Position{}
	}
	return Position{File: n.file.name, Line: n.line, Column: n.column}
}

// begin is where the value begins for a reader: a mapping or list that a key has begins at the key.
func (n *node) begin() Position {
	if n.kind != scalar && n.keyLine > 0 {
		return Position{File: n.file.name, Line: n.keyLine, Column: n.keyColumn}
	}
	return n.position()
}

// get returns the value of a key, nil where there is none.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// builder turns YAML's nodes into ours.
type builder struct {
	loader *loader
	file   *file
	nodes  int
	active map[*yaml.Node]bool // values being built, to find an alias that stands inside its own anchor
	failed bool                // a limit was hit: the rest is left out
}

// build converts y. It reports what is wrong and returns what can be used.
func (b *builder) build(y *yaml.Node, path Path, depth int) *node {
	n := &node{file: b.file, line: y.Line, column: y.Column}
	b.nodes++
	b.active[y] = true
	defer delete(b.active, y)
	if b.failed {
		return n
	}
	if b.nodes > maxNodes || depth > maxDepth {
		b.failed = true
		b.loader.report(b.file, 0, 0, nil, "the file is too large or too deeply nested once its aliases are unfolded",
			fmt.Sprintf("at most %d values and %d levels", maxNodes, maxDepth))
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		if b.active[y.Alias] {
			b.loader.report(b.file, y.Line, y.Column, path, fmt.Sprintf("*%s stands inside its own anchor", y.Value), "")
			return n
		}
		return b.build(y.Alias, path, depth+1)
	case yaml.MappingNode:
		n.kind = mapping
		b.untagged(y, path, "!!map")
		b.mapping(n, y, path, depth)
	case yaml.SequenceNode:
		n.kind = sequence
		b.untagged(y, path, "!!seq")
		for i, item := range y.Content {
			n.items = append(n.items, b.build(item, path.Child(fmt.Sprint(i)), depth+1))
		}
	case yaml.ScalarNode:
		b.scalar(n, y, path)
	}
	return n
}

func (b *builder) scalar(n *node, y *yaml.Node, path Path) {
	n.kind = scalar
	n.text = y.Value
	if b.file.shielded {
		n.text = unshield(y.Value)
	}
	n.quoted = y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	switch {
	case y.Style&yaml.TaggedStyle == 0 && y.Tag == "!!null":
		n.kind = null
	case y.Style&yaml.TaggedStyle != 0 && y.Tag == "!!str":
		n.quoted = true
	case y.Style&yaml.TaggedStyle != 0:
		b.untagged(y, path, "")
	}
	if userInfo.MatchString(n.text) {
		n.hide()
	}
}

// untagged reports a YAML tag that is not what the value is anyway.
func (b *builder) untagged(y *yaml.Node, path Path, own string) {
	if y.Style&yaml.TaggedStyle != 0 && y.Tag != own {
		b.loader.report(b.file, y.Line, y.Column, path, fmt.Sprintf("YAML tags such as %s mean nothing here", y.Tag), "remove it")
	}
}

// mapping fills in the entries: the mapping's own, and then those of its merge keys (<<) that it does not have.
func (b *builder) mapping(n *node, y *yaml.Node, path Path, depth int) {
	var merges []*yaml.Node
	seen := map[string]int{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			b.loader.report(b.file, key.Line, key.Column, path, "a key has to be plain text", "put quotes around a value that begins with { or [")
			continue
		}
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		name := key.Value
		if b.file.shielded {
			name = unshield(name)
		}
		if strings.Contains(name, "${") {
			b.loader.report(b.file, key.Line, key.Column, path, fmt.Sprintf("the key %q holds a variable", name), "variables are filled into values alone")
			continue
		}
		if line, said := seen[name]; said {
			b.loader.report(b.file, key.Line, key.Column, path, fmt.Sprintf("%q is said twice", name), fmt.Sprintf("it stands in line %d already", line))
			continue
		}
		seen[name] = key.Line
		e := entry{key: name, line: key.Line, column: key.Column, value: b.build(value, path.Child(name), depth+1)}
		e.value.keyLine, e.value.keyColumn = key.Line, key.Column
		if e.value.kind == scalar && secretKey.MatchString(name) {
			e.value.hide()
		}
		if secretMapping[name] {
			e.value.hideBare()
		}
		n.entries = append(n.entries, e)
	}
	for _, value := range merges {
		b.merge(n, value, seen, path, depth)
	}
}

// merge adds what a merge key brings, as YAML 1.1 says: a mapping or a list of mappings, the earlier one wins. seen are
// the keys that n has.
func (b *builder) merge(n *node, y *yaml.Node, seen map[string]int, path Path, depth int) {
	if y.Kind == yaml.AliasNode && b.active[y.Alias] {
		b.build(y, path, depth+1) // reports it
		return
	}
	merged := b.build(y, path, depth+1)
	sources := []*node{merged}
	if merged.kind == sequence {
		sources = merged.items
	}
	for _, source := range sources {
		if source.kind != mapping {
			b.loader.report(b.file, y.Line, y.Column, path, "<< needs an alias of a mapping, or a list of these", "")
			continue
		}
		for _, e := range source.entries {
			if _, ok := seen[e.key]; !ok {
				seen[e.key] = e.line
				n.entries = append(n.entries, e)
			}
		}
	}
}

// step goes to a key of a mapping or an index of a list, and returns what is there and where it begins.
func (n *node) step(element string) (*node, Position, bool) {
	switch n.kind {
	case mapping:
		for _, e := range n.entries {
			if e.key == element {
				return e.value, e.value.begin(), true
			}
		}
	case sequence:
		if i, err := strconv.Atoi(element); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i], n.items[i].position(), true
		}
	}
	return nil, Position{}, false
}
