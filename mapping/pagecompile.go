package mapping

import (
	"cmp"
	"strings"

	"mcpgate/specs"
)

// page decides how the tool's list goes on: as gateway.yaml says, else as the document shows. It adds the argument that
// continues the list.
func (c *compilation) page(t *Tool, p *plan, in *inputs) {
	said := p.entry.Paging
	if said == "none" {
		return
	}
	if !mayPage(t) {
		if said != "" {
			hint := "annotations: {read_only: true} and idempotent: true say so"
			if p.query != nil {
				hint = "a language lets nothing but SELECT pass: write language: suiteql or soql"
			}
			c.problem(p.path.Child("paging"), hint,
				"%s %s is sent once for each page, and it is not known to only read", t.Method, t.Path)
		}
		return
	}
	found := c.statedPager(t, p, in)
	if found == nil {
		found = guessPager(p.defs, p.op, in)
	}
	if found == nil {
		if said != "" && !c.failed {
			c.problem(p.path.Child("paging"), "write page: {style: offset, ...} under the upstream",
				"nothing says how the list of %s %s goes on", t.Method, t.Path)
		}
		return
	}
	found.auto = said != "manual"
	t.pager = found
	in.arguments = append(in.arguments, &argument{
		wire: "next", in: "paging", description: "To go on where an answer ended: the next of that answer. Give the other arguments as before.",
		schema: map[string]any{"type": "string"},
	})
}

// namePager notes what the arguments that page are called, once they have their names.
func (t *Tool) namePager(in *inputs) {
	if t.pager == nil {
		return
	}
	for _, a := range in.arguments {
		switch {
		case a.in == "paging":
			t.pager.handle = a.name
		case a.in == t.pager.place() && a.wire == t.pager.limit && !a.fixed && !a.hidden:
			t.pager.wanted = a.name
		}
	}
}

func (p *pager) place() string {
	if p.inBody {
		return "body"
	}
	return "query"
}

// statedPager is what upstreams.X.page says, nil where it says nothing of this operation.
func (c *compilation) statedPager(t *Tool, p *plan, in *inputs) *pager {
	stated := p.upstream.Page
	if stated.Style == "" {
		return nil
	}
	at := p.upstream.Path().Child("page")
	out := &pager{style: stated.Style, size: stated.Size, first: 1}
	for _, each := range []struct {
		key, text string
		into      *location
	}{{"items", stated.Items, &out.items}, {"more", stated.More, &out.more}, {"next", stated.Next, &out.next}} {
		if each.text == "" {
			continue
		}
		parsed, err := parseLocation(each.text)
		if err != nil {
			c.problem(at.Child(each.key), "write it like .items, .meta.next, .\"@odata.nextLink\", .data[-1].id or .links[rel=next].href",
				"%q is not a path", each.text)
			return nil
		}
		*each.into = parsed
	}
	switch stated.Style {
	case "offset":
		out.param = cmp.Or(stated.Offset, "offset")
	case "page":
		out.param = cmp.Or(stated.Page, "page")
		out.first = in.firstPage(out.param)
	case "cursor":
		out.param = cmp.Or(stated.Cursor, "cursor")
	}
	out.limit = cmp.Or(stated.Limit, in.pages(limitNames))
	out.inBody = out.param != "" && in.inBody(out.param) && !in.inQuery(out.param)
	if p.entry.Paging == "" && !out.fits(p.defs, p.op, in) {
		return nil
	}
	out.learn(p.defs, p.op)
	if out.limit != "" && !out.inBody && !in.inQuery(out.limit) && documented(p.op) && !p.made {
		out.limit = "" // this operation has no such parameter
	}
	return out
}

// fits reports whether an operation is a list that is paged as gateway.yaml says of its upstream: it has the parameter, or
// where there is none, an answer with a list.
func (p *pager) fits(d *definitions, op *specs.Operation, in *inputs) bool {
	if p.param != "" {
		return in.inQuery(p.param) || p.inBody
	}
	if schema := successSchema(d, op); schema != nil {
		a := newAnswerSchema(d, schema)
		return a.items(op.Path) != nil && (p.style == "link" || a.has(p.next) || len(a.all) == 0)
	}
	return !strings.HasSuffix(op.Path, "}")
}

// has reports whether the document has the first property of a location.
func (a *answerSchema) has(at location) bool {
	for _, f := range a.all {
		if len(at) > 0 && len(f.at) == 1 && f.at[0] == at[0] {
			return true
		}
	}
	return false
}

// learn takes from the document what gateway.yaml leaves out.
func (p *pager) learn(d *definitions, op *specs.Operation) {
	schema := successSchema(d, op)
	if schema == nil {
		return
	}
	a := newAnswerSchema(d, schema)
	if p.items == nil {
		p.items = a.items(op.Path)
	}
	if p.more == nil && p.style != "link" && p.style != "next_url" {
		p.more = a.named(moreNames, "boolean")
	}
	p.total = a.named(totalNames, "integer", "number")
	p.pages = a.named(pagesNames, "integer", "number")
}

// documented reports whether a document describes the operation: what gateway.yaml alone describes has parameters that
// it need not name.
func documented(op *specs.Operation) bool { return len(op.Responses) > 0 }

func (in *inputs) inQuery(name string) bool { return in.has(name, "query") }
func (in *inputs) inBody(name string) bool  { return in.has(name, "body") }

func (in *inputs) has(name, place string) bool {
	for _, a := range in.arguments {
		if a.in == place && a.wire == name {
			return true
		}
	}
	return false
}
