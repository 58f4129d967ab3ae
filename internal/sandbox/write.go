package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

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
	out := reply{status: e.successStatus()}
	if e.of.idName != "" {
		out.location = c.urlOf(last.id)
	}
	if e.many {
		return c.many(out, made)
	}
	out.body = c.present(last)
	return out
}

// many answers for a list of records that were written: with all of them where the document has a list there.
func (c *call) many(out reply, made []*record) reply {
	if _, isList := c.endpoint.listed(); !isList {
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
		return c.full()
	}
	return nil
}

func (c *call) full() *problem {
	return &problem{
		status: http.StatusInsufficientStorage, code: "SANDBOX_FULL",
		message: fmt.Sprintf("The sandbox is full: it holds %d records or 64 MiB at most. Delete some, or start the gateway anew.", maxRecords),
	}
}

// make stores a new record.
func (c *call) make(fields map[string]any) *record {
	of := c.endpoint.of
	id := text(fields[of.idName])
	if id == "" {
		id = of.giveID(fields)
	}
	c.takeOver(fields)
	scope := maps.Clone(map[string]string(c.parents))
	for name, parentID := range c.parents {
		if link := of.linkTo(name); link != "" {
			resolved, _ := of.defs.resolve(properties(of.schema)[link])
			fields[link] = typed(resolved, parentID)
		}
	}
	c.complete(fields, id)
	r := &record{id: id, fields: fields, scope: scope, size: len(c.sent)}
	c.sandbox.store(of, r)
	return r
}

// change puts a PATCH or a PUT into a record. A body at the collection's own path names its record itself, and may be a
// list of them.
func (c *call) change() reply {
	bodies := []any{c.body}
	if list, ok := c.body.([]any); ok {
		if c.id != "" {
			return c.patch(list)
		}
		bodies = list
	}
	var changed []*record
	for _, body := range bodies {
		fields, p := c.checkBody(body)
		if p != nil {
			return c.fail(*p)
		}
		r, p := c.changeOne(fields)
		if p != nil {
			return c.fail(*p)
		}
		changed = append(changed, r)
	}
	out := reply{status: c.endpoint.successStatus()}
	if len(changed) == 0 {
		return c.answer()
	}
	if _, isList := c.body.([]any); isList {
		return c.many(out, changed)
	}
	out.body = c.present(changed[0])
	return out
}

// changeOne changes a record. A PUT makes one that isn't there, where nothing else does or the document says so.
func (c *call) changeOne(fields map[string]any) (*record, *problem) {
	e := c.endpoint
	of := e.of
	id := c.id
	if id == "" {
		if id = text(fields[of.idName]); id == "" {
			return nil, &problem{status: 400, code: "MISSING_ID", field: of.idName, message: "The body has to say which record it is about, in " + of.idName + "."}
		}
	}
	c.fromQuery(fields)
	r := of.find(id, c.parents)
	if c.sandbox.held+len(c.sent) > maxHeld || r == nil && c.sandbox.full(len(c.sent)) {
		return nil, c.full()
	}
	if r == nil {
		documented := e.op.Method != ""
		if e.does != replace || documented && c.sandbox.hasMethod(of.path, http.MethodPost) && !e.declares("201") {
			return nil, c.noRecord(of, id)
		}
		resolved := c.resolvedProperty(of, of.idName)
		fields[of.idName] = typed(resolved, id)
		return c.make(fields), nil
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
	c.put(r, next)
	return r, nil
}

// put gives a record its new fields.
func (c *call) put(r *record, next map[string]any) {
	if id, ok := r.fields[c.endpoint.of.idName]; ok {
		next[c.endpoint.of.idName] = id
	}
	c.touch(next)
	r.fields = next
	size := sizeOf(next)
	c.sandbox.held += size - r.size
	r.size = size
}

// patch applies a JSON Patch (RFC 6902) to a record: add, replace and remove, in objects.
func (c *call) patch(operations []any) reply {
	r := c.endpoint.of.find(c.id, c.parents)
	if r == nil {
		return c.fail(*c.noRecord(c.endpoint.of, c.id))
	}
	if c.sandbox.held+len(c.sent) > maxHeld {
		return c.fail(*c.full())
	}
	next, _ := clone(r.fields).(map[string]any)
	for _, v := range operations {
		operation, _ := v.(map[string]any)
		path := strings.Split(strings.TrimPrefix(text(operation["path"]), "/"), "/")
		at := next
		for _, key := range path[:len(path)-1] {
			inner, ok := at[key].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[key] = inner
			}
			at = inner
		}
		last := path[len(path)-1]
		switch operation["op"] {
		case "add", "replace":
			at[last] = operation["value"]
		case "remove":
			delete(at, last)
		default:
			return c.fail(problem{status: 400, code: "INVALID_BODY", message: "The body has to be an object, or a JSON Patch of add, replace and remove."})
		}
	}
	c.put(r, next)
	return reply{status: c.endpoint.successStatus(), body: c.present(r)}
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
