package mapping

import (
	"net/http"
	"slices"
	"strings"

	"mcpgate/specs"
)

// The names, in plain letters, of what pages a list: of parameters, and of what answers say.
var (
	limitNames  = []string{"limit", "perpage", "pagesize", "size", "count", "top", "maxresults", "pagelimit", "take", "sysparmlimit", "maxpagesize"}
	offsetNames = []string{"offset", "skip", "start", "startindex", "startat", "sysparmoffset", "pageoffset"}
	pageNames   = []string{"page", "pagenumber", "pageno", "pagenum", "pageindex"}
	cursorNames = []string{"cursor", "pagecursor", "after", "pageafter", "startingafter", "pagetoken", "nexttoken", "nextpagetoken", "continuationtoken", "continuation", "marker", "startcursor", "nextcursor", "scrollid"}

	itemsNames  = []string{"items", "data", "results", "records", "value", "values", "entries", "rows", "list", "content", "elements", "objects", "result", "hits"}
	besideNames = []string{"links", "link", "errors", "warnings", "included", "facets", "aggregations"}

	moreNames   = []string{"hasmore", "hasnext", "hasnextpage", "moreresults", "morerecords", "ismore", "more"}
	doneNames   = []string{"done", "islast", "islastpage", "last", "complete"}
	totalNames  = []string{"total", "totalcount", "totalresults", "totalsize", "totalitems", "totalelements", "totalrecords", "totalrows", "odatacount"}
	pagesNames  = []string{"totalpages", "pagecount", "lastpage", "pages", "numpages"}
	urlNames    = []string{"odatanextlink", "nextlink", "nextrecordsurl", "nextpageurl", "nexturl", "nextpagelink", "nexthref"}
	tokenNames  = []string{"nextcursor", "nextpagetoken", "nexttoken", "nextmarker", "nextpagecursor", "continuationtoken", "nextstartcursor", "endcursor", "nextscrollid", "continuation"}
	aboutNames  = []string{"meta", "metadata", "pagination", "paging", "page", "pageinfo", "links", "responsemetadata", "cursors", "cursor", "data", "result", "response"}
	whereToNext = []string{"url", "uri", "link to", "href"}
)

// found is a property of an answer.
type found struct {
	at     location
	schema map[string]any
}

// answerSchema is what the document says of a successful answer, looked through for what pages.
type answerSchema struct {
	d    *definitions
	root map[string]any
	all  []found // properties, the outer ones first, down to two below the root
}

// successSchema returns the schema of an operation's JSON answer, nil where the document has none.
func successSchema(d *definitions, op *specs.Operation) map[string]any {
	for _, r := range op.Responses {
		if r.Status == "" || r.Status[0] != '2' && r.Status != "default" {
			continue
		}
		for _, m := range r.Content {
			if isJSON(m.Type) && len(m.Schema) > 0 {
				return d.cleaned(m.Schema)
			}
		}
		return nil
	}
	return nil
}

func newAnswerSchema(d *definitions, root map[string]any) *answerSchema {
	a := &answerSchema{d: d, root: d.follow(root)}
	a.look(a.root, location{})
	slices.SortStableFunc(a.all, func(x, y found) int { return len(x.at) - len(y.at) })
	return a
}

func (a *answerSchema) look(schema map[string]any, at location) {
	properties := map[string]map[string]any{}
	a.properties(schema, properties, 0)
	for _, name := range sortedKeys(properties) {
		property := a.d.follow(properties[name])
		here := append(slices.Clone(at), step{kind: byKey, key: name})
		a.all = append(a.all, found{here, property})
		about := slices.Contains(aboutNames, plainName(name)) || strings.HasPrefix(name, "_") || len(at) > 0 && name == "next"
		if about && len(here) < 3 {
			a.look(property, here)
		}
	}
}

// properties collects those of an object, also through allOf.
func (a *answerSchema) properties(schema map[string]any, into map[string]map[string]any, depth int) {
	if depth > 4 {
		return
	}
	own, _ := schema["properties"].(map[string]any)
	for name, property := range own {
		into[name] = asObject(property)
	}
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		a.properties(a.d.follow(asObject(part)), into, depth+1)
	}
}

// named returns the first property, from the outside, whose name is one of these.
func (a *answerSchema) named(names []string, kinds ...string) location {
	for _, f := range a.all {
		if slices.Contains(names, plainName(f.at[len(f.at)-1].key)) && f.is(kinds...) {
			return f.at
		}
	}
	return nil
}

// is reports whether a property may be of one of these types.
func (f found) is(kinds ...string) bool {
	all := nameList(f.schema["type"])
	if name, ok := f.schema["type"].(string); ok {
		all = append(all, name)
	}
	if len(all) == 0 {
		return f.schema["properties"] == nil && f.schema["items"] == nil
	}
	return slices.ContainsFunc(all, func(kind string) bool { return slices.Contains(kinds, kind) })
}

// items finds the array that is the list: the answer itself, the one that the path names, as /messages/search does, one with
// a usual name, or the only one.
func (a *answerSchema) items(path string) location {
	if isArray(a.root) {
		return location{}
	}
	var arrays []location
	for _, f := range a.all {
		name := plainName(f.at[len(f.at)-1].key)
		if isArray(f.schema) && !slices.Contains(besideNames, name) {
			arrays = append(arrays, f.at)
		}
	}
	for _, depth := range []int{1, 2, 3} {
		var here []location
		for _, at := range arrays {
			if len(at) == depth {
				here = append(here, at)
			}
		}
		for _, at := range here {
			if slices.Contains(strings.Split(path, "/"), at[len(at)-1].key) {
				return at
			}
		}
		slices.SortStableFunc(here, func(x, y location) int { return rankOf(x) - rankOf(y) })
		if len(here) == 1 || len(here) > 1 && rankOf(here[0]) < len(itemsNames) {
			return here[0]
		}
	}
	return nil
}

func rankOf(at location) int {
	if i := slices.Index(itemsNames, plainName(at[len(at)-1].key)); i >= 0 {
		return i
	}
	return len(itemsNames)
}

func isArray(schema map[string]any) bool {
	return schema["type"] == "array" || schema["type"] == nil && schema["items"] != nil ||
		slices.Contains(nameList(schema["type"]), "array")
}

// guessPager finds out from the document how a list is paged: both what is sent and what is answered have to fit. It is nil
// where they don't.
func guessPager(d *definitions, op *specs.Operation, in *inputs) *pager {
	schema := successSchema(d, op)
	if schema == nil {
		return nil
	}
	a := newAnswerSchema(d, schema)
	items := a.items(op.Path)
	if items == nil {
		return nil
	}
	p := &pager{
		items: items, first: 1, more: a.named(moreNames, "boolean"), total: a.named(totalNames, "integer", "number"),
		pages: a.named(pagesNames, "integer", "number"), limit: in.pages(limitNames),
	}
	if p.more == nil {
		p.more = a.named(doneNames, "boolean")
		p.moreDone = p.more != nil
	}
	switch {
	case p.byURL(a, in), p.byLink(op), p.byCursor(a, in), p.byNumber(in):
		return p
	}
	return nil
}

// byURL: the answer names the URL of the next page.
func (p *pager) byURL(a *answerSchema, in *inputs) bool {
	p.style, p.next = "next_url", a.named(urlNames, "string")
	if p.next != nil {
		return true
	}
	for _, f := range a.all {
		last := f.at[len(f.at)-1].key
		if plainName(last) != "next" {
			continue
		}
		if f.schema["properties"] != nil { // as HAL has it: _links.next.href
			href := asObject(f.schema["properties"])["href"]
			if asObject(href)["type"] == "string" {
				p.next = append(slices.Clone(f.at), step{kind: byKey, key: "href"})
				return true
			}
			continue
		}
		said := strings.ToLower(described(f.schema))
		isURL := strings.HasPrefix(asText(f.schema["format"]), "uri") ||
			slices.ContainsFunc(whereToNext, func(word string) bool { return strings.Contains(said, word) })
		within := len(f.at) > 1 && strings.Contains(plainName(f.at[len(f.at)-2].key), "links")
		if f.is("string") && (isURL || within || in.pages(cursorNames) == "") {
			p.next = f.at
			return true
		}
	}
	return false
}

// byLink: the document declares a Link header (RFC 8288).
func (p *pager) byLink(op *specs.Operation) bool {
	p.style, p.next = "link", nil
	for _, r := range op.Responses {
		if r.Status != "" && r.Status[0] == '2' &&
			slices.ContainsFunc(r.Headers, func(name string) bool { return strings.EqualFold(name, "Link") }) {
			return true
		}
	}
	return false
}

// byCursor: the answer has what a parameter takes, or as at Stripe the last item's id is it.
func (p *pager) byCursor(a *answerSchema, in *inputs) bool {
	p.style, p.param = "cursor", in.pages(cursorNames)
	if p.param == "" {
		return false
	}
	if p.next = a.named(tokenNames, "string", "integer"); p.next != nil {
		return true
	}
	for _, f := range a.all {
		name, inside := plainName(f.at[len(f.at)-1].key), len(f.at) > 1
		if f.is("string") && (name == "next" || inside && (name == "after" || name == "cursor") || name == "cursor" && plainName(p.param) == "cursor") {
			p.next = f.at
			return true
		}
	}
	if plainName(p.param) == "startingafter" && p.more != nil && !p.moreDone {
		p.next = append(slices.Clone(p.items), step{kind: byIndex, index: -1}, step{kind: byKey, key: "id"})
		return true
	}
	return false
}

// byNumber: a parameter takes an offset or the number of a page, and the answer says when that is all.
func (p *pager) byNumber(in *inputs) bool {
	if p.more == nil && p.total == nil && p.pages == nil {
		return false
	}
	if p.style, p.param = "offset", in.pages(offsetNames); p.param != "" {
		return p.more != nil || p.total != nil
	}
	p.style, p.param = "page", in.pages(pageNames)
	p.first = in.firstPage(p.param)
	return p.param != ""
}

// pages returns the query parameter that has one of these names, "" where there is none or it isn't a plain value.
func (in *inputs) pages(names []string) string {
	for _, a := range in.arguments {
		if a.in == "query" && slices.Contains(names, plainName(a.wire)) && a.slot.style != "deepObject" && a.slot.contentType == "" {
			return a.wire
		}
	}
	return ""
}

// firstPage is 0 where the document says that pages count from 0.
func (in *inputs) firstPage(parameter string) int {
	for _, a := range in.arguments {
		if a.in == "query" && a.wire == parameter {
			for _, key := range []string{"default", "minimum"} {
				if n, ok := whole([]byte(compactJSON(a.schema[key]))); ok && n == 0 {
					return 0
				}
			}
		}
	}
	return 1
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}

// mayPage reports whether a request may be sent several times by one call: it only reads.
func mayPage(t *Tool) bool {
	return t.Method == http.MethodGet || t.Annotations.ReadOnly && t.Idempotent
}
