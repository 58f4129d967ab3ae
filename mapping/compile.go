package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"mcpgate/config"
	"mcpgate/specs"
)

// What holds where gateway.yaml says nothing.
const (
	defaultTimeout   = 20 * time.Second
	defaultMaxBytes  = 10 << 20
	defaultMaxTokens = 15000
)

// plan is a tool to be: an operation, and what gateway.yaml says of it.
type plan struct {
	upstream *config.Upstream
	defs     *definitions
	home     *specs.Document // whose servers hold where the operation is no document's; may be nil
	op       *specs.Operation
	entry    *config.Tool // never nil; empty where gateway.yaml has none
	path     config.Path  // where in gateway.yaml a problem belongs
	name     string
	stated   bool // by an entry of tools, records or queries
	fixed    bool // the name is gateway.yaml's, and is used as it is
	headers  map[string]config.Secret
	query    *Query
	made     bool // op is no document's, though it says what it answers
	// statement is what a query may be; nil where it is not parsed.
	statement *statement
	note      string            // put behind the description
	partial   bool              // no property of the body is required
	record    *verb             // of records:, nil for any other tool
	kinds     map[string]kindOf // the schemas of several record types, by their names; nil where there is one
	reread    *plan             // with which a record is read once it is written; may be nil
}

// compilation collects the tools and the problems of one Compile.
type compilation struct {
	cfg      *config.Config
	problems []config.Problem
	said     map[string]bool
	failed   bool                   // the plan that is being compiled has a problem
	programs map[string]*program    // jq expressions that were compiled, by their text; nil where that failed
	rules    map[string]*errorRules // errors: of the upstreams
}

func newCompilation(cfg *config.Config) *compilation {
	return &compilation{cfg: cfg, said: map[string]bool{}, programs: map[string]*program{}, rules: map[string]*errorRules{}}
}

// problem adds a problem, once: a server that is missing is missing for a thousand operations.
func (c *compilation) problem(path config.Path, hint, format string, args ...any) {
	c.report(c.cfg.Problem(path, fmt.Sprintf(format, args...), hint))
}

// report adds a problem, once.
func (c *compilation) report(problem config.Problem) {
	c.failed = true
	if key := problem.Path.String() + "\n" + problem.Message; !c.said[key] {
		c.said[key] = true
		c.problems = append(c.problems, problem)
	}
}

// Compile turns every chosen operation of every upstream into a tool, sorted by name. documents has the documents of
// each upstream by its name. An operation that can't become a tool is a problem, not the end: the others are returned.
func Compile(cfg *config.Config, documents map[string][]*specs.Document) ([]*Tool, []config.Problem) {
	c := newCompilation(cfg)
	var plans []*plan
	for _, name := range sortedKeys(cfg.Upstreams) {
		c.rules[name] = c.errorRules(cfg.Upstreams[name])
		chosen, _ := c.choose(cfg.Upstreams[name], documents[name])
		plans = append(plans, chosen...)
	}
	c.assignNames(plans)
	var tools []*Tool
	for _, p := range plans {
		if p.name == "" {
			continue // a clash, which is a problem already
		}
		if tool, ok := c.tool(p); ok {
			tools = append(tools, tool)
		}
	}
	slices.SortFunc(tools, func(a, b *Tool) int { return cmp.Compare(a.Name, b.Name) })
	return tools, c.problems
}

// tool compiles one plan.
func (c *compilation) tool(p *plan) (*Tool, bool) {
	c.failed = false
	t := &Tool{
		Name: p.name, Upstream: p.upstream.Name, Method: p.op.Method, Path: p.op.Path, Query: p.query,
		Tags: p.op.Tags, Described: p.stated,
		Title:       cmp.Or(p.entry.Title, title(p.op, p.name)),
		Description: cmp.Or(strings.TrimSpace(p.entry.Description), describe(p.op)),
		Annotations: annotations(p.op.Method, p.entry.Annotations),
		Timeout:     cmp.Or(time.Duration(p.entry.Timeout), time.Duration(p.upstream.Timeout), defaultTimeout),
		MaxBytes:    int64(cmp.Or(p.entry.Response.MaxBytes, p.upstream.Response.MaxBytes, defaultMaxBytes)),
		MaxTokens:   cmp.Or(p.entry.Response.MaxTokens, p.upstream.Response.MaxTokens, defaultMaxTokens),
		responses:   p.op.Responses,
		selection:   c.selection(p),
		errors:      c.rules[p.upstream.Name],
		record:      p.record,
	}
	t.Idempotent = t.Annotations.Idempotent || p.entry.Idempotent
	if p.note != "" {
		t.Description = cut(sentence(t.Description)+" "+cleanText(p.note), maxDescription)
	}
	p.op = c.contentType(p)
	in := collectFor(p.defs, p.op, p.entry.Arguments)
	if p.entry.Body != nil {
		in.body = &bodyTemplate{mediaType: mediaType(p.entry.ContentType), required: true, literal: plain(p.entry.Body)}
	}
	base, ok := c.base(p, in)
	if !ok {
		return nil, false
	}
	if p.partial {
		in.loosen()
	}
	c.place(p, in)
	c.override(p, in)
	c.declare(p, in)
	c.checkTemplate(p, in)
	c.page(t, p, in)
	in.assignNames()
	t.namePager(in)
	c.checkValues(t, p, in)
	t.template.base = base
	if p.statement != nil {
		t.statement = p.statement.named(in)
	}
	t.fill(p, in)
	if err := t.compileInput(p.defs, in); err != nil {
		c.problem(p.path, "", "%s %s of upstream %q: its schema can't be used: %v", t.Method, t.Path, t.Upstream, err)
		return nil, false
	}
	if p.reread == nil { // what is read afterwards has another shape
		t.compileOutput(p)
	}
	ok = !c.failed && c.compileKinds(t, p, in)
	if ok && p.reread != nil {
		t.reread, ok = c.tool(p.reread)
	}
	return t, ok
}

// fill writes the request down as far as it is known before a call.
func (t *Tool) fill(p *plan, in *inputs) {
	t.template.method, t.template.path = t.Method, t.Path
	t.template.accept = accept(p.op.Responses)
	for _, name := range sortedKeys(p.headers) {
		t.template.static = append(t.template.static, staticHeader{name, p.headers[name]})
	}
	t.template.body = in.body
	t.xmlAnswers = xmlAnswers(p.defs.document, p.op.Responses)
	t.parts = map[string]slot{}
	literal := in.body != nil && in.body.literal != nil
	for _, a := range in.arguments {
		s := a.slot
		switch {
		case a.fixed:
			s.value = a.value
		case a.written:
			s.argument = a.name
		case a.hidden && !a.defaulted:
			continue
		case a.hidden:
			s.value = a.value
		default:
			s.argument = a.name
		}
		if literal { // a template of gateway.yaml may name every argument
			in.body.properties = append(in.body.properties, s)
		}
		switch a.in {
		case "variable", "path":
			t.template.segments = append(t.template.segments, s)
		case "query":
			t.template.query = append(t.template.query, s)
		case "querystring":
			t.template.querystring = &s
		case "header":
			t.template.headers = append(t.template.headers, s)
		case "cookie":
			t.template.cookies = append(t.template.cookies, s)
		case "body":
			switch {
			case literal:
			case a.wire != "":
				in.body.properties = append(in.body.properties, s)
				if !s.constant {
					t.parts[a.name] = s
				}
			case s.argument == "":
				in.body.literal = a.value
			default:
				in.body.whole, in.body.edits = a.name, s.edits
			}
		}
	}
}

// accept names the media types of the answers that count as success, JSON first, and takes anything else too.
func accept(responses []specs.Response) string {
	const rest = "*/*;q=0.5"
	for _, r := range responses {
		for _, m := range r.Content {
			if (strings.HasPrefix(r.Status, "2") || r.Status == "default") && isJSON(m.Type) {
				return m.Type + ", " + rest
			}
		}
	}
	for _, r := range responses {
		if len(r.Content) > 0 && strings.HasPrefix(r.Status, "2") {
			return r.Content[0].Type + ", " + rest
		}
	}
	return "application/json, " + rest
}
