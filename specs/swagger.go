package specs

import (
	"maps"
	"slices"
	"strings"
)

// Swagger 2.0 says in parameters what OpenAPI 3 says in schemas, bodies and servers.

// swaggerServers makes servers of host, basePath and schemes, https first.
func (r *reader) swaggerServers() []Server { return r.serversOf(r.schemesOf(r.root)) }

// swaggerSchemes makes the servers of an operation with schemes of its own.
func (r *reader) swaggerSchemes(n *node) []Server {
	if n.get("schemes") == nil {
		return nil
	}
	return r.serversOf(r.schemesOf(n))
}

func (r *reader) schemesOf(n *node) []string {
	var list []string
	for _, item := range r.list(n.get("schemes"), "schemes") {
		if s := strings.ToLower(r.text(item)); s == "http" || s == "https" {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	return slices.Compact(list)
}

func (r *reader) serversOf(schemes []string) []Server {
	host := strings.TrimSpace(r.text(r.root.get("host")))
	base := strings.TrimSpace(r.text(r.root.get("basePath")))
	if base != "" && !strings.HasPrefix(base, "/") {
		base = "/" + base
	}
	from := r.files.main.url
	if host == "" {
		if from == nil && base == "" {
			return nil
		}
		return []Server{{URL: r.absolute(base + strings.Repeat("/", 1-min(len(base), 1)))}}
	}
	if _, rest, found := strings.Cut(host, "://"); found {
		host = rest
	}
	if len(schemes) == 0 {
		schemes = []string{"https"}
		if from != nil {
			schemes = []string{from.Scheme}
		}
	}
	var list []Server
	for _, scheme := range schemes {
		list = append(list, Server{URL: scheme + "://" + strings.TrimSuffix(host, "/") + base})
	}
	return list
}

// swaggerParameter reads what stands in a parameter itself: the keywords of a schema, and collectionFormat.
func (r *reader) swaggerParameter(p *parameter) {
	n := p.node
	if schema := n.get("schema"); schema != nil {
		p.Schema = r.schemaOf(schema)
	} else if p.In != "body" {
		p.Schema = r.inlineSchema(n)
	}
	if p.Schema == nil {
		p.Schema = Schema{}
	}
	p.format = r.text(n.get("collectionFormat"))
	p.Style = "simple"
	if p.In == "query" || p.In == "formData" {
		p.Style = "form"
	}
	p.Explode = p.Style == "form" && !slices.Contains(typeNames(p.Schema), any("array"))
	switch p.format {
	case "", "csv":
	case "multi":
		p.Explode = p.Style == "form"
	case "ssv":
		p.Style = "spaceDelimited"
	case "pipes":
		p.Style = "pipeDelimited"
	case "tsv":
		p.Style = "tabDelimited" // OpenAPI 3 has no such style
	default:
		r.warn(n.get("collectionFormat"), "there is no collectionFormat %q; commas are written", p.format)
	}
}

// inlineSchema is the schema that a parameter is, without what belongs to the parameter.
func (r *reader) inlineSchema(n *node) Schema {
	if s, ok := r.schemas[n]; ok {
		return s
	}
	s := map[string]any{}
	for i, key := range n.keys {
		if key == "description" || key == "required" {
			continue
		}
		if convert, ok := keywords[key]; ok {
			if v, ok := convert(r, n.items[i]); ok {
				s[key] = v
			}
		}
	}
	r.modernize(n, s)
	r.schemas[n] = s
	return s
}

// mediaTypes returns an operation's consumes or produces, else the document's, else fallback. An empty list, which 2.0
// calls the way to clear the document's, is treated as none: the body has to have some type.
func (r *reader) mediaTypes(n *node, key string, fallback ...string) []string {
	for _, source := range []*node{n.get(key), r.root.get(key)} {
		var list []string
		for _, item := range r.list(source, key) {
			if t := mediaType(r.text(item)); t != "" && !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return fallback
}

// swaggerBody makes a body of the parameter in body.
func (r *reader) swaggerBody(n *node, p *parameter) *Body {
	body := &Body{Description: p.Description, Required: p.Required}
	for _, t := range r.mediaTypes(n, "consumes", "application/json") {
		if t == "multipart/form-data" || t == "application/x-www-form-urlencoded" {
			if len(r.mediaTypes(n, "consumes")) > 1 {
				continue // these are for operations with formData
			}
		}
		body.Content = append(body.Content, Media{Type: t, Schema: p.Schema})
	}
	if len(body.Content) == 0 {
		body.Content = []Media{{Type: "application/json", Schema: p.Schema}}
	}
	sortMedia(body.Content)
	return body
}

// swaggerForm makes a form of the parameters in formData; one with a file is multipart.
func (r *reader) swaggerForm(n *node, form []*parameter) *Body {
	properties, required := map[string]any{}, []any{}
	var encoding map[string]Encoding
	file := false
	for _, p := range form {
		schema := maps.Clone(map[string]any(p.Schema))
		if p.Description != "" {
			schema["description"] = p.Description
		}
		properties[p.Name] = schema
		if p.Required {
			required = append(required, p.Name)
		}
		if schema["type"] == "array" {
			if encoding == nil {
				encoding = map[string]Encoding{}
			}
			encoding[p.Name] = Encoding{Style: p.Style, Explode: p.Explode}
		}
		file = file || p.node.get("type").scalar() == "file"
	}
	schema := Schema{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	body := &Body{Required: len(required) > 0}
	for _, t := range r.mediaTypes(n, "consumes") {
		if t == "multipart/form-data" || t == "application/x-www-form-urlencoded" && !file {
			body.Content = append(body.Content, Media{Type: t, Schema: schema, Encoding: encoding})
		}
	}
	if len(body.Content) == 0 {
		t := "application/x-www-form-urlencoded"
		if file {
			t = "multipart/form-data"
		}
		body.Content = []Media{{Type: t, Schema: schema, Encoding: encoding}}
	}
	return body
}

// swaggerResponse gives a response's schema to each type that the operation produces.
func (r *reader) swaggerResponse(n, response *node) []Media {
	schema := response.get("schema")
	if schema == nil {
		return nil
	}
	var list []Media
	for _, t := range r.mediaTypes(n, "produces", "application/json") {
		m := Media{Type: t, Schema: r.schemaOf(schema)}
		for _, e := range r.entries(response.get("examples"), "examples") {
			if mediaType(e.key) == t {
				m.Examples = values([]*node{e.value})
			}
		}
		if len(m.Examples) == 0 {
			m.Examples = r.schemaExamples(schema)
		}
		list = append(list, m)
	}
	sortMedia(list)
	return list
}
