package sandbox

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"mcpgate/specs"
)

// envelope wraps a page as the document says that an answer of many looks: the array where it belongs, and counts,
// flags and links beside it by the meaning of their names.
func (c *call) envelope(p page) any {
	e := c.endpoint
	listed, ok := e.listed()
	if !ok {
		return c.rows(p, nil)
	}
	rows := c.rows(p, listed.item)
	media := jsonMedia(e.success().Content)
	schema, _ := e.defs.resolve(media.Schema)
	return c.fill(schema, listed.path, rows, p)
}

// fill makes the object that a schema describes around the rows.
func (c *call) fill(s specs.Schema, path []string, rows []any, p page) any {
	if len(path) == 0 {
		return rows
	}
	defs := c.endpoint.defs
	out := map[string]any{}
	need := required(s)
	for name, property := range properties(s) {
		resolved, _ := defs.resolve(property)
		if name == path[0] {
			out[name] = c.fill(resolved, path[1:], rows, p)
			continue
		}
		if v, ok := c.about(name, resolved, p, 0); ok {
			out[name] = v
		} else if slices.Contains(need, name) {
			out[name] = defs.generate(resolved, name, 0, 1)
		}
	}
	return out
}

// about is what a property beside the rows says of the page, by its name; false where it says something else.
func (c *call) about(name string, s specs.Schema, p page, depth int) (any, bool) {
	kind := typeOf(s)
	if kind == "object" && depth < 2 {
		return c.aboutAll(s, p, depth)
	}
	if kind == "array" {
		return c.aboutList(name, p)
	}
	switch plain(name) {
	case "total", "totalcount", "totalresults", "totalsize", "totalitems", "totalelements", "totalrecords", "recordcount", "itemcount", "totalrows":
		return asNumber(p.total), true
	case "count", "numberofelements", "returned", "resultcount":
		return asNumber(len(p.rows)), true
	case "hasmore", "hasnext", "more", "hasnextpage", "moreresults", "morerecords":
		return p.more(), true
	case "hasprevious", "hasprev", "haspreviouspage":
		return p.offset > 0, true
	case "done", "last", "islast", "islastpage", "complete":
		return !p.more(), kind == "boolean"
	case "first", "isfirst":
		return p.offset == 0, kind == "boolean"
	case "offset", "skip", "start", "startindex", "startat":
		return asNumber(p.offset), kind != "string"
	case "limit", "perpage", "pagesize", "size", "maxresults":
		return asNumber(p.limit), kind != "string"
	case "page", "pagenumber", "currentpage":
		return asNumber(p.number), kind != "string"
	case "pages", "totalpages", "pagecount", "lastpage":
		return asNumber((p.total + max(p.limit, 1) - 1) / max(p.limit, 1)), true
	case "next", "nextcursor", "nexttoken", "nextpagetoken", "cursor", "after", "nextpage", "nexturl", "nextlink", "nextrecordsurl":
		return c.next(name, s, p)
	case "success", "ok":
		return true, kind == "boolean"
	case "object", "kind", "type":
		if v, ok := s["const"]; ok {
			return v, true
		}
		if list, _ := s["enum"].([]any); len(list) == 1 {
			return list[0], true
		}
	}
	return nil, false
}

// aboutAll fills an object such as meta or pagination; it is left out where nothing in it is about the page.
func (c *call) aboutAll(s specs.Schema, p page, depth int) (any, bool) {
	out := map[string]any{}
	for name, property := range properties(s) {
		resolved, _ := c.endpoint.defs.resolve(property)
		if v, ok := c.about(name, resolved, p, depth+1); ok {
			out[name] = v
		}
	}
	return out, len(out) > 0
}

// aboutList fills the lists beside the rows: links as rel and href, and no errors.
func (c *call) aboutList(name string, p page) (any, bool) {
	switch plain(name) {
	case "links":
		links := []any{map[string]any{"rel": "self", "href": c.request.URL.String()}}
		if p.more() {
			links = append(links, map[string]any{"rel": "next", "href": c.nextURL(p)})
		}
		return links, true
	case "errors", "warnings", "messages":
		return []any{}, true
	}
	return nil, false
}

// next is how the page after this one is asked for: a URL, a cursor, or a page's number. Where there is none, null if
// the document allows it.
func (c *call) next(name string, s specs.Schema, p page) (any, bool) {
	nullable := slices.Contains(types(s), "null")
	if !p.more() {
		return nil, nullable
	}
	key := plain(name)
	format, _ := s["format"].(string)
	switch {
	case typeOf(s) == "integer":
		return asNumber(p.number + 1), true
	case strings.HasPrefix(format, "uri") || strings.HasSuffix(key, "url") || strings.HasSuffix(key, "link"):
		return c.nextURL(p), true
	case strings.Contains(key, "cursor") || strings.Contains(key, "token") || key == "after":
		return asNumber(p.offset + p.limit).String(), true
	}
	return c.nextURL(p), true
}

// nextURL is this request's URL with the parameters of the next page.
func (c *call) nextURL(p page) string {
	u := *c.request.URL
	q := u.Query()
	if name, _ := first(q, limitNames); name == "" {
		q.Set(c.parameterName(limitNames, "limit"), asNumber(p.limit).String())
	}
	if name := c.parameterName(pageNames, ""); name != "" && c.parameterName(offsetNames, "") == "" {
		q.Set(name, asNumber(p.number+1).String())
	} else {
		q.Set(c.parameterName(offsetNames, "offset"), asNumber(p.offset+p.limit).String())
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// parameterName is what the document calls a parameter that has one of these names.
func (c *call) parameterName(names []string, otherwise string) string {
	for _, parameter := range c.endpoint.op.Parameters {
		if parameter.In == "query" && slices.Contains(names, plain(parameter.Name)) {
			return parameter.Name
		}
	}
	return otherwise
}

// rows writes the records as the list's items: whole, or only what the items' schema has where it is another than the
// record's own.
func (c *call) rows(p page, item specs.Schema) []any {
	of := c.endpoint.of
	all := properties(item)
	shorter := len(all) > 0 && len(all) < len(properties(of.schema)) && item["additionalProperties"] == nil
	out := make([]any, 0, len(p.rows))
	for _, row := range p.rows {
		if !shorter {
			out = append(out, clone(row))
			continue
		}
		short := map[string]any{}
		for name := range all {
			if v, ok := row[name]; ok {
				short[name] = clone(v)
			} else if plain(name) == "links" {
				short[name] = []any{map[string]any{"rel": "self", "href": c.urlOf(text(row[of.idName]))}}
			} else if plain(name) == "href" || plain(name) == "url" {
				short[name] = c.urlOf(text(row[of.idName]))
			}
		}
		out = append(out, short)
	}
	return out
}

// urlOf is the absolute URL of a record of the endpoint's collection, with the path's placeholders filled in; "" where
// the request says nothing of one of them.
func (c *call) urlOf(id string) string {
	of := c.endpoint.of
	var b strings.Builder
	before := ""
	for _, s := range of.path.segments {
		part := s.literal
		if s.match != nil && len(s.names) > 0 {
			if part = c.parents[parentName(before, s.names[0])]; part == "" {
				return ""
			}
		}
		b.WriteString("/" + url.PathEscape(part))
		before = s.literal
	}
	u := url.URL{Scheme: cmp.Or(c.request.URL.Scheme, "http"), Host: cmp.Or(c.request.URL.Host, c.request.Host)}
	return u.String() + b.String() + "/" + url.PathEscape(id)
}

// isNumber reports whether v is a JSON number.
func isNumber(v any) bool {
	_, ok := v.(json.Number)
	return ok
}
