package specs

import (
	"slices"
	"strings"
)

// parameter is one entry of a list of parameters, read. Of Swagger 2.0 it may be a part of the body.
type parameter struct {
	Parameter
	node   *node
	format string // 2.0's collectionFormat
}

// inputs are what a list of parameters comes to.
type inputs struct {
	parameters []Parameter
	body       *Body // Swagger 2.0's
}

// readParameters merges the path's parameters with the operation's, which win.
func (r *reader) readParameters(item, n *node) (inputs, error) {
	var merged []*parameter
	for _, owner := range []*node{item, n} {
		for _, entry := range r.list(owner.get("parameters"), "parameters") {
			p, err := r.readParameter(entry)
			if err != nil {
				return inputs{}, err
			}
			same := func(q *parameter) bool {
				return q.In == p.In && (q.Name == p.Name || p.In == "header" && strings.EqualFold(q.Name, p.Name))
			}
			if at := slices.IndexFunc(merged, same); at >= 0 {
				merged[at] = p
			} else {
				merged = append(merged, p)
			}
		}
	}
	var in inputs
	var form []*parameter
	for _, p := range merged {
		switch {
		case p.In == "body":
			in.body = r.swaggerBody(n, p)
		case p.In == "formData":
			form = append(form, p)
		case p.In == "querystring" && slices.ContainsFunc(in.parameters, func(q Parameter) bool { return q.In == p.In }):
			r.warn(p.node, "there is a parameter in querystring already; left out")
		case !reserved(p):
			in.parameters = append(in.parameters, p.Parameter)
		}
	}
	if len(form) > 0 && in.body == nil {
		in.body = r.swaggerForm(n, form)
	}
	return in, nil
}

// reserved reports whether a header is the client's own business: OpenAPI says that such definitions are ignored.
func reserved(p *parameter) bool {
	if p.In != "header" {
		return false
	}
	switch strings.ToLower(p.Name) {
	case "accept", "content-type", "authorization":
		return true
	}
	return false
}

// readParameter reads one, or what its $ref leads to.
func (r *reader) readParameter(entry *node) (*parameter, error) {
	n, err := r.resolve(entry)
	if err != nil {
		return nil, err
	}
	if p := r.parameters[n]; p != nil {
		return p, nil
	}
	p := &parameter{node: n, Parameter: Parameter{
		Name: r.text(n.get("name")), In: r.text(n.get("in")), Description: r.text(n.get("description")),
		Required: n.get("required").isTrue(), Deprecated: n.get("deprecated").isTrue(),
		AllowReserved: n.get("allowReserved").isTrue(),
	}}
	if name, ok := componentName(n, "headers"); ok && p.In == "" {
		r.warn(entry, "this $ref leads to a header of the components, not to a parameter; read as the parameter %q in header", name)
		p.Name, p.In = name, "header"
	}
	switch p.In {
	case "path":
		p.Required = true
	case "query", "header", "cookie", "querystring":
	case "body", "formData":
		if r.dialect != swagger2 {
			return nil, place(entry, "a parameter in %q is Swagger 2.0's; OpenAPI 3 has requestBody", p.In)
		}
	default:
		return nil, place(entry, "this is no parameter: `in` is %q", p.In)
	}
	if p.Name == "" && p.In != "body" {
		return nil, place(entry, "this is no parameter: it has no name")
	}
	if r.dialect == swagger2 {
		r.swaggerParameter(p)
	} else {
		r.parameterSchema(p)
	}
	r.parameters[n] = p
	return p, nil
}

// componentName returns the name of what stands directly in a section of the components.
func componentName(n *node, section string) (string, bool) {
	tokens := n.tokens()
	if len(tokens) == 3 && tokens[0] == "components" && tokens[1] == section {
		return tokens[2], true
	}
	return "", false
}

// styles are those that OpenAPI gives to each place, the default first.
var styles = map[string][]string{
	"path":   {"simple", "label", "matrix"},
	"query":  {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
	"header": {"simple"},
	"cookie": {"form", "cookie"},
}

func (r *reader) parameterSchema(p *parameter) {
	n := p.node
	p.Schema = r.schemaOf(n.get("schema"))
	if content := r.entries(n.get("content"), "content"); len(content) > 0 {
		p.ContentType = mediaType(content[0].key)
		p.Schema = r.schemaOf(content[0].value.get("schema"))
	}
	if p.Schema == nil {
		p.Schema = Schema{}
	}
	if p.In == "querystring" && (p.ContentType == "application/x-www-form-urlencoded" || p.ContentType == "") {
		p.In, p.ContentType = "query", "" // 3.2's whole query, written as a form: that is what an exploded object is
	}
	if allowed := styles[p.In]; len(allowed) > 0 {
		p.Style = allowed[0]
		if style := r.text(n.get("style")); slices.Contains(allowed, style) {
			p.Style = style
		} else if style != "" {
			r.warn(n.get("style"), "a parameter in %s has no style %q; %q is taken", p.In, style, p.Style)
		}
	}
	p.Explode = p.Style == "form" || p.Style == "cookie"
	if explode := n.get("explode"); explode != nil {
		p.Explode = explode.isTrue()
	}
}
