package mapping

import (
	"net/http"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// verb is one of the usual operations on a record type.
type verb struct {
	name    string
	methods []string // the first that the document has; else the first
	one     bool     // of one record, at PATH/{id}
	text    string   // with %s for the record's name
}

var verbs = []verb{
	{"create", []string{http.MethodPost}, false, "Creates a %s."},
	{"get", []string{http.MethodGet}, true, "Returns one %s by its id."},
	{"update", []string{http.MethodPatch, http.MethodPut}, true, "Changes the given fields of one %s, and leaves the others."},
	{"delete", []string{http.MethodDelete}, true, "Deletes one %s."},
	{"list", []string{http.MethodGet}, false, "Lists %s records."},
	{"upsert", []string{http.MethodPut}, true, "Replaces one %s, or creates it under this id."},
}

// writes reports whether a call carries a record's fields.
func (v *verb) writes() bool { return v.name == "create" || v.name == "update" || v.name == "upsert" }

// records makes the plans of records:.
func (c *compilation) records(u *config.Upstream, all []*candidate, none *definitions) []*plan {
	var plans []*plan
	for _, key := range sortedKeys(u.Records) {
		r := &record{c: c, u: u, Record: u.Records[key], key: key, all: all, none: none,
			path: u.Path().Child("records", key)}
		if !strings.HasPrefix(r.Path, "/") {
			c.problem(r.path.Child("path"), "write it as /records/"+key, "%q is not a path", r.Path)
			continue
		}
		if !r.resolveSchema() || !r.resolveTypes() {
			continue
		}
		plans = append(plans, r.plans()...)
	}
	return plans
}

// record is one entry of records: while its tools are planned.
type record struct {
	*config.Record
	c    *compilation
	u    *config.Upstream
	key  string
	path config.Path
	all  []*candidate
	none *definitions

	defs   *definitions // of the document that has the schema
	schema specs.Schema
	kinds  map[string]kindOf // the schemas of types:, as far as there are any
}

// resolveSchema finds what schema points to.
func (r *record) resolveSchema() bool {
	r.defs, r.schema = r.none, specs.Schema{"type": "object"}
	if r.Schema == "" {
		return true
	}
	defs, schema, ok := r.find(r.path.Child("schema"), r.Schema)
	if ok {
		r.defs, r.schema = defs, schema
	}
	return ok
}

// find returns the schema that a pointer means, and the definitions of its document; it is a problem where there is none.
func (r *record) find(path config.Path, pointer string) (*definitions, specs.Schema, bool) {
	name := pointer[strings.LastIndexByte(pointer, '/')+1:]
	var known []string
	seen := map[*definitions]bool{}
	for _, o := range r.all {
		if schema, ok := o.defs.document.Definition(pointer); ok {
			return o.defs, schema, true
		}
		if _, ok := o.defs.document.Defs[name]; ok {
			return o.defs, specs.Schema{"$ref": reference + name}, true
		}
		if !seen[o.defs] {
			seen[o.defs] = true
			known = append(known, sortedKeys(o.defs.document.Defs)...)
		}
	}
	r.c.problem(path, suggest(name, known), "no schema %q in %s", pointer, r.c.documents(r.all))
	return nil, nil, false
}

func (r *record) plans() []*plan {
	var plans []*plan
	for i, name := range r.Operations {
		if !slices.ContainsFunc(verbs, func(v verb) bool { return v.name == name }) {
			r.c.problem(r.path.Child("operations", itoa(i)), suggest(name, verbNames()),
				"%q is not an operation on records; there are %s", name, strings.Join(verbNames(), ", "))
		}
	}
	documented := slices.ContainsFunc(verbs, func(v verb) bool { return r.documented(v) != nil })
	for _, v := range verbs {
		o := r.documented(v)
		wanted := slices.Contains(r.Operations, v.name)
		if len(r.Operations) == 0 {
			wanted = o != nil || !documented && v.name != "upsert"
			// A PUT is an update here only where the document has no PATCH, and then it is no upsert besides.
			wanted = wanted && !(v.name == "upsert" && o != nil && o.used)
		}
		if wanted || v.name == "upsert" && r.Upsert != "" && len(r.Operations) == 0 {
			plans = append(plans, r.plan(v, o))
		}
	}
	return plans
}

func verbNames() []string {
	var out []string
	for _, v := range verbs {
		out = append(out, v.name)
	}
	return out
}

// documented returns the document's operation for a verb, nil where it has none.
func (r *record) documented(v verb) *candidate {
	methods, route := r.route(v)
	for _, method := range methods {
		for _, o := range r.all {
			if o.op.Method == method && sameRoute(o.op.Path, route) {
				return o
			}
		}
	}
	return nil
}

// route is where a verb's request goes, and with which methods.
func (r *record) route(v verb) (methods []string, route string) {
	if v.name == "upsert" && r.Upsert != "" {
		method, route, _ := strings.Cut(r.Upsert, " ")
		return []string{method}, route
	}
	route = strings.TrimRight(r.Path, "/")
	if v.one {
		route += "/{id}"
	}
	return v.methods, route
}

// plan makes one tool, of the document's operation where there is one.
func (r *record) plan(v verb, o *candidate) *plan {
	p := &plan{
		upstream: r.u, defs: r.defs, entry: &config.Tool{}, path: r.path, headers: r.u.Headers,
		name: v.name + "_" + r.key, note: r.Description, record: &v,
	}
	if len(r.Types) > 0 {
		r.useTypes(v)
		o = nil // one type's operation says nothing of the others
	}
	if o != nil {
		o.used = true
		p.defs = o.defs
		op := *needsBody(o.op) // there is no record without fields
		p.op = &op
	} else {
		p.op = r.made(v)
		p.partial = v.name == "update" || v.name == "upsert" && r.Upsert != ""
	}
	if len(r.Types) > 0 {
		r.fieldsOf(p, v)
	}
	if r.Fetch && (v.name == "create" || v.name == "update" || v.name == "upsert") {
		p.reread = r.getPlan()
	}
	noun := strings.ToLower(words(r.key))
	if v.name == "list" && noun == "record" { // of several types
		v.text = "Lists %ss."
	}
	if cleanText(p.op.Summary) == "" {
		p.entry.Title = words(p.name)
	}
	if cleanText(p.op.Description) == "" {
		text := v.text
		if v.name == "update" && p.op.Method == http.MethodPut {
			text = "Replaces one %s."
		}
		if v.name == "upsert" && r.Upsert != "" {
			text = "Changes the given fields of the one %s that has this id of yours, or creates it."
		}
		p.op.Description = strings.NewReplacer("a %s", withArticle(noun), "%s", noun).Replace(text)
	}
	return p
}

func withArticle(noun string) string {
	if noun != "" && strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// made is the operation that the document does not have.
func (r *record) made(v verb) *specs.Operation {
	methods, route := r.route(v)
	op := &specs.Operation{Method: methods[0], Path: route}
	if len(r.Types) > 0 {
		op.Parameters = append(op.Parameters, specs.Parameter{Name: "record_type", In: "path", Required: true, Style: "simple",
			Description: "The type of the record.", Schema: specs.Schema{"type": "string", "enum": anySlice(r.Types)}})
	}
	if strings.HasSuffix(route, "/{id}") {
		op.Parameters = append(op.Parameters, specs.Parameter{Name: "id", In: "path", Required: true, Style: "simple",
			Description: "The id of the record.", Schema: specs.Schema{"type": "string"}})
	}
	content := []specs.Media{{Type: "application/json", Schema: r.schema}}
	switch v.name {
	case "create", "update", "upsert":
		op.Body = &specs.Body{Required: true, Description: "The record's fields.", Content: content}
	}
	if v.name != "delete" {
		op.Responses = []specs.Response{{Status: "2XX", Content: content}}
	}
	return op
}
