package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"mcpgate/specs"
)

func (c *call) get() reply {
	of := c.endpoint.of
	r := of.find(c.id, c.parents)
	if r == nil {
		return c.fail(*c.noRecord(of, c.id))
	}
	return reply{status: c.endpoint.successStatus(), body: c.present(r)}
}

func (c *call) create() reply {
	e := c.endpoint
	bodies := []any{c.body}
	if list, ok := c.body.([]any); ok && e.many {
		bodies = list
	}
	var made []*record
	for _, body := range bodies {
		fields, p := c.checkBody(body)
		if p == nil {
			p = c.checkRoom(e.of, fields)
		}
		if p != nil {
			return c.fail(*p)
		}
		made = append(made, c.make(fields))
	}
	if len(made) == 0 {
		return c.fail(problem{status: 400, code: "MISSING_BODY", message: "The request's list is empty."})
	}
	last := made[len(made)-1]
	out := reply{status: e.successStatus(), location: c.urlOf(last.id)}
	if e.many {
		return c.createdMany(out, made)
	}
	out.body = c.present(last)
	return out
}

// createdMany answers for a list of new records: with all of them where the document has a list there.
func (c *call) createdMany(out reply, made []*record) reply {
	if _, isList := c.endpoint.defs.listed(c.endpoint.success()); !isList {
		out.body = c.present(made[len(made)-1])
		return out
	}
	p := page{total: len(made), limit: len(made), number: 1}
	for _, r := range made {
		p.rows = append(p.rows, r.fields)
	}
	out.location, out.body = "", c.envelope(p)
	return out
}

// checkRoom refuses a record that is there already, and one too many.
func (c *call) checkRoom(of *collection, fields map[string]any) *problem {
	if id := text(fields[of.idName]); id != "" && of.find(id, c.parents) != nil {
		return &problem{
			status: http.StatusConflict, code: "DUPLICATE_VALUE", field: of.idName,
			message: fmt.Sprintf("There is a %s with the id %q already.", singular(of.name), id),
		}
	}
	if c.sandbox.full(len(c.sent)) {
		return &problem{
			status: http.StatusInsufficientStorage, code: "SANDBOX_FULL",
			message: fmt.Sprintf("The sandbox is full: it holds %d records or 64 MiB at most. Delete some, or start the gateway anew.", maxRecords),
		}
	}
	return nil
}

// make stores a new record.
func (c *call) make(fields map[string]any) *record {
	of := c.endpoint.of
	id := text(fields[of.idName])
	if id == "" {
		id, fields[of.idName] = of.nextID()
	}
	c.takeOver(fields)
	scope := maps.Clone(map[string]string(c.parents))
	for name, parentID := range c.parents {
		if link := of.linkTo(name); link != "" && fields[link] == nil {
			resolved, _ := of.defs.resolve(properties(of.schema)[link])
			fields[link] = typed(resolved, parentID)
		}
	}
	c.complete(fields, id)
	r := &record{id: id, fields: fields, scope: scope, size: len(c.sent)}
	c.sandbox.store(of, r)
	return r
}

// change puts a PATCH or a PUT into a record. A body at the collection's own path names its record itself.
func (c *call) change() reply {
	e := c.endpoint
	of := e.of
	fields, p := c.checkBody(c.body)
	if p != nil {
		return c.fail(*p)
	}
	id := c.id
	if id == "" {
		if id = text(fields[of.idName]); id == "" {
			return c.fail(problem{status: 400, code: "MISSING_ID", field: of.idName, message: "The body has to say which record it is about, in " + of.idName + "."})
		}
	}
	c.fromQuery(fields)
	r := of.find(id, c.parents)
	if r == nil {
		return c.fail(*c.noRecord(of, id))
	}
	if c.sandbox.held+len(c.sent) > maxHeld {
		return c.fail(*c.checkRoom(of, nil))
	}
	next := maps.Clone(r.fields)
	if e.does == replace {
		next = c.kept(r.fields)
	}
	for name, v := range fields {
		if name == of.idName || isReadOnly(c.resolvedProperty(of, name)) {
			continue
		}
		next[name] = mergePatch(next[name], v, e.does == update)
	}
	next[of.idName] = r.fields[of.idName]
	c.touch(next)
	r.fields = next
	r.size += len(c.sent)
	c.sandbox.held += len(c.sent)
	return reply{status: e.successStatus(), body: c.present(r)}
}

// kept is what a PUT leaves as it is: the id, and what only the server writes.
func (c *call) kept(fields map[string]any) map[string]any {
	of := c.endpoint.of
	all := properties(of.schema)
	out := map[string]any{}
	for name, v := range fields {
		if _, declared := all[name]; len(all) > 0 && !declared || isReadOnly(c.resolvedProperty(of, name)) {
			out[name] = v
		}
	}
	return out
}

func (c *call) resolvedProperty(of *collection, name string) specs.Schema {
	p, ok := properties(of.schema)[name]
	if !ok {
		return nil
	}
	resolved, _ := of.defs.resolve(p)
	return resolved
}

// mergePatch puts one property's new value in: objects are merged where it is a PATCH (RFC 7396), all else is replaced.
func mergePatch(old, v any, patch bool) any {
	next, ok := v.(map[string]any)
	before, wasObject := old.(map[string]any)
	if !ok || !wasObject || !patch || isReference(next) {
		return v
	}
	out := maps.Clone(before)
	for k, inner := range next {
		out[k] = mergePatch(out[k], inner, patch)
	}
	return out
}

// fromQuery takes fields from parameters, where an update has them there: POST /pet/{petId}?status=sold.
func (c *call) fromQuery(fields map[string]any) {
	of := c.endpoint.of
	for name, values := range c.request.URL.Query() {
		p, ok := properties(of.schema)[name]
		if _, sent := fields[name]; !ok || sent || name == of.idName {
			continue
		}
		resolved, _ := of.defs.resolve(p)
		if kind := typeOf(resolved); kind != "object" && kind != "array" {
			fields[name] = typed(resolved, values[0])
		}
	}
}

func (c *call) remove() reply {
	e := c.endpoint
	r := e.of.find(c.id, c.parents)
	if r == nil {
		return c.fail(*c.noRecord(e.of, c.id))
	}
	e.of.remove(r)
	c.sandbox.count--
	c.sandbox.held -= r.size
	return reply{status: e.successStatus(), body: c.present(r)}
}

// alone reads and writes a thing that there is only one of at its path.
func (c *call) alone() reply {
	s, key := c.sandbox, c.request.URL.Path
	held, known := s.singles[key].(map[string]any)
	if c.endpoint.method == http.MethodGet {
		if known {
			return reply{status: c.endpoint.successStatus(), body: clone(held)}
		}
		return c.answer()
	}
	fields, p := c.checkBody(c.body)
	if p != nil {
		return c.fail(*p)
	}
	if !known {
		if s.full(len(c.sent)) {
			return c.fail(*c.checkRoom(&collection{idName: "id"}, nil))
		}
		s.count++
		held = map[string]any{}
		for _, other := range s.endpoints {
			if other.method == http.MethodGet && other.path.key() == c.endpoint.path.key() {
				example := call{sandbox: s, endpoint: other, request: c.request, parents: c.parents}
				if before, ok := example.answer().body.(map[string]any); ok {
					held = before
				}
			}
		}
	}
	next := maps.Clone(held)
	for name, v := range fields {
		next[name] = mergePatch(next[name], v, c.endpoint.method == http.MethodPatch)
	}
	s.singles[key] = next
	s.held += len(c.sent)
	out := c.answer()
	if out.body != nil && slices.Contains([]string{"object", ""}, typeOf(c.endpoint.successSchema())) {
		out.body = clone(next)
	}
	return out
}
