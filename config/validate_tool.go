package config

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"
)

func (v *validator) tool(u *Upstream, t *Tool) {
	at := u.Path().Child("tools", t.Name)
	v.unless(toolName.MatchString(t.Name), at, fmt.Sprintf("%q can't be the name of a tool", t.Name), "use up to 64 letters, digits, _ and -")
	if v.given(at.Child("timeout")) {
		v.timeout(at.Child("timeout"), t.Timeout)
	}
	v.response(at.Child("response"), &t.Response)
	v.guarded(at, t.Scopes, t.Allow)
	switch {
	case t.Operation != "" && t.Request != "":
		v.add(at, "operation and request exclude each other", "operation is one of the document's, request is an endpoint that no document describes")
	case t.Operation != "":
		v.operation(u, at, t)
	case t.Request != "":
		v.request(u, at, t)
	default:
		v.add(at, "a tool needs an operation or a request", `write operation: listPets, or request: "GET /pets"`)
	}
}

// operation checks a tool whose request the document describes.
func (v *validator) operation(u *Upstream, at Path, t *Tool) {
	v.unless(len(u.Spec) > 0, at.Child("operation"), "this upstream has no spec that the operation could be in", "write a request instead, or add a spec")
	v.unless(t.Body == nil, at.Child("body"), "a body is for request: the document says what this operation's body is", "")
	v.contentType(at, t)
	for _, key := range sortedNames(t.Arguments) {
		a, path := t.Arguments[key], at.Child("arguments", key)
		for _, each := range []struct {
			key   string
			given bool
		}{{"in", a.In != ""}, {"type", a.Type != ""}, {"format", a.Format != ""}, {"items", a.Items != nil}} {
			v.unless(!each.given, path.Child(each.key), each.key+" is for request: the document says it here", "")
		}
		v.argument(path, a)
	}
	v.argumentNames(at, t)
}

// request checks a tool that says itself what it sends.
func (v *validator) request(u *Upstream, at Path, t *Tool) {
	method, ok := v.endpoint(u, at.Child("request"), t.Request, t.Arguments)
	if !ok {
		return
	}
	for _, key := range sortedNames(t.Arguments) {
		a, path := t.Arguments[key], at.Child("arguments", key)
		switch a.In {
		case "":
			v.missing(path, "in", fmt.Sprintf("nothing says where %q goes", key), "write in: query, header, cookie or body")
		case "path":
			v.unless(slices.Contains(placeholders(t.Request), key), path, fmt.Sprintf("%s has no {%s}", t.Request, key), "")
			v.unless(a.Required == nil || *a.Required, path.Child("required"), "a path has no room for an argument that is left out", "")
		case "header":
			v.unless(token.MatchString(key) && !reserved(key) && !slices.Contains([]string{"authorization", "cookie", "proxy-authorization"}, strings.ToLower(key)),
				path, fmt.Sprintf("%q is no header for a model to write", key), "credential and headers are for those")
		case "cookie":
			v.unless(token.MatchString(key), path, fmt.Sprintf("%q can't be the name of a cookie", key), "")
		case "body":
			v.unless(method != "GET" && method != "HEAD", path.Child("in"), "a "+method+" has no body", "write in: query")
		}
		v.argument(path, a)
		v.declared(path, a)
	}
	v.body(at, t, method)
	v.argumentNames(at, t)
}

// body checks the template and its media type.
func (v *validator) body(at Path, t *Tool, method string) {
	v.unless(t.Body == nil || (method != "GET" && method != "HEAD"), at.Child("body"), "a "+method+" has no body", "")
	v.contentType(at, t)
}

func (v *validator) contentType(at Path, t *Tool) {
	if t.ContentType == "" || slices.Contains([]string{"json", "form", "multipart"}, t.ContentType) {
		return
	}
	media, _, err := mime.ParseMediaType(t.ContentType)
	v.unless(err == nil && strings.Contains(media, "/"), at.Child("content_type"), fmt.Sprintf("%q is not a media type", t.ContentType),
		"write json, form, multipart, or one such as text/csv")
}

// endpoint checks METHOD /path and its {names}, and returns the method.
func (v *validator) endpoint(u *Upstream, at Path, text string, arguments map[string]*Argument) (method string, ok bool) {
	method, route, _ := strings.Cut(text, " ")
	route = strings.TrimSpace(route)
	switch {
	case strings.HasPrefix(text, "/"):
		v.add(at, fmt.Sprintf("%q has no method", text), fmt.Sprintf("did you mean %q?", "GET "+text))
	case !slices.Contains(methods, method):
		hint := `write it like "GET /pets/{id}"`
		if near := Nearest(strings.ToUpper(method), methods); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		v.add(at, fmt.Sprintf("%q is not a method", method), hint)
	case strings.Contains(route, "://"):
		v.add(at, "a request is a path below base_url", "put the host into base_url")
	case !strings.HasPrefix(route, "/"):
		v.add(at, fmt.Sprintf("%q is not a path", route), fmt.Sprintf("did you mean %q?", method+" /"+route))
	case strings.ContainsAny(route, "?#"):
		v.add(at, "a path has no query", "declare each parameter under arguments, with in: query; value: fixes it")
	case strings.ContainsAny(route, " \t\r\n\\"):
		v.add(at, fmt.Sprintf("%q is not a path", route), "")
	case unbalanced(route):
		v.add(at, fmt.Sprintf("%q has a brace too many or too few", route), "{name} stands for an argument")
	default:
		v.filled(u, at, route, arguments)
		return method, true
	}
	return "", false
}

// filled checks that something fills every {name} of a path.
func (v *validator) filled(u *Upstream, at Path, route string, arguments map[string]*Argument) {
	seen := map[string]bool{}
	for _, name := range placeholders(route) {
		v.unless(!seen[name], at, fmt.Sprintf("{%s} stands twice in the path", name), "")
		seen[name] = true
		a := arguments[name]
		switch {
		case a == nil && u.Variables[name] == nil:
			hint := fmt.Sprintf("write arguments: {%s: {in: path}}", name)
			if near := Nearest(name, sortedNames(arguments)); near != "" {
				hint = fmt.Sprintf("did you mean {%s}?", near)
			}
			v.add(at, fmt.Sprintf("nothing says what {%s} is", name), hint)
		case a != nil && a.In != "path":
			v.add(at, fmt.Sprintf("{%s} stands in the path, and its argument says in: %s", name, a.In), "write in: path")
		}
	}
}

// argument checks what an argument says of itself, whoever declares it.
func (v *validator) argument(at Path, a *Argument) {
	v.unless(a.Name == "" || argumentName.MatchString(a.Name), at.Child("name"), fmt.Sprintf("%q can't be the name of an argument", a.Name), "use up to 64 letters, digits, _ . and -")
	v.unless(a.Value == nil || a.Default == nil, at, "value and default exclude each other", "value is fixed and hidden; default is sent where the model says nothing")
	v.unless(a.Minimum == nil || a.Maximum == nil || *a.Minimum <= *a.Maximum, at.Child("minimum"), "minimum is above maximum", "")
	v.unless(!a.Hide || a.Required == nil || !*a.Required || a.Value != nil || a.Default != nil, at, "a required argument can't be hidden", "give it a value or a default")
	if a.Value != nil {
		for key, given := range map[string]bool{"name": a.Name != "", "enum": a.Enum != nil, "minimum": a.Minimum != nil, "maximum": a.Maximum != nil, "pattern": a.Pattern != ""} {
			v.unless(!given, at.Child(key), key+" means nothing beside a value, which the model does not see", "")
		}
	}
	if a.Enum != nil {
		v.unless(len(a.Enum) > 0, at.Child("enum"), "an empty enum allows nothing", "")
	}
}

// declared checks an argument of a request, whose type is known here.
func (v *validator) declared(at Path, a *Argument) {
	typ := a.Type
	if typ == "" {
		typ = "string"
	}
	_, schema := a.Items.(map[string]any)
	v.unless(a.Items == nil || typ == "array", at.Child("items"), "items means nothing with type: "+typ, "write type: array")
	v.unless(a.Items == nil || schema, at.Child("items"), "items is a JSON Schema", "write items: {type: string}")
	number := typ == "integer" || typ == "number"
	v.unless(a.Minimum == nil || number, at.Child("minimum"), "minimum means nothing with type: "+typ, "write type: integer or number")
	v.unless(a.Maximum == nil || number, at.Child("maximum"), "maximum means nothing with type: "+typ, "write type: integer or number")
	v.unless(a.Pattern == "" || typ == "string", at.Child("pattern"), "pattern means nothing with type: "+typ, "")
	v.unless(a.Default == nil || isOfType(a.Default, typ), at.Child("default"), "the default is no "+typ, "")
	for i, choice := range a.Enum {
		v.unless(isOfType(choice, typ), at.Child("enum", fmt.Sprint(i)), "this choice is no "+typ, "")
	}
}

// isOfType reports whether a value of the file is of a JSON Schema type. A number may stand for a string and a string for
// a number or a boolean: who writes YAML thinks of quotes too rarely, or has to write them around a variable.
func isOfType(value any, typ string) bool {
	switch value := value.(type) {
	case json.Number:
		return typ == "number" || typ == "string" || (typ == "integer" && !strings.ContainsAny(value.String(), ".eE"))
	case string:
		_, notBoolean := parseBoolean(value)
		_, notNumber := parseNumber(value)
		return typ == "string" || (typ == "boolean" && notBoolean == nil) || (typ == "number" || typ == "integer") && notNumber == nil
	case bool:
		return typ == "boolean"
	case []any:
		return typ == "array"
	case map[string]any:
		return typ == "object"
	}
	return false
}

// argumentNames reports two arguments that the model would see under one name.
func (v *validator) argumentNames(at Path, t *Tool) {
	seen := map[string]string{}
	for _, key := range sortedNames(t.Arguments) {
		a := t.Arguments[key]
		name := a.Name
		if name == "" {
			name = key
		}
		if a.Value != nil || a.Hide || t.Operation != "" && strings.Contains(key, ".") {
			continue // of what lies within an object, the document says which names are beside it
		}
		if other, ok := seen[name]; ok {
			v.add(at.Child("arguments", key), fmt.Sprintf("the argument %q is called %q too", other, name), "give one of them another name")
		}
		seen[name] = key
	}
}
