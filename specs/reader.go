package specs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxWarnings bounds the warnings of one document: nobody reads more, and a hostile one has millions.
const maxWarnings = 2000

// reader turns one parsed document into the neutral view. What it can't read it leaves out, with a warning.
type reader struct {
	ctx      context.Context
	files    *files
	root     *node
	dialect  dialect
	doc      *Document
	warnings []Warning
	warned   map[Warning]bool
	unsaid   int    // warnings beyond maxWarnings
	missing  *Error // the first neighbour file that is not there

	targets map[reference]*node // what was looked up before
	hops    int                 // references that walk is going through

	schemas map[*node]Schema // converted before: a parameter of the components serves many operations
	names   map[*node]string // of what is in Document.Defs, or will be
	taken   map[string]*node // the same by name
	pending []*node          // named, and not converted yet

	parameters map[*node]*parameter
	schemes    map[string]SecurityScheme
	ids        map[string]*Operation // by operationId
	shapes     map[string]string     // paths by their form: /pets/{} -> /pets/{id}
}

func newReader(ctx context.Context, files *files, root *node, d dialect) *reader {
	return &reader{
		ctx: ctx, files: files, root: root, dialect: d,
		doc:     &Document{Defs: map[string]Schema{}},
		warned:  map[Warning]bool{},
		targets: map[reference]*node{},
		schemas: map[*node]Schema{}, names: map[*node]string{}, taken: map[string]*node{},
		parameters: map[*node]*parameter{}, ids: map[string]*Operation{}, shapes: map[string]string{},
	}
}

// warn notes something odd at n, once.
func (r *reader) warn(n *node, format string, args ...any) {
	if len(r.warnings) >= maxWarnings {
		r.unsaid++
		return
	}
	r.note(Warning{Message: fmt.Sprintf(format, args...), Pos: n.position()})
}

func (r *reader) note(w Warning) {
	switch {
	case r.warned[w]:
	case len(r.warnings) >= maxWarnings:
		r.unsaid++
	default:
		r.warned[w] = true
		r.warnings = append(r.warnings, w)
	}
}

// sortWarnings puts them in the order of the files.
func (r *reader) sortWarnings() {
	slices.SortStableFunc(r.warnings, func(a, b Warning) int {
		return cmp.Or(strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line, a.Pos.Column-b.Pos.Column)
	})
	if r.unsaid > 0 {
		r.warnings = append(r.warnings, Warning{Message: fmt.Sprintf("%d more warnings are not shown", r.unsaid), Pos: r.root.position()})
		r.unsaid = 0
	}
}

// document reads everything.
func (r *reader) document() {
	info := r.root.get("info")
	r.doc.Title = r.text(info.get("title"))
	r.doc.Description = r.text(info.get("description"))
	r.doc.Version = r.text(info.get("version"))
	r.nameComponents()
	r.readSecuritySchemes()
	r.doc.Servers = r.documentServers()
	r.readPaths()
	r.finishDefs()
	r.sortWarnings()
}

// text reads a value that should be a text; other scalars are taken as they are written.
func (r *reader) text(n *node) string {
	if n == nil {
		return ""
	}
	if n.kind == array || n.kind == object {
		r.warn(n, "a text belongs here, not %s; left out", n.kind)
		return ""
	}
	return n.text
}

// entries returns an object's values with their keys, x- extensions left out. Anything but an object has none.
func (r *reader) entries(n *node, what string) []entry {
	if n == nil || n.kind == null {
		return nil
	}
	if n.kind != object {
		r.warn(n, "%s should be an object, not %s; left out", what, n.kind)
		return nil
	}
	list := make([]entry, 0, len(n.keys))
	for i, key := range n.keys {
		if len(key) < 2 || key[:2] != "x-" {
			list = append(list, entry{key, n.items[i]})
		}
	}
	return list
}

type entry struct {
	key   string
	value *node
}

// list returns a list's elements; a single value counts as a list of one.
func (r *reader) list(n *node, what string) []*node {
	switch {
	case n == nil || n.kind == null:
		return nil
	case n.kind == array:
		return n.items
	}
	r.warn(n, "%s should be a list, not %s", what, n.kind)
	return []*node{n}
}
