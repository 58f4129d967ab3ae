package mapping

import (
	"cmp"
	"slices"
	"strconv"

	"mcpgate/config"
)

func itoa(i int) string { return strconv.Itoa(i) }

// assignNames names every tool. The keys of tools: and queries: are used as they are; names that come from a document,
// and those of records:, get the upstream's prefix. Two equal keys are a problem; of two equal generated names the later
// one, by method and path, gets a hash, as does one that is Reserved. A plan whose name can't be used is left without one.
func (c *compilation) assignNames(plans []*plan) {
	taken := map[string]*plan{}
	for _, p := range plans {
		if !p.fixed {
			continue
		}
		other := taken[p.name]
		switch {
		case slices.Contains(Reserved, p.name):
			c.problem(p.path, "rename it", "%q is the name of a tool of the gateway's own (see discovery)", p.name)
			p.name = ""
		case !legalName(p.name):
			c.problem(p.path, "use up to 64 letters, digits, _ and -", "%q can't be the name of a tool", p.name)
			p.name = ""
		case other != nil:
			c.problem(p.path, "rename one of them", "the tool %q is at %s too", p.name, c.at(other))
			p.name = ""
		default:
			taken[p.name] = p
		}
	}
	generated := slices.DeleteFunc(slices.Clone(plans), func(p *plan) bool { return p.fixed })
	slices.SortStableFunc(generated, func(a, b *plan) int {
		return cmp.Or(cmp.Compare(a.upstream.Name, b.upstream.Name), cmp.Compare(a.op.Path, b.op.Path),
			cmp.Compare(a.op.Method, b.op.Method))
	})
	for _, p := range generated {
		key := p.upstream.Name + " " + p.op.Method + " " + p.op.Path
		p.name = toolName(c.prefix(p), cmp.Or(p.name, p.op.ID), p.op.Method, p.op.Path)
		for name := p.name; taken[p.name] != nil || slices.Contains(Reserved, p.name); key += "'" { // the ' is for a document that has one path twice
			p.name = withHash(name, key)
		}
		taken[p.name] = p
	}
}

// at is where a plan stands in gateway.yaml, for a message.
func (c *compilation) at(p *plan) string {
	problem := c.cfg.Problem(p.path, "", "")
	if problem.Pos.Line == 0 {
		return p.path.String()
	}
	return config.Position{File: problem.Pos.File, Line: problem.Pos.Line}.String()
}

// prefix stands before a name that gateway.yaml does not spell out.
func (c *compilation) prefix(p *plan) string {
	switch {
	case p.upstream.Prefix != nil:
		return clean(*p.upstream.Prefix, notNameRune)
	case len(c.cfg.Upstreams) > 1:
		return clean(p.upstream.Name, notNameRune) + "_"
	}
	return ""
}
