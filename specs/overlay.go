package specs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/theory/jsonpath"
)

// Limits of overlays.
const (
	maxActions = 10_000
	// maxDescents bounds the `..` of one target: each goes through everything below everything that it is given.
	maxDescents = 2
)

// Overlay is an OpenAPI Overlay: changes to a document that are made before anything else reads it.
type Overlay struct {
	actions []action
}

// action is one change: what target finds is removed, or update is merged into it.
type action struct {
	target *jsonpath.Path
	at     *node // where target is written
	update *node // nil to remove
}

// Overlay reads an OpenAPI Overlay 1.0 from a file or URL. What is wrong with it is an *Error with its place.
func (l Loader) Overlay(ctx context.Context, location string) (*Overlay, error) {
	files, err := l.open(location)
	if err != nil {
		return nil, err
	}
	defer files.close()
	root, err := files.root(ctx)
	if err != nil {
		return nil, err
	}
	version := root.get("overlay")
	if version == nil {
		return nil, place(root, "this is not an OpenAPI Overlay: it has no `overlay: 1.0.0`")
	}
	if v := version.scalar(); v != "1" && !strings.HasPrefix(v, "1.") {
		return nil, place(version, "Overlay version %.40q is not known; 1.0.0 is", v)
	}
	list := root.get("actions")
	if list == nil || list.kind != array {
		return nil, place(root, "an overlay needs a list of `actions`")
	}
	if len(list.items) > maxActions {
		return nil, place(list, "an overlay has at most %d actions", maxActions)
	}
	overlay := &Overlay{}
	for _, item := range list.items {
		a, err := readAction(item)
		if err != nil {
			return nil, err
		}
		overlay.actions = append(overlay.actions, a)
	}
	return overlay, nil
}

func readAction(n *node) (action, error) {
	target := n.get("target")
	if target == nil || target.kind != text {
		return action{}, place(n, "an action needs a `target`: a JSONPath such as $.paths['/pets'].get")
	}
	path, err := jsonpath.Parse(target.text)
	if err != nil {
		return action{}, place(target, "%.200q is no JSONPath (RFC 9535): %v", target.text, strings.TrimPrefix(err.Error(), "jsonpath: "))
	}
	if strings.Count(path.String(), "..") > maxDescents {
		return action{}, place(target, "a target has at most %d `..`", maxDescents)
	}
	a := action{target: path, at: target}
	for _, key := range n.keys {
		switch key {
		case "target", "description", "remove", "update":
		default:
			if !strings.HasPrefix(key, "x-") {
				return action{}, place(n.get(key), "an action has no %.60q; it has target, update and remove", key)
			}
		}
	}
	if remove := n.get("remove"); remove != nil && remove.kind != boolean {
		return action{}, place(remove, "remove is true or false, not %s", remove.kind)
	}
	if n.get("remove").isTrue() {
		return a, nil // an update beside it means nothing (Overlay 1.0, section 4.4.3)
	}
	if a.update = n.get("update"); a.update == nil {
		return action{}, place(n, "an action needs an `update`, or `remove: true`")
	}
	return a, nil
}

// overlaid is a document while overlays are applied. JSONPath selects from plain values, so that tree stands beside the nodes and
// follows each change of theirs.
type overlaid struct {
	files    *files
	root     *node
	tree     any
	homes    map[*file]*file // an overlay's file -> itself as a part of the document
	warnings []Warning
}

// overlay applies the Loader's overlays to the document at root.
func (f *files) overlay(root *node) ([]Warning, error) {
	if len(f.Overlays) == 0 {
		return nil, nil
	}
	o := &overlaid{files: f, root: root, tree: root.value(), homes: map[*file]*file{}}
	for _, overlay := range f.Overlays {
		for _, a := range overlay.actions {
			if err := o.apply(a); err != nil {
				return nil, err
			}
		}
	}
	f.main.ids = nil
	return o.warnings, nil
}

func (o *overlaid) apply(a action) error {
	list := a.target.SelectLocated(o.tree).Deduplicate()
	list.Sort() // the order of keys in a Go map is another one each time
	var found []*node
	for _, located := range list {
		if n := o.node(located.Path.Pointer()); n != nil {
			found = append(found, n)
		}
	}
	if len(found) == 0 {
		o.warn(a, Unmatched, "the overlay's target %.200q matches nothing", a.at.text)
		return nil
	}
	if a.update == nil {
		o.remove(a, found)
		return nil
	}
	for _, n := range found {
		if !attached(n) {
			continue // replaced, with something above it that was found, too
		}
		if err := o.merge(n, a.update); err != nil {
			return err
		}
	}
	return nil
}

func attached(n *node) bool {
	for ; n.parent != nil; n = n.parent {
		if int(n.at) >= len(n.parent.items) || n.parent.items[n.at] != n {
			return false
		}
	}
	return true
}

func (o *overlaid) warn(a action, kind Kind, format string, args ...any) {
	pos := a.at.position()
	o.warnings = append(o.warnings, Warning{Message: fmt.Sprintf(format, args...), Pos: pos, Kind: kind})
}

// node follows a pointer to what stands exactly there.
func (o *overlaid) node(pointer string) *node {
	n := o.root
	if pointer == "" {
		return n
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		n = n.child(pointerUnescape.Replace(token))
	}
	return n
}

func (o *overlaid) remove(a action, found []*node) {
	gone := map[*node]bool{}
	var owners []*node
	for _, n := range found {
		if n.parent == nil {
			o.warn(a, Repair, "an overlay can't remove the document itself; left out")
			continue
		}
		gone[n] = true
		if len(owners) == 0 || owners[len(owners)-1] != n.parent {
			owners = append(owners, n.parent)
		}
	}
	// The deepest first: an owner may be below something that goes, too.
	slices.SortStableFunc(owners, func(a, b *node) int { return depthOf(b) - depthOf(a) })
	for _, owner := range slices.Compact(owners) {
		if members, ok := o.plain(owner).(map[string]any); ok {
			for i, item := range owner.items {
				if gone[item] {
					delete(members, owner.keys[i])
				}
			}
			owner.drop(gone)
			continue
		}
		owner.drop(gone)
		o.refresh(owner)
	}
}

// plain is what stands for n in the tree; nil where it is gone, with something above it.
func (o *overlaid) plain(n *node) any {
	v := o.tree
	for _, token := range n.tokens() {
		v = childOf(v, token)
	}
	return v
}

func childOf(v any, token string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[token]
	case []any:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// refresh writes n into the tree anew.
func (o *overlaid) refresh(n *node) {
	if n.parent == nil {
		o.tree = n.value()
		return
	}
	switch owner := o.plain(n.parent).(type) {
	case map[string]any:
		owner[n.parent.keys[n.at]] = n.value()
	case []any:
		if int(n.at) < len(owner) {
			owner[n.at] = n.value()
		}
	}
}

// merge puts an update into n (Overlay 1.0, section 4.4.3.2): objects are merged, a list gets the update as one more element,
// anything else is replaced, as Overlay 1.1 has it.
func (o *overlaid) merge(n, update *node) error {
	switch {
	case n.kind == array:
		item, err := o.copy(update, depthOf(n)+1)
		if err != nil {
			return err
		}
		n.push(item)
	case n.kind == object && update.kind == object:
		return o.mergeObject(n, update)
	default:
		if n.parent == nil || n.kind == object || update.kind == object || update.kind == array {
			return place(update, "this can't be merged into %s at %s", n.kind, n.position().Pointer)
		}
		n.kind, n.text, n.file, n.line, n.column = update.kind, update.text, o.home(update.file), update.line, update.column
	}
	o.refresh(n)
	return nil
}

func (o *overlaid) mergeObject(n, update *node) error {
	for i, key := range update.keys {
		if err := o.mergeMember(n, key, update.items[i]); err != nil {
			return err
		}
		o.refresh(n.get(key))
	}
	return nil
}

// mergeMember merges one property: objects recursively, lists one after the other, and all else replaces what was there.
func (o *overlaid) mergeMember(n *node, key string, value *node) error {
	old := n.get(key)
	depth := depthOf(n) + 1
	switch {
	case old != nil && old.kind == object && value.kind == object:
		for i, inner := range value.keys {
			if err := o.mergeMember(old, inner, value.items[i]); err != nil {
				return err
			}
		}
		return nil
	case old != nil && old.kind == array && value.kind == array:
		for _, item := range value.items {
			added, err := o.copy(item, depth+1)
			if err != nil {
				return err
			}
			old.push(added)
		}
		return nil
	}
	added, err := o.copy(value, depth)
	if err != nil {
		return err
	}
	n.add(key, added)
	return nil
}

func depthOf(n *node) int {
	depth := 0
	for ; n.parent != nil; n = n.parent {
		depth++
	}
	return depth
}

// copy makes a part of the document of a part of an overlay. It keeps its place in the overlay's file, but its references
// are the document's. The limits of a document hold for both together.
func (o *overlaid) copy(n *node, depth int) (*node, error) {
	p := parser{file: o.home(n.file), nodes: &o.files.nodes}
	copied, err := p.node(n.kind, int(n.line), int(n.column), depth)
	if err != nil {
		return nil, err
	}
	copied.text = n.text
	for i, item := range n.items {
		inner, err := o.copy(item, depth+1)
		if err != nil {
			return nil, err
		}
		if n.kind == object {
			copied.add(n.keys[i], inner)
		} else {
			copied.push(inner)
		}
	}
	return copied, nil
}

// home is the overlay's file as a part of the document: named as itself, and with the document's root and folder.
func (o *overlaid) home(overlay *file) *file {
	if home := o.homes[overlay]; home != nil {
		return home
	}
	main := o.files.main
	home := &file{name: overlay.name, path: main.path, url: main.url, root: o.root}
	o.homes[overlay] = home
	return home
}
