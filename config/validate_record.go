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
			if near := nearest(operation, recordOperations); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			v.add(path, fmt.Sprintf("%q is not an operation on a record", operation), hint)
			continue
		}
		v.unless(!slices.Contains(r.Operations[:i], operation), path, fmt.Sprintf("%q stands here twice", operation), "")
	}
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
		case name == "record_type":
			v.add(path, "a path with {record_type} is not available yet in this version", "write one record for each type")
		case name == "id" && strings.HasSuffix(r.Path, "/{id}"):
			v.add(path, "the path is the collection's, without {id}", fmt.Sprintf("did you mean %q?", strings.TrimSuffix(r.Path, "/{id}")))
		default:
			v.unless(u.Variables[name] != nil, path, fmt.Sprintf("nothing says what {%s} is", name), fmt.Sprintf("write variables: {%s: {value: ...}}", name))
		}
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
	v.headers(u, at.Child("headers"), q.Headers)
	v.response(at.Child("response"), &q.Response)
	_, twice := u.Tools[q.Name]
	v.unless(!twice, at, fmt.Sprintf("the tool %q is under tools too", q.Name), "rename one of them")
}
