package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// languages are what queries: knows, as people write their names.
var languages = map[string]string{"suiteql": "SuiteQL", "soql": "SOQL", "none": ""}

// queries makes the plans of queries:.
func (c *compilation) queries(u *config.Upstream, all []*candidate, none *definitions) []*plan {
	var plans []*plan
	for _, name := range sortedKeys(u.Queries) {
		q := u.Queries[name]
		path := u.Path().Child("queries", name)
		language := cmp.Or(q.Language, "none")
		if _, ok := languages[language]; !ok {
			c.problem(path.Child("language"), suggest(language, sortedKeys(languages)),
				"%q is not a query language that is known here", language)
			continue
		}
		p := &plan{upstream: u, defs: none, path: path, name: name, fixed: true, headers: maps.Clone(u.Headers),
			entry: &config.Tool{Title: cmp.Or(q.Title, words(name)), Description: q.Description, Response: q.Response, Paging: q.Paging},
			query: &Query{Argument: cmp.Or(q.Argument, "q"), Language: language}}
		if language != "none" {
			p.statement = c.statement(path, q)
		}
		if p.headers == nil {
			p.headers = map[string]config.Secret{}
		}
		for name, value := range q.Headers { // the query's own wins, however the two are spelt
			maps.DeleteFunc(p.headers, func(other string, _ config.Secret) bool { return strings.EqualFold(other, name) })
			p.headers[name] = value
		}
		if c.queryOperation(p, q.Request, all) {
			plans = append(plans, p)
		}
	}
	return plans
}

// queryOperation takes the document's operation, or makes one with the query as its only argument.
func (c *compilation) queryOperation(p *plan, request string, all []*candidate) bool {
	method, route, ok := splitRequest(request)
	if !ok || method != http.MethodPost && method != http.MethodGet {
		c.problem(p.path.Child("request"), "write it as POST /path", "%q is not a request for a query", request)
		return false
	}
	whole := map[string]*config.Argument{p.query.Argument: {}}
	made := madeQuery(method, route, p.query.Argument)
	for _, o := range all {
		if o.op.Method != method || !sameRoute(o.op.Path, route) {
			continue
		}
		o.used = true
		op := *needsBody(o.op)
		p.op, p.defs = &op, o.defs
		in := collect(p.defs, p.op, whole)
		if in.find(p.query.Argument) == nil {
			c.problem(p.path.Child("argument"), in.nearest(p.defs, p.query.Argument), "%s %s has no argument %q",
				method, route, p.query.Argument)
			return false
		}
	}
	if p.op == nil {
		p.op, p.made = made, true
	}
	if cleanText(p.op.Summary+p.op.Description) == "" {
		p.op.Description = "Runs a query and returns its rows."
	}
	about := "The query."
	if language := languages[p.query.Language]; language != "" {
		about = fmt.Sprintf("The query in %s: one SELECT statement.%s", language, p.statement.rules.about())
		p.entry.Annotations = config.Annotations{ReadOnly: new(true), Idempotent: new(true)}
		p.entry.Idempotent = true
	}
	p.entry.Arguments = map[string]*config.Argument{p.query.Argument: {Required: new(true)}}
	said := collect(p.defs, p.op, whole).find(p.query.Argument).text()
	switch {
	case said == "":
		p.entry.Arguments[p.query.Argument].Description = about
	case p.statement != nil:
		p.entry.Arguments[p.query.Argument].Description = sentence(said) + p.statement.rules.about()
	}
	return true
}

func madeQuery(method, route, argument string) *specs.Operation {
	op := &specs.Operation{Method: method, Path: route}
	schema := specs.Schema{"type": "string"}
	if method == http.MethodGet {
		op.Parameters = []specs.Parameter{{Name: argument, In: "query", Required: true, Style: "form", Explode: true,
			Schema: schema}}
		return op
	}
	op.Body = &specs.Body{Required: true, Content: []specs.Media{{Type: "application/json", Schema: specs.Schema{
		"type": "object", "required": []any{argument}, "properties": map[string]any{argument: map[string]any(schema)},
	}}}}
	op.Responses = []specs.Response{{Status: "200", Content: []specs.Media{{Type: "application/json"}}}}
	return op
}
