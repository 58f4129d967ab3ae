package sandbox

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcpgate/specs"
)

// present writes a record as the endpoint's answer: whole, wrapped, as the few things that the document tells of it, or
// not at all.
func (c *call) present(r *record) any {
	e := c.endpoint
	success := e.success()
	if success == nil {
		if e.does == remove {
			return nil
		}
		return clone(r.fields)
	}
	media := jsonMedia(success.Content)
	if media == nil || e.successStatus() == 204 {
		return nil
	}
	schema, name := e.defs.resolve(media.Schema)
	switch {
	case name != "" && name == e.of.title, len(properties(schema)) == 0 && typeOf(schema) != "array" && !isScalar(schema):
		return clone(r.fields)
	case isScalar(schema):
		return c.scalar(schema, r)
	case typeOf(schema) == "array":
		return []any{clone(r.fields)}
	}
	if key, _, inner := e.defs.wrapped(schema); key != "" && (inner == e.of.title || e.does != remove) {
		out := map[string]any{key: clone(r.fields)}
		c.besides(schema, r, out)
		return out
	}
	// Another schema than the record's own is a summary if it has things that the record has not, else a view of it.
	if e.does == get {
		return clone(r.fields)
	}
	out := map[string]any{}
	c.besides(schema, r, out)
	if len(out) == 0 {
		return clone(r.fields)
	}
	return out
}

func isScalar(s specs.Schema) bool {
	switch typeOf(s) {
	case "string", "integer", "number", "boolean":
		return true
	}
	return false
}

// scalar is an answer of one value: the id where it may be one.
func (c *call) scalar(s specs.Schema, r *record) any {
	switch typeOf(s) {
	case "boolean":
		return true
	case "string":
		return r.id
	}
	if v := r.fields[c.endpoint.of.idName]; isNumber(v) {
		return v
	}
	return c.endpoint.defs.generate(s, "", 0, 0)
}

// besides fills the properties of an answer about a record: the record's own, its id, and that it went well.
func (c *call) besides(s specs.Schema, r *record, out map[string]any) {
	of := c.endpoint.of
	for name, property := range properties(s) {
		if _, done := out[name]; done {
			continue
		}
		resolved, _ := c.endpoint.defs.resolve(property)
		if v, ok := r.fields[name]; ok {
			out[name] = clone(v)
			continue
		}
		switch p := plain(name); {
		case p == "id" || p == plain(of.idName) || p == plain(singular(of.name))+"id":
			out[name] = typed(resolved, r.id)
		case p == "success" || p == "ok" || p == "deleted" && c.endpoint.does == remove:
			out[name] = true
		case (p == "errors" || p == "warnings") && typeOf(resolved) == "array":
			out[name] = []any{}
		case p == "message" && typeOf(resolved) == "string":
			out[name] = "OK"
		case p == "code" && typeOf(resolved) == "integer":
			out[name] = c.endpoint.successStatus()
		case slices.Contains(required(s), name):
			out[name] = c.endpoint.defs.generate(resolved, name, 0, 1)
		}
	}
}

// answer is what an endpoint says that is about no collection: the record it belongs to, the document's example, or a
// value made up from the schema.
func (c *call) answer() reply {
	e := c.endpoint
	out := reply{status: e.successStatus()}
	success := e.success()
	if success == nil {
		if e.op.Method == "" {
			out.body = map[string]any{"ok": true}
		}
		return out
	}
	if out.status == 204 || len(success.Content) == 0 {
		return out
	}
	media := jsonMedia(success.Content)
	if media == nil {
		out.media, out.body = otherMedia(success.Content[0])
		return out
	}
	if r, ok := c.stepOn(media); ok {
		out.body = r
		return out
	}
	schema := e.successSchema()
	if len(media.Examples) > 0 {
		out.body = clone(media.Examples[0])
		c.echo(schema, out.body)
		return out
	}
	if counts, ok := c.counts(schema); ok {
		out.body = counts
		return out
	}
	if schema != nil {
		out.body = e.defs.generate(schema, "", 0, 0)
	}
	if fields, ok := out.body.(map[string]any); ok && e.method != "GET" {
		c.wentWell(schema, fields)
	}
	c.echo(schema, out.body)
	if out.body == nil {
		out.body = map[string]any{}
	}
	return out
}

// echo puts what was sent into an answer that has a property for it, so that it is not about something else.
func (c *call) echo(s specs.Schema, answer any) {
	fields, ok := answer.(map[string]any)
	sent, isObject := c.body.(map[string]any)
	if !ok || !isObject {
		return
	}
	for name, property := range properties(s) {
		v, given := sent[name]
		resolved, _ := c.endpoint.defs.resolve(property)
		if given && !isReadOnly(resolved) && (checker{c.endpoint.defs, false}).check(resolved, v, name, 1) == nil {
			fields[name] = clone(v)
		}
	}
}

// wentWell makes a made-up answer say so, where it has properties for it.
func (c *call) wentWell(s specs.Schema, fields map[string]any) {
	for name, property := range properties(s) {
		resolved, _ := c.endpoint.defs.resolve(property)
		kind := typeOf(resolved)
		switch p := plain(name); {
		case (p == "success" || p == "ok") && kind == "boolean":
			fields[name] = true
		case p == "message" && kind == "string" && resolved["enum"] == nil:
			fields[name] = "OK"
		case (p == "code" || p == "status") && kind == "integer":
			fields[name] = c.endpoint.successStatus()
		case (p == "errors" || p == "warnings") && kind == "array":
			fields[name] = []any{}
		}
	}
}

// stepOn answers for something that is done to one record and gives the record back, such as POST /orders/{id}/cancel:
// what was sent is put into it.
func (c *call) stepOn(media *specs.Media) (any, bool) {
	on := c.endpoint.on
	if on == nil || c.endpoint.method == "GET" {
		return nil, false
	}
	if _, name := c.endpoint.defs.resolve(media.Schema); name == "" || name != on.of.title {
		return nil, false
	}
	outer := c.above(on)
	r := on.of.find(outer.id, outer.parents)
	if r == nil {
		return nil, false
	}
	fields, _ := c.body.(map[string]any)
	for name, v := range fields {
		if p, declared := properties(on.of.schema)[name]; declared && name != on.of.idName && !isReadOnly(p) {
			r.fields[name] = v
		}
	}
	return clone(r.fields), true
}

// counts answers for a map of numbers whose operation says what is counted by which property: "Returns pet inventories
// by status" counts the pets by their status.
func (c *call) counts(s specs.Schema) (any, bool) {
	extra, ok := asSchema(s["additionalProperties"])
	if !ok || len(properties(s)) > 0 || c.endpoint.method != "GET" {
		return nil, false
	}
	if extra, _ = c.endpoint.defs.resolve(extra); typeOf(extra) != "integer" {
		return nil, false
	}
	said := strings.ToLower(c.endpoint.op.Summary + " " + c.endpoint.op.Description)
	for _, of := range c.sandbox.collections {
		if !strings.Contains(said, strings.ToLower(singular(of.name))) {
			continue
		}
		all := properties(of.schema)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			resolved, _ := of.defs.resolve(all[name])
			if resolved["enum"] == nil || !strings.Contains(said, strings.ToLower(name)) {
				continue
			}
			counted := map[string]any{}
			for _, r := range of.records {
				if v := text(r.fields[name]); v != "" {
					n, _ := counted[v].(int)
					counted[v] = n + 1
				}
			}
			return counted, true
		}
	}
	return nil, false
}

// onePixel is a transparent PNG.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

// otherMedia is an answer that isn't JSON: the document's example, else something small of the kind.
func otherMedia(m specs.Media) (string, any) {
	mediaType := m.Type
	if strings.Contains(mediaType, "*") {
		mediaType = "text/plain"
	}
	if len(m.Examples) > 0 {
		return mediaType, []byte(text(m.Examples[0]))
	}
	switch {
	case strings.HasPrefix(mediaType, "image/"):
		png, err := base64.StdEncoding.DecodeString(onePixel)
		if err == nil {
			return "image/png", png
		}
	case strings.HasSuffix(mediaType, "xml"):
		return mediaType, []byte(`<?xml version="1.0"?><sandbox/>`)
	case mediaType == "text/html":
		return mediaType, []byte("<!doctype html><title>Sandbox</title><p>Made up by the sandbox.")
	case mediaType == "text/csv":
		return mediaType, []byte("id,name\n1,Example 1\n")
	case mediaType == "application/pdf":
		return mediaType, []byte("%PDF-1.4\n%%EOF\n")
	}
	return mediaType, []byte(fmt.Sprintf("Made up by the sandbox as %s.\n", mediaType))
}
