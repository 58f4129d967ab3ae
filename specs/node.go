package specs

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

// String names a kind as an author would.
func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a text", "a list", "an object"}[k]
}

// node is one value of a parsed file. Unlike a map it keeps the order of keys and the place of every value.
type node struct {
	kind   kind
	at     int32    // position among the parent's items
	text   string   // of a scalar: as JSON would write it, a text without its quotes
	keys   []string // of an object, beside items
	items  []*node
	index  map[string]int // of a large object: key -> position in items
	parent *node
	file   *file
	line   int32
	column int32
}

// indexed is the number of keys from which an object is worth a map.
const indexed = 16

// add puts a value at the end of an object; a key said twice is replaced, as JSON and most YAML readers do.
func (n *node) add(key string, item *node) {
	item.parent = n
	if i := n.find(key); i >= 0 {
		item.at = int32(i)
		n.items[i] = item
		return
	}
	item.at = int32(len(n.items))
	n.keys, n.items = append(n.keys, key), append(n.items, item)
	switch {
	case n.index != nil:
		n.index[key] = len(n.keys) - 1
	case len(n.keys) >= indexed:
		n.reindex()
	}
}

func (n *node) reindex() {
	n.index = make(map[string]int, 2*len(n.keys))
	for i, k := range n.keys {
		n.index[k] = i
	}
}

func (n *node) push(item *node) {
	item.parent, item.at = n, int32(len(n.items))
	n.items = append(n.items, item)
}

// drop takes those of an object's or a list's values out that gone holds.
func (n *node) drop(gone map[*node]bool) {
	var keys []string
	var items []*node
	for i, item := range n.items {
		if gone[item] {
			continue
		}
		if n.kind == object {
			keys = append(keys, n.keys[i])
		}
		item.at = int32(len(items))
		items = append(items, item)
	}
	n.keys, n.items = keys, items
	if n.index != nil {
		n.reindex()
	}
}

func (n *node) find(key string) int {
	if n.index == nil {
		return slices.Index(n.keys, key)
	}
	if i, ok := n.index[key]; ok {
		return i
	}
	return -1
}

// get returns the value of a key, nil where n is no object or does not have it.
func (n *node) get(key string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	if i := n.find(key); i >= 0 {
		return n.items[i]
	}
	return nil
}

// child is get for an object and the element for a list: a step of a JSON pointer.
func (n *node) child(token string) *node {
	if n == nil || n.kind != array {
		return n.get(token)
	}
	if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}

// scalar returns a scalar's text, whatever its type: `version: 1.0` is meant as "1.0".
func (n *node) scalar() string {
	if n == nil || n.kind == array || n.kind == object {
		return ""
	}
	return n.text
}

// isTrue reports whether n is true; "true" in quotes counts.
func (n *node) isTrue() bool {
	return n != nil && (n.kind == boolean || n.kind == text) && n.text == "true"
}

// ref returns the target of {"$ref": "..."}, "" where n is no such thing.
func (n *node) ref() string {
	if r := n.get("$ref"); r != nil && r.kind == text {
		return r.text
	}
	return ""
}

// search returns the first of n and what is below it that is wanted, in the document's order.
func (n *node) search(wanted func(*node) bool) *node {
	if wanted(n) {
		return n
	}
	for _, item := range n.items {
		if found := item.search(wanted); found != nil {
			return found
		}
	}
	return nil
}

// value returns n as encoding/json would with UseNumber.
func (n *node) value() any {
	switch n.kind {
	case boolean:
		return n.text == "true"
	case number:
		return json.Number(n.text)
	case text:
		return n.text
	case array:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.value()
		}
		return list
	case object:
		m := make(map[string]any, len(n.items))
		for i, item := range n.items {
			m[n.keys[i]] = item.value()
		}
		return m
	}
	return nil
}

// size is about how many bytes of JSON n is; it stops counting beyond limit.
func (n *node) size(limit int) int {
	total := len(n.text) + 2
	for i, item := range n.items {
		if total > limit {
			break
		}
		if n.kind == object {
			total += len(n.keys[i]) + 4
		}
		total += item.size(limit-total) + 1
	}
	return total
}

// tokens are the steps from the file's root to n.
func (n *node) tokens() []string {
	var steps []string
	for ; n != nil && n.parent != nil; n = n.parent {
		if n.parent.kind == object {
			steps = append(steps, n.parent.keys[n.at])
		} else {
			steps = append(steps, strconv.Itoa(int(n.at)))
		}
	}
	slices.Reverse(steps)
	return steps
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

// position returns where n stands.
func (n *node) position() Position {
	var pointer strings.Builder
	pointer.WriteByte('#')
	for _, token := range n.tokens() {
		pointer.WriteByte('/')
		pointer.WriteString(pointerEscape.Replace(token))
	}
	return Position{File: n.file.name, Line: int(n.line), Column: int(n.column), Pointer: pointer.String()}
}
