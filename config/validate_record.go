package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var recordOperations = []string{"create", "get", "update", "delete", "list", "upsert"}

func (v *validator) record(u *Upstream, r *Record) {
	at := u.Path().Child("records", r.Name)
	v.unless(nameOfOurs.MatchString(r.Name), at, fmt.Sprintf("%q can't be the name of a record type", r.Name), "use up to 40 letters, digits, _ and -")
	v.recordPath(u, at, r)
	if v.given(at.Child("operations")) && len(r.Operations) == 0 {
		v.add(at.Child("operations"), "a record without operations makes no tool", "leave it out, or name some of "+alternatives(recordOperations))
	}
	for i, operation := range r.Operations {
		path := at.Child("operations", strconv.Itoa(i))
		if !slices.Contains(recordOperations, operation) {
			hint := "write some of " + alternatives(recordOperations)
			if near := Nearest(operation, recordOperations); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			v.add(path, fmt.Sprintf("%q is not an operation on a record", operation), hint)
			continue
		}
		v.unless(!slices.Contains(r.Operations[:i], operation), path, fmt.Sprintf("%q stands here twice", operation), "")
	}
	v.recordTypes(u, at, r)
	if r.Schema != "" {
		v.unless(strings.HasPrefix(r.Schema, "#/"), at.Child("schema"), fmt.Sprintf("%q points nowhere", r.Schema), "write it like #/components/schemas/customer")
		v.unless(len(u.Spec) > 0, at.Child("schema"), "this upstream has no spec that the schema could be in", "")
	}
}

func (v *validator) recordPath(u *Upstream, at Path, r *Record) {
	path := at.Child("path")
	switch {
	case r.Path == "":
		v.missing(at, "path", "a record needs the path of its collection", "write it like path: /record/v1/customer")
		return
	case !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, " ?#\\") || unbalanced(r.Path):
		v.add(path, fmt.Sprintf("%q is not a path", r.Path), "write it like /record/v1/customer")
		return
	}
	for _, name := range placeholders(r.Path) {
		switch {
		case name == "record_type" && u.Variables[name] == nil:
			v.unless(len(r.Types) > 0, path, "nothing says which types {record_type} stands for", "write types: [customer, invoice]")
		case name == "id" && strings.HasSuffix(r.Path, "/{id}"):
			v.add(path, "the path is the collection's, without {id}", fmt.Sprintf("did you mean %q?", strings.TrimSuffix(r.Path, "/{id}")))
		default:
			v.unless(u.Variables[name] != nil, path, fmt.Sprintf("nothing says what {%s} is", name), fmt.Sprintf("write variables: {%s: {value: ...}}", name))
		}
	}
}

// recordTypes checks what one set of tools for several types says of them, and the path of upsert.
func (v *validator) recordTypes(u *Upstream, at Path, r *Record) {
	v.unless(len(r.Types) == 0 || strings.Contains(r.Path, "{record_type}"), at.Child("types"), "types need a path with {record_type}", "write path: /record/v1/{record_type}")
	v.unless(len(r.Types) == 0 || r.Schema == "", at.Child("schema"), "several types have no one schema", `write schemas: {invoice: "#/components/schemas/invoice"}`)
	for i, name := range r.Types {
		v.unless(!slices.Contains(r.Types[:i], name), at.Child("types", strconv.Itoa(i)), fmt.Sprintf("%q stands here twice", name), "")
	}
	for _, name := range sortedNames(r.Schemas) {
		hint := "add it to types"
		if near := Nearest(name, r.Types); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		v.unless(slices.Contains(r.Types, name), at.Child("schemas", name), fmt.Sprintf("%q is not among types", name), hint)
	}
	if r.Upsert == "" {
		return
	}
	path := at.Child("upsert")
	v.unless(len(r.Operations) == 0 || slices.Contains(r.Operations, "upsert"), path, "upsert is not among operations", "add it there")
	method, route, _ := strings.Cut(r.Upsert, " ")
	own := slices.ContainsFunc(placeholders(route), func(name string) bool { return name != "record_type" && u.Variables[name] == nil })
	switch {
	case method != "PUT" && method != "PATCH" && method != "POST":
		v.add(path, fmt.Sprintf("%q is not how a record is written", r.Upsert), "write it like PUT "+strings.TrimRight(r.Path, "/")+"/eid:{externalId}")
	case !strings.HasPrefix(route, "/") || strings.ContainsAny(route, " ?#\\") || unbalanced(route):
		v.add(path, fmt.Sprintf("%q is not a path", route), "write it like PUT "+strings.TrimRight(r.Path, "/")+"/eid:{externalId}")
	case !own:
		v.add(path, "the path has no place for an id of your own", "write it like PUT "+strings.TrimRight(r.Path, "/")+"/eid:{externalId}")
	case strings.Contains(route, "{record_type}") != (len(r.Types) > 0):
		v.add(path, "{record_type} stands in path and upsert, or in neither", "")
	}
}

func (v *validator) query(u *Upstream, q *Query) {
	at := u.Path().Child("queries", q.Name)
	v.unless(toolName.MatchString(q.Name), at, fmt.Sprintf("%q can't be the name of a tool", q.Name), "use up to 64 letters, digits, _ and -")
	if q.Request == "" {
		v.missing(at, "request", "a query needs a request", `write it like request: "POST /query/v1/suiteql"`)
	} else if method, ok := v.endpoint(u, at.Child("request"), q.Request, nil); ok {
		v.unless(method == "GET" || method == "POST", at.Child("request"), "a query is sent with GET or POST", "")
	}
	v.unless(q.Argument != "", at.Child("argument"), "the query needs a parameter or property to go to", "write argument: q")
	v.queryRules(at, q)
	v.headers(u, at.Child("headers"), q.Headers)
	v.response(at.Child("response"), &q.Response)
	_, twice := u.Tools[q.Name]
	v.unless(!twice, at, fmt.Sprintf("the tool %q is under tools too", q.Name), "rename one of them")
}

// queryRules checks what a query may read, and its template: all of it needs a language that is parsed.
func (v *validator) queryRules(at Path, q *Query) {
	if q.Language == "none" {
		for _, key := range []string{"tables", "fields", "limit", "template", "arguments"} {
			v.unless(!v.given(at.Child(key)), at.Child(key), key+" needs a language: with none the query is not looked at", "write language: suiteql or soql")
		}
		return
	}
	v.unless(!v.given(at.Child("limit")) || q.Limit > 0, at.Child("limit"), "a limit is 1 or more", "leave it out where there is none")
	v.unless(!v.given(at.Child("tables")) || len(q.Tables) > 0, at.Child("tables"), "an empty list allows nothing", "leave it out where any table may be read")
	for _, table := range sortedNames(q.Fields) {
		path := at.Child("fields", table)
		v.unless(len(q.Fields[table]) > 0, path, "an empty list allows nothing", "leave it out where any field may be read")
		listed := slices.ContainsFunc(q.Tables, func(t string) bool { return strings.EqualFold(t, table) })
		if len(q.Tables) > 0 && !listed {
			hint := "add it to tables"
			if near := Nearest(table, q.Tables); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			v.add(path, fmt.Sprintf("the table %q is not among tables", table), hint)
		}
	}
	v.unless(q.Template != "" || len(q.Arguments) == 0, at.Child("arguments"), "arguments are for a template", `write template: "SELECT id FROM customer WHERE email = {email}"`)
	for _, key := range sortedNames(q.Arguments) {
		v.templateArgument(at.Child("arguments", key), q.Language, q.Arguments[key])
	}
}

// templateArgument checks an argument of a template: it has a type that a query can write down.
func (v *validator) templateArgument(at Path, language string, a *Argument) {
	v.unless(a.In == "", at.Child("in"), "an argument of a template goes where {name} stands", "leave it out")
	v.unless(a.Type != "object", at.Child("type"), "a query has no place for an object", "write string, integer, number, boolean or array")
	v.unless(!a.Hide && a.Value == nil, at, "write a fixed value into the template", "")
	v.unless(a.Required == nil || *a.Required || a.Default != nil, at.Child("required"), "a template has no room for an argument that is left out", "give it a default")
	formats := []string{"", "date", "identifier"}
	if language == "soql" {
		formats = append(formats, "date-time")
	}
	v.unless(slices.Contains(formats, a.Format), at.Child("format"), fmt.Sprintf("%q is no format here", a.Format), "write "+alternatives(formats[1:]))
	v.unless(a.Format == "" || a.Type == "" || a.Type == "string", at.Child("format"), "format means nothing with type: "+a.Type, "")
	v.unless(a.Format != "identifier" || len(a.Enum) > 0, at, "an identifier needs an enum of the fields it may name", "write enum: [id, companyname]")
	v.argument(at, a)
	v.declared(at, a)
}
