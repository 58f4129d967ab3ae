package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/expr"
	"mcpgate/internal/fault"
)

// permits say who may call which tool: the scopes and the roles of gateway.yaml, compiled once.
type permits struct {
	roles   map[string]*expr.Condition
	implied map[string][]string // the scopes that one brings along, those that these bring along too
	rules   map[string]rule     // by the tool's name; a tool without a rule is everybody's
	scopes  []string            // that some rule asks for, sorted
}

// rule is what a tool asks of its caller.
type rule struct {
	scopes []string // all of them
	allow  []string // one of these roles
}

// newPermits compiles auth.roles and collects what tools ask for. A condition that is none is a problem.
func newPermits(cfg *config.Config) (*permits, config.Problems) {
	p := &permits{roles: map[string]*expr.Condition{}, implied: implications(cfg.Auth.Implies), rules: map[string]rule{}}
	var problems config.Problems
	for name, text := range cfg.Auth.Roles {
		condition, err := expr.Compile(text, "claims")
		if err != nil {
			problems = append(problems, roleProblem(cfg, name, err))
			continue
		}
		p.roles[name] = condition
	}
	for _, u := range cfg.Upstreams {
		for name, t := range u.Tools {
			if len(t.Scopes)+len(t.Allow) > 0 {
				p.rules[name] = rule{t.Scopes, t.Allow}
				p.scopes = append(p.scopes, t.Scopes...)
			}
		}
	}
	slices.Sort(p.scopes)
	p.scopes = slices.Compact(p.scopes)
	return p, problems.Sort()
}

// roleProblem points at what is wrong in a role's condition.
func roleProblem(cfg *config.Config, name string, err error) config.Problem {
	path := config.Path{"auth", "roles", name}
	if wrong, ok := errors.AsType[*expr.Error](err); ok {
		return cfg.ProblemWithin(path, wrong.Offset, wrong.Message, "conditions are CEL: https://cel.dev")
	}
	return cfg.Problem(path, err.Error(), "")
}

// implications follows auth.implies to its end: where admin implies write and write read, admin implies both.
func implications(direct map[string][]string) map[string][]string {
	all := make(map[string][]string, len(direct))
	for scope := range direct {
		seen := []string{scope}
		for i := 0; i < len(seen); i++ {
			for _, next := range direct[seen[i]] {
				if !slices.Contains(seen, next) {
					seen = append(seen, next)
				}
			}
		}
		all[scope] = seen[1:]
	}
	return all
}

// unrestricted reports whether a caller may do all: the person at whose terminal the gateway runs over stdio.
func unrestricted(p *auth.Principal) bool {
	local := auth.Local()
	return p.Issuer == "" && p.Subject == local.Subject && p.Login == local.Login
}

// has reports whether the caller has a scope, or one that brings it along.
func (p *permits) has(caller *auth.Principal, scope string) bool {
	return slices.ContainsFunc(caller.Scopes, func(own string) bool {
		return own == scope || slices.Contains(p.implied[own], scope)
	})
}

// missing returns the scopes that a caller lacks for a tool, all of them.
func (p *permits) missing(caller *auth.Principal, tool string) []string {
	var missing []string
	for _, scope := range p.rules[tool].scopes {
		if !p.has(caller, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// plays reports whether the caller has one of the roles that a tool allows.
func (p *permits) plays(caller *auth.Principal, tool string) bool {
	allow := p.rules[tool].allow
	return len(allow) == 0 || slices.ContainsFunc(allow, func(role string) bool { return p.holds(caller, role) })
}

func (p *permits) holds(caller *auth.Principal, role string) bool {
	condition := p.roles[role]
	return condition != nil && condition.Holds(map[string]any{"claims": caller.Claims})
}

// allows reports whether the caller may call a tool: others are not listed, found or described either.
func (p *permits) allows(ctx context.Context, tool string) bool {
	if _, ruled := p.rules[tool]; !ruled {
		return true
	}
	caller := auth.FromContext(ctx)
	return caller != nil && (unrestricted(caller) || len(p.missing(caller, tool)) == 0 && p.plays(caller, tool))
}

// check is allows with the reason. It guards every call, whichever way it came.
func (p *permits) check(ctx context.Context, tool string) error {
	if p.allows(ctx, tool) {
		return nil
	}
	var f *fault.Fault
	caller := auth.FromContext(ctx)
	if caller == nil {
		caller = &auth.Principal{}
	}
	if missing := p.missing(caller, tool); len(missing) > 0 {
		f = fault.New(fault.Permission, fmt.Sprintf("%s needs the %s %s, which the caller's token does not have", tool,
			plural("scope", len(missing)), strings.Join(missing, " ")), nil)
		f.Hint = "log in again and allow it, or ask whoever runs the gateway"
		return f
	}
	f = fault.New(fault.Permission, fmt.Sprintf("%s is for %s %s, which the caller is not", tool, plural("the role", len(p.rules[tool].allow)),
		strings.Join(p.rules[tool].allow, ", ")), nil)
	f.Hint = "whoever runs the gateway decides who has a role"
	return f
}

// view tells apart the callers who see different tools: those with the same view see the same. It is "" for all where
// no tool asks for anything.
func (p *permits) view(ctx context.Context) string {
	caller := auth.FromContext(ctx)
	if len(p.rules) == 0 || caller == nil {
		return ""
	}
	if unrestricted(caller) {
		return "all"
	}
	var view strings.Builder
	for _, scope := range p.scopes {
		if p.has(caller, scope) {
			fmt.Fprintf(&view, "%s ", scope)
		}
	}
	view.WriteByte('|')
	for _, role := range slices.Sorted(maps.Keys(p.roles)) {
		if p.holds(caller, role) {
			fmt.Fprintf(&view, " %s", role)
		}
	}
	return view.String()
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
