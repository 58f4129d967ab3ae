package specs

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// maxHops bounds a chain of references, and so one that leads back to itself.
const maxHops = 64

// resolve follows n's $ref, if it has one, to what it stands for.
func (r *reader) resolve(n *node) (*node, error) {
	for range maxHops {
		ref := n.ref()
		if ref == "" {
			return n, nil
		}
		target, err := r.lookup(n, ref)
		if err != nil {
			return nil, err
		}
		n = target
	}
	return nil, place(n, "the $ref %q leads back to itself, or through more than %d others", n.ref(), maxHops)
}

// lookup finds what a $ref at from means. The error is placed at from.
func (r *reader) lookup(from *node, ref string) (*node, error) {
	target, err := r.find(from, ref)
	if err == nil {
		return target, nil
	}
	failed := &Error{Message: fmt.Sprintf("the $ref %.200q: %v", ref, err), Pos: from.position(), Cause: err}
	var missing *missingFile
	if errors.As(err, &missing) && r.missing == nil {
		r.missing = failed
	}
	return nil, failed
}

// reference is a $ref as one file writes it.
type reference struct {
	file *file
	ref  string
}

var errNotThere = errors.New("there is nothing at that place")

func (r *reader) find(from *node, ref string) (*node, error) {
	key := reference{from.file, ref}
	if target := r.targets[key]; target != nil {
		return target, nil
	}
	name, fragment, _ := strings.Cut(ref, "#")
	if target := r.identified(from, ref); target != nil {
		return target, nil
	}
	root := from.file.root
	if name != "" {
		var err error
		if root, err = r.files.neighbour(r.ctx, from.file, name); err != nil {
			if named := r.named(from.file.root, ref); named != nil {
				return named, nil
			}
			return nil, err
		}
	}
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	if fragment == "" {
		return root, nil
	}
	if !strings.HasPrefix(fragment, "/") {
		return nil, errNotThere // an anchor, and identified does not know it
	}
	if target := r.walk(root, fragment); target != nil {
		r.targets[key] = target
		return target, nil
	}
	if r.hops > 0 {
		return nil, errNotThere // guesses upon guesses would be too many: a $ref may lead through itself
	}
	return r.elsewhere(from, root, fragment)
}

// walk follows a JSON pointer, through references on its way.
func (r *reader) walk(n *node, pointer string) *node {
	for _, token := range strings.Split(pointer[1:], "/") {
		token = pointerUnescape.Replace(token)
		next := n.child(token)
		if next == nil && n.ref() != "" && r.hops < maxHops {
			r.hops++
			if target, err := r.resolve(n); err == nil {
				next = target.child(token)
			}
			r.hops--
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}

// moved are sections that authors confuse: the first is what they write, the second where it is.
var moved = [][2]string{
	{"/definitions/", "/components/schemas/"},
	{"/components/schemas/", "/definitions/"},
	{"/parameters/", "/components/parameters/"},
	{"/responses/", "/components/responses/"},
	{"/schemas/", "/components/schemas/"},
}

// elsewhere tries what the author may have meant: another version's section, or a pointer that counts from a schema
// above instead of the document's root.
func (r *reader) elsewhere(from, root *node, pointer string) (*node, error) {
	for _, m := range moved {
		if rest, ok := strings.CutPrefix(pointer, m[0]); ok {
			if target := r.walk(root, m[1]+rest); target != nil {
				r.warn(from, "there is nothing at %q; taken from #%s", "#"+pointer, m[1]+rest)
				return target, nil
			}
		}
	}
	if root == from.file.root {
		for above := from.parent; above != nil; above = above.parent {
			if target := r.walk(above, pointer); target != nil {
				return target, nil
			}
		}
	}
	return nil, errNotThere
}

// named finds a bare schema name, as Swagger 1 had it: {"$ref": "Pet"}.
func (r *reader) named(root *node, name string) *node {
	if strings.ContainsAny(name, "/#") {
		return nil
	}
	if target := root.get("components").get("schemas").get(name); target != nil {
		return target
	}
	return root.get("definitions").get(name)
}

// identified finds a schema by its $id, $anchor or $dynamicAnchor: in this file alone, nothing is fetched for it.
func (r *reader) identified(from *node, ref string) *node {
	ids := from.file.identifiers()
	if len(ids) == 0 {
		return nil
	}
	if target := ids[ref]; target != nil {
		return target
	}
	for above := from; above != nil; above = above.parent {
		base, err := url.Parse(above.get("$id").scalar())
		if err != nil || base.String() == "" {
			continue
		}
		if relative, err := url.Parse(ref); err == nil {
			if target := ids[base.ResolveReference(relative).String()]; target != nil {
				return target
			}
		}
	}
	return nil
}

// identifiers returns the file's schemas by their $id, and by #anchor.
func (f *file) identifiers() map[string]*node {
	if f.ids == nil {
		f.ids = map[string]*node{}
		f.collect(f.root)
	}
	return f.ids
}

func (f *file) collect(n *node) {
	if n.kind == object {
		if id := n.get("$id"); id != nil && id.kind == text {
			f.ids[strings.TrimSuffix(id.text, "#")] = n
		}
		for _, key := range []string{"$anchor", "$dynamicAnchor"} {
			if anchor := n.get(key); anchor != nil && anchor.kind == text {
				f.ids["#"+anchor.text] = n
			}
		}
	}
	for _, item := range n.items {
		f.collect(item)
	}
}
