package mapping

import (
	"net/http"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// declared makes an operation of a tool that says its request itself.
func (c *compilation) declared(p *plan) *specs.Operation {
	method, path, ok := splitRequest(p.entry.Request)
	if !ok || !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions}, method) {
		c.problem(p.path.Child("request"), "write it as GET /path", "%q is not a request", p.entry.Request)
		return nil
	}
	op := &specs.Operation{ID: p.name, Method: method, Path: path}
	properties, required := map[string]any{}, []any{}
	for _, name := range sortedKeys(p.entry.Arguments) {
		a := p.entry.Arguments[name]
		if a == nil {
			a = &config.Argument{}
		}
		schema := declaredSchema(a)
		must := a.Required != nil && *a.Required
		switch a.In {
		case "path", "query", "header", "cookie":
			op.Parameters = append(op.Parameters, specs.Parameter{Name: name, In: a.In, Required: must, Schema: schema,
				Style: defaultStyle(a.In), Explode: a.In == "query" || a.In == "cookie"})
		case "body":
			properties[name] = map[string]any(schema)
			if must {
				required = append(required, name)
			}
		case "":
			if !slices.Contains(placeholder.FindAllString(path, -1), "{"+name+"}") {
				c.problem(p.path.Child("arguments", name), "add in: query", "nothing says where %q goes", name)
			} else {
				op.Parameters = append(op.Parameters, specs.Parameter{Name: name, In: "path", Required: true,
					Schema: schema, Style: "simple"})
			}
		default:
			c.problem(p.path.Child("arguments", name, "in"), "use path, query, header, cookie or body",
				"%q is no place for an argument", a.In)
		}
	}
	if len(properties) > 0 {
		schema := specs.Schema{"type": "object", "properties": properties, "required": required}
		op.Body = &specs.Body{Required: len(required) > 0 || p.entry.Body != nil, Content: []specs.Media{{
			Type: mediaType(p.entry.ContentType), Schema: schema}}}
	}
	return op
}

func declaredSchema(a *config.Argument) specs.Schema {
	schema := specs.Schema{"type": "string"}
	if a.Type != "" {
		schema["type"] = a.Type
	}
	if a.Format != "" {
		schema["format"] = a.Format
	}
	if a.Items != nil {
		schema["items"] = plain(a.Items)
	}
	if a.Description != "" {
		schema["description"] = a.Description
	}
	return schema
}

// defaultStyle is what OpenAPI says where a parameter has no style.
func defaultStyle(in string) string {
	if in == "query" || in == "cookie" {
		return "form"
	}
	return "simple"
}

// mediaType reads content_type, which has short names.
func mediaType(s string) string {
	switch s {
	case "", "json":
		return "application/json"
	case "form":
		return "application/x-www-form-urlencoded"
	case "multipart":
		return "multipart/form-data"
	}
	return s
}

// checkTemplate makes sure that what an argument of the body says is sent: that the template names it.
func (c *compilation) checkTemplate(p *plan, in *inputs) {
	if p.entry.Body == nil {
		return
	}
	var texts []string
	eachText(in.body.literal, func(text string) { texts = append(texts, text) })
	all := strings.Join(texts, "\n")
	for _, a := range in.arguments {
		if a.in == "body" && !strings.Contains(all, "{"+a.wire+"}") {
			c.problem(p.path.Child("arguments", a.wire), "write {"+a.wire+"} where it belongs in body:",
				"the body template does not name %q, so it would never be sent", a.wire)
		}
	}
}

// eachText visits every string of a template but its keys.
func eachText(node any, visit func(string)) {
	switch node := node.(type) {
	case string:
		visit(node)
	case []any:
		for _, item := range node {
			eachText(item, visit)
		}
	case map[string]any:
		for _, item := range node {
			eachText(item, visit)
		}
	}
}
