package mapping

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

var placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// base returns the URL before the path, with {name} where the model chooses among values. What gateway.yaml says wins
// over every server of the document, so that a test environment gets all of the requests; an operation's own server
// wins over the document's.
func (c *compilation) base(p *plan, in *inputs) (string, bool) {
	if p.upstream.Sandbox() {
		return "http://" + p.upstream.Name + ".sandbox", true
	}
	server := specs.Server{URL: p.upstream.BaseURL}
	if server.URL == "" {
		server = firstServer(p)
	}
	if server.URL == "" {
		c.problem(p.upstream.Path(), "add base_url", "upstream %q: its document names no server", p.upstream.Name)
		return "", false
	}
	ok := true
	text := placeholder.ReplaceAllStringFunc(server.URL, func(match string) string {
		name := match[1 : len(match)-1]
		variable, known := p.upstream.Variables[name]
		documented, inDocument := server.Variables[name]
		switch {
		case strings.HasPrefix(name, tokenPrefix):
			return match // the caller's login fills it in; config has looked at it
		case known && variable.Argument && len(variable.Enum)+len(documented.Enum) == 0:
			c.problem(p.upstream.Path().Child("variables", name), "the model may choose among these, and only these",
				"argument: true needs an enum")
			ok = false
			return match
		case known && variable.Argument:
			in.variable(name, variable, documented)
			return match
		case known:
			return variable.Value
		case inDocument:
			return documented.Default
		}
		c.problem(p.upstream.Path().Child("base_url"), "add it to variables:",
			"upstream %q: nothing says what {%s} in %s is", p.upstream.Name, name, server.URL)
		ok = false
		return match
	})
	return c.absolute(p, text, ok)
}

// absolute resolves a server that is relative to the place of its document.
func (c *compilation) absolute(p *plan, text string, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	if document := p.document(); !strings.Contains(text, "://") && document != nil {
		if location, err := url.Parse(document.Location); err == nil && location.Host != "" {
			if resolved, err := location.Parse(text); err == nil {
				text = resolved.String()
			}
		}
	}
	bare := placeholder.ReplaceAllString(text, "x")
	if strings.HasPrefix(text, "{"+tokenPrefix) { // such as {token.instance_url}, which is a whole origin
		bare = "https://" + bare
	}
	if u, err := url.Parse(bare); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.problem(p.upstream.Path(), "add base_url: https://...",
			"upstream %q: %q is not the URL of a server", p.upstream.Name, text)
		return "", false
	}
	return strings.TrimRight(text, "/"), true
}

func firstServer(p *plan) specs.Server {
	if len(p.op.Servers) > 0 {
		return p.op.Servers[0]
	}
	if document := p.document(); document != nil && len(document.Servers) > 0 {
		return document.Servers[0]
	}
	return specs.Server{}
}

// document is the one that says where the API is.
func (p *plan) document() *specs.Document {
	if p.defs.document != nil {
		return p.defs.document
	}
	return p.home
}

// variable adds the argument with which the model chooses a server variable's value.
func (in *inputs) variable(name string, v *config.Variable, documented specs.ServerVariable) {
	if slices.ContainsFunc(in.arguments, func(a *argument) bool { return a.in == "variable" && a.wire == name }) {
		return
	}
	schema := map[string]any{"type": "string"}
	if len(v.Enum) > 0 {
		documented.Enum = v.Enum
	}
	var enum []any
	for _, value := range documented.Enum {
		enum = append(enum, value)
	}
	if enum != nil {
		schema["enum"] = enum
	}
	a := &argument{
		wire: name, in: "variable", schema: schema, required: true, slot: slot{name: name, variable: true},
		description: "Which " + name + " to talk to.",
	}
	if value := v.Value; value != "" {
		a.value, a.defaulted = value, true
	}
	in.arguments = slices.Insert(in.arguments, 0, a)
}

// place makes the arguments agree with the path and with what gateway.yaml puts on every request.
func (c *compilation) place(p *plan, in *inputs) {
	names := map[string]bool{}
	for _, match := range placeholder.FindAllStringSubmatch(p.op.Path, -1) {
		names[match[1]] = true
	}
	in.arguments = slices.DeleteFunc(in.arguments, func(a *argument) bool {
		return a.in == "path" && !names[a.wire] || c.provided(p, a)
	})
	for _, a := range in.arguments {
		if a.in == "path" {
			delete(names, a.wire)
		}
	}
	for _, name := range sortedKeys(names) { // in the path, but not declared
		in.arguments = append(in.arguments, &argument{
			wire: name, in: "path", schema: map[string]any{"type": "string"}, required: true,
			slot: slot{name: name, style: "simple"},
		})
	}
	in.sort()
	for _, a := range in.arguments {
		v, ok := p.upstream.Variables[a.wire]
		switch {
		case a.in != "path" || !ok:
		case !v.Argument:
			a.value, a.fixed = v.Value, true
		case len(v.Enum) > 0:
			a.schema = map[string]any{"type": "string", "enum": plain(anySlice(v.Enum))}
		}
	}
}

// provided reports whether the gateway itself fills a parameter: with a header of gateway.yaml, or the credential.
func (c *compilation) provided(p *plan, a *argument) bool {
	if a.in == "header" {
		for name := range p.headers {
			if strings.EqualFold(name, a.wire) {
				return true
			}
		}
	}
	key := p.upstream.Credential
	return key.Type == "api_key" && a.in == key.In && strings.EqualFold(a.wire, key.Name)
}

func anySlice[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
