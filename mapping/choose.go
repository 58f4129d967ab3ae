package mapping

import (
	"regexp"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/specs"
)

// Withheld counts, for each upstream, the operations of its documents that expose and exclude keep back.
func Withheld(cfg *config.Config, documents map[string][]*specs.Document) map[string]int {
	counts := map[string]int{}
	c := newCompilation(cfg)
	for name, upstream := range cfg.Upstreams {
		if _, withheld := c.choose(upstream, documents[name]); withheld > 0 {
			counts[name] = withheld
		}
	}
	return counts
}

// candidate is an operation of a document, before it is chosen.
type candidate struct {
	defs *definitions
	op   *specs.Operation
	used bool // by an entry of tools, records or queries, which replaces the tool it would have made
}

// choose returns the tools of an upstream: what gateway.yaml describes, and of the rest of its documents what expose,
// include and exclude leave. The number is of those that are left out.
func (c *compilation) choose(u *config.Upstream, documents []*specs.Document) ([]*plan, int) {
	var all []*candidate
	none := newDefinitions(nil)
	for _, document := range documents {
		defs := newDefinitions(document)
		for _, op := range document.Operations() {
			all = append(all, &candidate{defs: defs, op: op})
		}
	}
	plans := slices.Concat(c.entries(u, all, none), c.records(u, all, none), c.queries(u, all, none))
	for _, p := range plans {
		p.stated = true
		if len(documents) > 0 {
			p.home = documents[0]
		}
	}
	include := c.patterns(u, "include", u.Include, all)
	exclude := c.patterns(u, "exclude", u.Exclude, all)
	withheld := 0
	for _, o := range all {
		switch {
		case o.used:
		case !(exposed(u, o.op) || matches(include, o.op)) || matches(exclude, o.op):
			withheld++
		default:
			plans = append(plans, &plan{upstream: u, defs: o.defs, op: o.op, entry: &config.Tool{},
				path: u.Path().Child("spec"), headers: u.Headers})
		}
	}
	return plans, withheld
}

// exposed says what expose does, for an operation that no pattern speaks of.
func exposed(u *config.Upstream, op *specs.Operation) bool {
	switch u.Expose {
	case "all":
		return true
	case "none":
		return false
	}
	return op.Method == "GET" || op.Method == "HEAD"
}

// entries makes the plans of tools:.
func (c *compilation) entries(u *config.Upstream, all []*candidate, none *definitions) []*plan {
	var plans []*plan
	for _, name := range sortedKeys(u.Tools) {
		entry := u.Tools[name]
		p := &plan{upstream: u, defs: none, entry: entry, path: u.Path().Child("tools", name), name: name, fixed: true,
			headers: u.Headers}
		if entry.Operation != "" {
			o, ok := c.find(p.path.Child("operation"), entry.Operation, all)
			if !ok {
				continue
			}
			o.used = true
			p.defs, p.op = o.defs, o.op
		} else if p.op = c.declared(p); p.op == nil {
			continue
		}
		plans = append(plans, p)
	}
	return plans
}

// find returns the operation that an entry names by its operationId or by METHOD /path.
func (c *compilation) find(path config.Path, name string, all []*candidate) (*candidate, bool) {
	var found []*candidate
	var known []string
	method, route, byPath := splitRequest(name)
	for _, o := range all {
		if o.op.ID != "" {
			known = append(known, o.op.ID)
		}
		known = append(known, o.op.Method+" "+o.op.Path)
		if o.op.ID == name || byPath && o.op.Method == method && sameRoute(o.op.Path, route) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		c.problem(path, suggest(name, known), "no operation %q in %s", name, c.documents(all))
	case 1:
		return found[0], true
	default:
		c.problem(path, "name it by METHOD /path", "%d operations are called %q", len(found), name)
	}
	return nil, false
}

// documents names where operations were looked for.
func (c *compilation) documents(all []*candidate) string {
	var names []string
	for _, o := range all {
		if !slices.Contains(names, o.defs.document.Location) {
			names = append(names, o.defs.document.Location)
		}
	}
	if len(names) == 0 {
		return "any document of this upstream"
	}
	return listed(names)
}

// splitRequest takes "GET /pets" apart.
func splitRequest(s string) (method, path string, ok bool) {
	method, path, ok = strings.Cut(strings.TrimSpace(s), " ")
	path = strings.TrimSpace(path)
	return strings.ToUpper(method), path, ok && strings.HasPrefix(path, "/")
}

// sameRoute compares two paths whatever their placeholders are called.
func sameRoute(a, b string) bool {
	return placeholder.ReplaceAllString(a, "{}") == placeholder.ReplaceAllString(b, "{}")
}

// pattern is one entry of include or exclude.
type pattern func(op *specs.Operation) bool

func matches(patterns []pattern, op *specs.Operation) bool {
	return slices.ContainsFunc(patterns, func(p pattern) bool { return p(op) })
}

// patterns reads include or exclude. One that matches nothing is a problem: it is misspelt, or the document has changed.
func (c *compilation) patterns(u *config.Upstream, key string, list []string, all []*candidate) []pattern {
	var out []pattern
	for i, text := range list {
		p, known := readPattern(text)
		out = append(out, p)
		if slices.ContainsFunc(all, func(o *candidate) bool { return p(o.op) }) {
			continue
		}
		var names []string
		for _, o := range all {
			names = append(names, known(o.op)...)
		}
		c.problem(u.Path().Child(key, itoa(i)), suggest(text, names), "%q matches no operation in %s", text, c.documents(all))
	}
	return out
}

// readPattern reads an operationId, "METHOD /path" or "tag:NAME", with wildcards, and returns what names of an
// operation it is compared with.
func readPattern(text string) (pattern, func(*specs.Operation) []string) {
	if name, ok := strings.CutPrefix(text, "tag:"); ok {
		re := wildcards(name)
		return func(op *specs.Operation) bool { return slices.ContainsFunc(op.Tags, re.MatchString) },
			func(op *specs.Operation) []string {
				var out []string
				for _, tag := range op.Tags {
					out = append(out, "tag:"+tag)
				}
				return out
			}
	}
	if method, path, ok := splitRequest(text); ok {
		methods, paths := wildcards(method), wildcards(placeholder.ReplaceAllString(path, "{}"))
		return func(op *specs.Operation) bool {
				return methods.MatchString(op.Method) && paths.MatchString(placeholder.ReplaceAllString(op.Path, "{}"))
			},
			func(op *specs.Operation) []string { return []string{op.Method + " " + op.Path} }
	}
	re := wildcards(text)
	return func(op *specs.Operation) bool { return op.ID != "" && re.MatchString(op.ID) },
		func(op *specs.Operation) []string { return []string{op.ID} }
}

// wildcards compiles a pattern: * stands for anything but a slash, ** for anything, and /** at the end also for
// nothing, so that "/orders/**" has /orders in it.
func wildcards(text string) *regexp.Regexp {
	text, below := strings.CutSuffix(text, "/**")
	quoted := regexp.QuoteMeta(text)
	quoted = strings.ReplaceAll(quoted, `\*\*`, `.*`)
	quoted = strings.ReplaceAll(quoted, `\*`, `[^/]*`)
	if below {
		quoted += `(/.*)?`
	}
	return regexp.MustCompile(`^` + quoted + `$`)
}
