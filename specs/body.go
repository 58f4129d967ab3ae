package specs

import (
	"slices"
	"strings"
)

// maxExamples bounds the examples of one media type together, in bytes.
const maxExamples = 64 << 10

// readBody reads a requestBody; nil for none.
func (r *reader) readBody(n *node) (*Body, error) {
	if n == nil || n.kind == null {
		return nil, nil
	}
	target, err := r.resolve(n)
	if err != nil {
		return nil, err
	}
	if target.kind != object {
		return nil, place(n, "a request body should be an object, not %s", target.kind)
	}
	if target.get("content") == nil {
		return r.bodyOfSchema(n, target)
	}
	body := &Body{
		Description: r.text(target.get("description")),
		Required:    target.get("required").isTrue(),
		Content:     r.readContent(target.get("content")),
	}
	if len(body.Content) == 0 {
		return nil, nil
	}
	return body, nil
}

// bodyOfSchema reads what stands in a request body's place without having content: a schema, or something with one.
func (r *reader) bodyOfSchema(n, target *node) (*Body, error) {
	schema := target.get("schema")
	if _, ok := componentName(target, "schemas"); ok {
		schema = n // the $ref itself, so that the schema keeps its name
	}
	if schema == nil {
		return nil, place(n, "this is no request body: it has no content")
	}
	r.warn(n, "a schema stands where a request body belongs; read as JSON")
	return &Body{Content: []Media{{Type: "application/json", Schema: r.schemaOf(schema)}}}, nil
}

// readContent reads media types, JSON first.
func (r *reader) readContent(n *node) []Media {
	var list []Media
	for _, e := range r.entries(n, "content") {
		target, err := r.resolve(e.value) // 3.2 has components.mediaTypes
		if err != nil {
			r.lost(e.value, "the content "+e.key, err)
			continue
		}
		m := Media{Type: mediaType(e.key), Schema: r.schemaOf(target.get("schema")), Examples: r.examples(target)}
		if items := target.get("itemSchema"); items != nil && m.Schema == nil {
			m.Schema = Schema{"type": "array", "items": map[string]any(r.schemaOf(items))} // 3.2: a stream of these
		}
		m.Encoding = r.readEncoding(target.get("encoding"))
		list = append(list, m)
	}
	sortMedia(list)
	return list
}

func sortMedia(list []Media) {
	slices.SortStableFunc(list, func(a, b Media) int { return mediaRank(a.Type) - mediaRank(b.Type) })
}

func mediaRank(t string) int {
	switch bare, _, _ := strings.Cut(t, ";"); {
	case strings.TrimSpace(bare) == "application/json":
		return 0
	case strings.HasSuffix(bare, "+json"):
		return 1
	}
	return 2
}

// mediaType lowers the case of a type and keeps its parameters as they are.
func mediaType(s string) string {
	bare, parameters, found := strings.Cut(strings.TrimSpace(s), ";")
	if !found {
		return strings.ToLower(bare)
	}
	return strings.ToLower(bare) + ";" + parameters
}

func (r *reader) readEncoding(n *node) map[string]Encoding {
	var m map[string]Encoding
	for _, e := range r.entries(n, "encoding") {
		encoding := Encoding{
			ContentType: r.text(e.value.get("contentType")), Style: r.text(e.value.get("style")),
			AllowReserved: e.value.get("allowReserved").isTrue(),
		}
		encoding.Explode = encoding.Style == "" || encoding.Style == "form"
		if explode := e.value.get("explode"); explode != nil {
			encoding.Explode = explode.isTrue()
		}
		if m == nil {
			m = map[string]Encoding{}
		}
		m[e.key] = encoding
	}
	return m
}

// examples returns those of a media type, else its schema's.
func (r *reader) examples(media *node) []any {
	candidates := []*node{media.get("example")}
	for _, e := range r.entries(media.get("examples"), "examples") {
		if target, err := r.resolve(e.value); err == nil {
			candidates = append(candidates, r.exampleValue(target.get("value")), target.get("dataValue"))
		}
	}
	if list := values(candidates); len(list) > 0 {
		return list
	}
	return r.schemaExamples(media.get("schema"))
}

// exampleValue follows what some bundlers leave: a value that is nothing but a reference to a named example, where
// OpenAPI has the reference stand in the example's own place. One that leads nowhere shows nothing.
func (r *reader) exampleValue(value *node) *node {
	if value == nil || value.ref() == "" || len(value.items) > 1 {
		return value
	}
	target, err := r.resolve(value)
	if err != nil {
		return nil
	}
	return target.get("value")
}

func (r *reader) schemaExamples(schema *node) []any {
	if schema == nil {
		return nil
	}
	target, err := r.resolve(schema)
	if err != nil {
		return nil
	}
	candidates := []*node{target.get("example")}
	if list := target.get("examples"); list != nil && list.kind == array {
		candidates = append(candidates, list.items...)
	}
	return values(candidates)
}

// values reads what there is, up to maxExamples.
func values(candidates []*node) []any {
	var list []any
	room := maxExamples
	for _, n := range candidates {
		if n == nil || n.kind == null {
			continue
		}
		if room -= n.size(room); room < 0 {
			break
		}
		list = append(list, n.value())
	}
	return list
}
