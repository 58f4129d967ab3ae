package specs

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// methods in the order in which a path's operations are listed. QUERY is 3.2's.
var methods = []string{"get", "post", "put", "patch", "delete", "head", "options", "trace", "query"}

// readPaths reads every operation; what can't be read costs a warning.
func (r *reader) readPaths() {
	paths := r.root.get("paths")
	if paths == nil {
		r.warn(r.root, "the document has no paths, and so no operations")
		return
	}
	for _, e := range r.entries(paths, "paths") {
		item, err := r.resolve(e.value)
		if err != nil {
			r.doc.Lost++
			r.lost(e.value, "the path "+e.key, err)
			continue
		}
		if item.kind != object {
			if item.kind != null {
				r.doc.Lost++
				r.warn(e.value, "the path %s should be an object, not %s; left out", e.key, item.kind)
			}
			continue
		}
		r.readPath(e.key, e.value, item)
	}
}

// plainPath returns a path as the neutral view has it: with a slash before it, and without the `?action=list` or `#put`
// by which some documents tell operations apart. The query comes back as parameters that have one value each.
func (r *reader) plainPath(path string, n *node) (string, []Parameter) {
	plain, _, cut := strings.Cut(path, "#")
	plain, query, found := strings.Cut(plain, "?")
	if !strings.HasPrefix(plain, "/") {
		plain = "/" + plain
	}
	if cut || !strings.HasPrefix(path, "/") {
		r.warn(n, "the path %q is read as %q", path, plain)
	}
	if !found {
		return plain, nil
	}
	r.warn(n, "the path %q holds a query, which is read as parameters", path)
	values, err := url.ParseQuery(query)
	if err != nil {
		r.warn(n, "the query of the path %q can't be read; left out", path)
	}
	var fixed []Parameter
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := values.Get(name)
		schema := Schema{"type": "string"}
		if value != "" && !strings.HasPrefix(value, "{") {
			schema = Schema{"type": "string", "enum": []any{value}, "default": value}
		}
		fixed = append(fixed, Parameter{Name: name, In: "query", Required: true, Style: "form", Explode: true, Schema: schema})
	}
	return plain, fixed
}

// lost warns that a part is left out, at the place where the reason is.
func (r *reader) lost(at *node, what string, err error) {
	w := Warning{Message: fmt.Sprintf("%s is left out: %v", what, err), Pos: at.position()}
	var failed *Error
	if errors.As(err, &failed) {
		w = Warning{Message: fmt.Sprintf("%s is left out: %s", what, failed.Message), Pos: failed.Pos}
	}
	r.note(w)
}

// readPath reads the operations of one path. Where the path is a $ref, written is what stands in its place and may have
// operations beside it.
func (r *reader) readPath(path string, written, item *node) {
	path, fixed := r.plainPath(path, written)
	r.noteSamePath(path, written)
	operation := func(method string, n *node) {
		if n.kind == null {
			return
		}
		op, err := r.readOperation(method, path, item, n)
		if err != nil {
			r.doc.Lost++
			r.lost(n, method+" "+path, err)
			return
		}
		for _, p := range fixed {
			if !slices.ContainsFunc(op.Parameters, func(q Parameter) bool { return q.In == p.In && q.Name == p.Name }) {
				op.Parameters = append(op.Parameters, p)
			}
		}
		r.noteTwin(op)
		r.doc.operations = append(r.doc.operations, op)
	}
	for _, method := range methods {
		n := item.get(method)
		if n == nil && written != item {
			n = written.get(method)
		}
		if n != nil {
			operation(strings.ToUpper(method), n)
		}
	}
	for _, e := range r.entries(item.get("additionalOperations"), "additionalOperations") {
		operation(e.key, e.value)
	}
}

var pathName = regexp.MustCompile(`\{[^{}/]*\}`)

// noteSamePath warns of two paths that differ in the names of their parameters alone: for a server they are one.
func (r *reader) noteSamePath(path string, n *node) {
	shape := pathName.ReplaceAllLiteralString(path, "{}")
	first, known := r.shapes[shape]
	if !known {
		r.shapes[shape] = path
	} else if first != path {
		r.warn(n, "the path %q is %q with other names; the operations of both are read", path, first)
	}
}

// noteTwin warns of an operationId that is not the only one of its kind; gateway.yaml can't name it.
func (r *reader) noteTwin(op *Operation) {
	if op.ID == "" {
		return
	}
	if first := r.ids[op.ID]; first != nil {
		r.note(Warning{Pos: op.Pos, Message: fmt.Sprintf("%s %s: the operationId %q is that of %s %s, too",
			op.Method, op.Path, op.ID, first.Method, first.Path)})
		return
	}
	r.ids[op.ID] = op
}

// readOperation reads one; the error says what of it can't be saved.
func (r *reader) readOperation(method, path string, item, n *node) (*Operation, error) {
	n, err := r.resolve(n) // not allowed, and found all the same
	if err != nil {
		return nil, err
	}
	if n.kind != object {
		return nil, place(n, "an operation should be an object, not %s", n.kind)
	}
	op := &Operation{
		ID: strings.TrimSpace(r.text(n.get("operationId"))), Method: method, Path: path,
		Summary: r.text(n.get("summary")), Description: r.text(n.get("description")),
		Deprecated: n.get("deprecated").isTrue(), Pos: n.position(),
	}
	if op.Summary == "" {
		op.Summary = r.text(item.get("summary"))
	}
	for _, tag := range r.list(n.get("tags"), "tags") {
		if name := r.text(tag); name != "" {
			op.Tags = append(op.Tags, name)
		}
	}
	inputs, err := r.readParameters(item, n)
	if err != nil {
		return nil, err
	}
	op.Parameters, op.Body = inputs.parameters, inputs.body
	r.matchPath(op, n)
	if op.Body == nil && r.dialect != swagger2 {
		if op.Body, err = r.readBody(n.get("requestBody")); err != nil {
			return nil, err
		}
	}
	op.Servers = r.operationServers(item, n)
	op.Responses = r.readResponses(n)
	op.Security = r.security(n)
	return op, nil
}

// matchPath makes the path's {names} and the path parameters agree: a name without a parameter gets one, a parameter
// without a name has no place to go.
func (r *reader) matchPath(op *Operation, n *node) {
	names := pathNames(op.Path)
	op.Parameters = slices.DeleteFunc(op.Parameters, func(p Parameter) bool {
		stray := p.In == "path" && !slices.Contains(names, p.Name)
		if stray {
			r.warn(n, "%s %s: the path has no {%s}; that parameter is left out", op.Method, op.Path, p.Name)
		}
		return stray
	})
	for _, name := range names {
		if !slices.ContainsFunc(op.Parameters, func(p Parameter) bool { return p.In == "path" && p.Name == name }) {
			r.warn(n, "%s %s: no parameter says what {%s} is; a text is taken", op.Method, op.Path, name)
			op.Parameters = append(op.Parameters, Parameter{
				Name: name, In: "path", Required: true, Style: "simple", Schema: Schema{"type": "string"},
			})
		}
	}
}

// pathNames returns the names in braces, each once.
func pathNames(path string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(path, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		path = after
	}
}

// readResponses reads the answers in the document's order; a broken one costs only itself.
func (r *reader) readResponses(n *node) []Response {
	var list []Response
	for _, e := range r.entries(n.get("responses"), "responses") {
		target, err := r.resolve(e.value)
		if err == nil && target.kind != object {
			err = place(target, "a response should be an object, not %s", target.kind)
		}
		if err != nil {
			r.lost(e.value, "the response "+e.key, err)
			continue
		}
		response := Response{Status: e.key, Description: r.text(target.get("description"))}
		if len(e.key) == 3 {
			response.Status = strings.ToUpper(e.key) // 2xx is written 2XX
		}
		for _, h := range r.entries(target.get("headers"), "headers") {
			response.Headers = append(response.Headers, h.key)
		}
		if r.dialect == swagger2 {
			response.Content = r.swaggerResponse(n, target)
		} else {
			response.Content = r.readContent(target.get("content"))
		}
		list = append(list, response)
	}
	return list
}
