package sandbox

import (
	"maps"
	"net/http"
)

// alone reads and writes a thing that there is only one of at its path, such as /settings.
func (c *call) alone() reply {
	s, key := c.sandbox, c.request.URL.Path
	held, known := s.singles[key]
	if c.endpoint.method == http.MethodGet {
		if known {
			return reply{status: c.endpoint.successStatus(), body: clone(held)}
		}
		return c.answer()
	}
	if s.full(len(c.sent)) {
		return c.fail(*c.full())
	}
	next := c.body
	if kind := typeOf(c.endpoint.bodySchema()); kind == "object" || kind == "" {
		fields, p := c.checkBody(c.body)
		if p != nil {
			return c.fail(*p)
		}
		if !known {
			held = c.before()
		}
		next = c.merged(held, fields)
	}
	if !known {
		s.count++
	}
	s.held += sizeOf(next)
	if before, replaced := s.singles[key]; replaced {
		s.held -= sizeOf(before)
	}
	s.singles[key] = next
	out := c.answer()
	if _, isObject := out.body.(map[string]any); isObject {
		if fields, ok := next.(map[string]any); ok {
			out.body = clone(fields)
		}
	}
	return out
}

// before is what a GET says while nobody has written there.
func (c *call) before() any {
	for _, other := range c.sandbox.endpoints {
		if other.method == http.MethodGet && other.path.key == c.endpoint.path.key {
			example := call{sandbox: c.sandbox, endpoint: other, request: c.request, parents: c.parents}
			return example.answer().body
		}
	}
	return nil
}

// merged is what a write makes of a thing.
func (c *call) merged(held any, fields map[string]any) map[string]any {
	before, _ := held.(map[string]any)
	next := maps.Clone(before)
	if next == nil {
		next = map[string]any{}
	}
	for name, v := range fields {
		next[name] = mergePatch(next[name], v, c.endpoint.method == http.MethodPatch)
	}
	return next
}
