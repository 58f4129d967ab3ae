package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mcpgate/config"
)

// Reserved are the names of the gateway's own tools, with which others are found. No other tool has them.
var Reserved = []string{"search_tools", "describe_tool", "call_tool"}

// defaultBudget holds where gateway.yaml says nothing, in tokens.
const defaultBudget = 12000

// Placement is where a tool has its place: in the list that clients are shown, or among those that are found.
type Placement struct {
	Tool   *Tool
	Direct bool
	Reason string // for people
}

// Division is how the tools of a gateway are divided into those that clients are shown and those that a model finds.
type Division struct {
	Mode       string      // auto, direct or search
	Budget     int         // in tokens
	Placements []Placement // of every tool, in the order in which they were considered
	Finders    int         // the tokens of the tools that find the others; 0 where all are shown
	Tokens     int         // of all that is shown, finders included
}

// Found reports whether some tools are not shown.
func (d Division) Found() int {
	n := 0
	for _, p := range d.Placements {
		if !p.Direct {
			n++
		}
	}
	return n
}

// Over reports whether more is shown than the budget allows: because gateway.yaml says so, or because the finders and
// what is pinned are more by themselves.
func (d Division) Over() bool { return d.Tokens > d.Budget }

// Divide places the tools; finders is what the tools cost that find the others. With mode auto all are shown where all
// fit into the budget. Else it is, each while it fits: pinned tools (whether they fit or not), then what gateway.yaml
// describes by name, then whole upstreams from the smallest, then single tools in callingOrder. A tool's place does
// not depend on the order of documents. A pinned tool that isn't there is a problem.
func Divide(cfg *config.Config, tools []*Tool, finders int) (Division, []config.Problem) {
	d := &divider{Division: Division{
		Mode: cmp.Or(cfg.Discovery.Mode, "auto"), Budget: cmp.Or(cfg.Discovery.BudgetTokens, defaultBudget),
	}}
	total := 0
	for _, t := range tools {
		total += t.Tokens()
	}
	rest := slices.SortedFunc(slices.Values(tools), byName)
	problems := d.checkPins(cfg, rest)
	switch {
	case d.Mode == "direct":
		d.place(rest, true, "mode: direct")
	case d.Mode == "auto" && total <= d.Budget:
		d.place(rest, true, "all tools fit")
	default:
		d.Finders, d.Tokens = finders, finders
		rest = d.take(rest, func(t *Tool) bool { return slices.Contains(cfg.Discovery.Pin, t.Name) }, "pinned")
		if d.Mode == "search" {
			d.place(rest, false, "mode: search")
			break
		}
		d.fill(rest)
	}
	if d.Found() == 0 {
		d.Tokens, d.Finders = d.Tokens-d.Finders, 0
	}
	return d.Division, problems
}

// divider is a Division in the making.
type divider struct{ Division }

// checkPins reports pins that name no tool.
func (d *divider) checkPins(cfg *config.Config, tools []*Tool) []config.Problem {
	var problems []config.Problem
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.Name
	}
	for i, pin := range cfg.Discovery.Pin {
		if !slices.Contains(names, pin) {
			path := config.Path{"discovery", "pin", strconv.Itoa(i)}
			problems = append(problems, cfg.Problem(path, fmt.Sprintf("there is no tool %q", pin), suggest(pin, names)))
		}
	}
	return problems
}

// place puts tools where they belong.
func (d *divider) place(tools []*Tool, direct bool, reason string) {
	for _, t := range tools {
		d.Placements = append(d.Placements, Placement{t, direct, reason})
		if direct {
			d.Tokens += t.Tokens()
		}
	}
}

// take shows the tools that are chosen, and returns the others.
func (d *divider) take(tools []*Tool, chosen func(*Tool) bool, reason string) []*Tool {
	var rest []*Tool
	for _, t := range tools {
		if chosen(t) {
			d.place([]*Tool{t}, true, reason)
		} else {
			rest = append(rest, t)
		}
	}
	return rest
}

// fill shows what fits into the rest of the budget.
func (d *divider) fill(tools []*Tool) {
	fits := func(tokens int) bool { return d.Tokens+tokens <= d.Budget }
	tools = d.take(tools, func(t *Tool) bool { return t.Described && fits(t.Tokens()) }, "described in gateway.yaml")

	upstreams, sizes := map[string][]*Tool{}, map[string]int{}
	for _, t := range tools {
		upstreams[t.Upstream] = append(upstreams[t.Upstream], t)
		sizes[t.Upstream] += t.Tokens()
	}
	names := sortedKeys(upstreams)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(sizes[a], sizes[b]) })
	var single []*Tool
	for _, name := range names {
		if fits(sizes[name]) {
			d.place(upstreams[name], true, "fits with all of "+name)
		} else {
			single = append(single, upstreams[name]...)
		}
	}
	slices.SortStableFunc(single, callingOrder(single))
	for _, t := range single {
		if !fits(t.Tokens()) {
			d.place([]*Tool{t}, false, fmt.Sprintf("%d tokens are left", max(d.Budget-d.Tokens, 0)))
			continue
		}
		d.place([]*Tool{t}, true, reasonInOrder(t))
	}
}

// callingOrder puts first what a model calls first: what it can call without an id, and what tells it ids. Of those the
// ones that read, then those of the areas that have the most tools, which is what an API is about; then the cheap ones.
func callingOrder(tools []*Tool) func(a, b *Tool) int {
	sizes, costs := map[string]int{}, map[*Tool]int{}
	area := func(t *Tool) string { return t.Upstream + "\n" + t.area() }
	for _, t := range tools {
		sizes[area(t)]++
		costs[t] = t.Tokens()
	}
	return func(a, b *Tool) int {
		return cmp.Or(cmp.Compare(ids(a), ids(b)), compareBools(b.Annotations.ReadOnly, a.Annotations.ReadOnly),
			cmp.Compare(sizes[area(b)], sizes[area(a)]), cmp.Compare(costs[a], costs[b]), byName(a, b))
	}
}

// ids counts the placeholders of the path.
func ids(t *Tool) int { return strings.Count(t.Path, "{") }

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func reasonInOrder(t *Tool) string {
	verb := "writes"
	if t.Annotations.ReadOnly {
		verb = "reads"
	}
	switch n := ids(t); n {
	case 0:
		return verb + ", needs no id"
	case 1:
		return verb + ", needs an id"
	default:
		return fmt.Sprintf("%s, needs %d ids", verb, n)
	}
}
