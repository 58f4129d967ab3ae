package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/mapping"
	"mcpgate/specs"
)

// foundTool is a tool as search_tools returns it: enough to choose, not more.
type foundTool struct {
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"` // one line; left out where the title says it all
	Upstream    string   `json:"upstream,omitempty"`    // where there are several
	Required    []string `json:"required,omitempty"`    // arguments
	ReadOnly    bool     `json:"read_only"`
	Listed      bool     `json:"listed,omitempty"` // the client has it by its own name
}

// searchResult is the data of search_tools.
type searchResult struct {
	Tools    []foundTool               `json:"tools"`
	Hint     string                    `json:"hint,omitempty"`
	ThereAre map[string]map[string]int `json:"there_are,omitempty"` // upstream -> area -> tools
}

// describedTool is the data of describe_tool.
type describedTool struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Upstream    string          `json:"upstream"`
	Request     string          `json:"request"`
	Annotations toolHints       `json:"annotations"`
	Listed      bool            `json:"listed,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
}

// toolHints are a tool's annotations in the words of MCP.
type toolHints struct {
	ReadOnly    bool `json:"readOnlyHint"`
	Destructive bool `json:"destructiveHint"`
	Idempotent  bool `json:"idempotentHint"`
	OpenWorld   bool `json:"openWorldHint"`
}

// divide places the tools, and keeps the finders where they are needed. Its problems are pins that name no tool.
func (c *compiled) divide(cfg *config.Config) (config.Problems, error) {
	finders, err := newFinders(c.tools)
	if err != nil {
		return nil, err
	}
	tokens := 0
	for _, t := range finders {
		tokens += t.Tokens()
	}
	var problems config.Problems
	c.report.Division, problems = mapping.Divide(cfg, c.tools, tokens)
	if c.report.Division.Found() > 0 {
		c.finders = finders
	}
	return problems, nil
}

// budgetWarnings tells where gateway.yaml shows more than its budget.
func budgetWarnings(cfg *config.Config, d mapping.Division) []specs.Warning {
	if !d.Over() {
		return nil
	}
	key, what := "pin", "what discovery.pin shows, and the tools that find the others, take"
	if d.Mode == "direct" {
		key, what = "mode", "discovery.mode direct shows all tools, which take"
	}
	pos := cfg.Problem(config.Path{"discovery", key}, "", "").Pos
	return []specs.Warning{{
		Message: fmt.Sprintf("%s about %d tokens of a model's context, over budget_tokens (%d)", what, d.Tokens, d.Budget),
		Pos:     specs.Position{File: pos.File, Line: pos.Line, Column: pos.Column},
	}}
}

// finder returns the finder of that name, nil where there is none.
func (s *snapshot) finder(name string) *mapping.Tool {
	for _, t := range s.finders {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// find runs one of the finders. A call of call_tool is a call of the tool that it names, in all respects: it takes the
// same way from here on.
func (g *Gateway) find(ctx context.Context, snap *snapshot, finder *mapping.Tool, raw json.RawMessage) *Outcome {
	start := time.Now()
	arguments, err := finder.ParseArguments(raw)
	var data any
	if err == nil {
		switch finder.Name {
		case callTool:
			var tool *mapping.Tool
			var inner json.RawMessage
			if tool, inner, err = snap.named(arguments); err == nil {
				return g.run(ctx, snap, tool, inner)
			}
		case describeTool:
			data, err = snap.describe(ctx, arguments)
		case searchTools:
			data = snap.search(ctx, arguments)
		}
	}
	outcome := &Outcome{OK: true}
	if err == nil {
		outcome.Data, err = compactJSON(data)
	}
	id := newCallID()
	line := []slog.Attr{slog.String("call", id), slog.String("tool", finder.Name)}
	if err != nil {
		outcome = failure(err, id)
		line = append(line, slog.String("code", string(outcome.code())), slog.String("message", err.Error()))
	}
	line = append(line, slog.Bool("ok", outcome.OK), slog.Duration("duration", time.Since(start)))
	g.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "call", line...)
	return outcome
}

// named returns the tool that a call of call_tool names, and the tool's arguments.
func (s *snapshot) named(arguments mapping.Arguments) (*mapping.Tool, json.RawMessage, error) {
	tool, err := s.lookUp(arguments)
	if err != nil {
		return nil, nil, err
	}
	inner, given := arguments["arguments"]
	if !given {
		return tool, nil, nil
	}
	raw, err := json.Marshal(inner) // numbers are json.Number: no digit is lost
	return tool, raw, err
}

// lookUp returns the tool that the argument name names; the fault says which ones may have been meant.
func (s *snapshot) lookUp(arguments mapping.Arguments) (*mapping.Tool, error) {
	name, _ := arguments["name"].(string)
	if tool, ok := s.byName[name]; ok {
		return tool, nil
	}
	f := s.unknownTool(name)
	if slices.Contains(mapping.Reserved, name) {
		f.Message, f.Hint = name+" is called by its own name, not through another tool", ""
	}
	f.Fields = []fault.Field{{Path: "name", Message: f.Message}}
	return nil, f
}

// unknownTool is the fault of a name that is none, and says how the right one is found.
func (s *snapshot) unknownTool(name string) *fault.Fault {
	f := noTool(cutName(name))
	where := "tools/list has all tools"
	if len(s.finders) > 0 {
		where = searchTools + " finds tools by what they do"
	}
	if f.Hint = where; len(name) <= longestName {
		if near := s.index().Nearest(name, 3); len(near) > 0 {
			f.Hint = fmt.Sprintf("did you mean %s? %s", strings.Join(near, ", "), where)
		}
	}
	return f
}

// longestName is more than any tool's name has; what is longer is not looked for, and not repeated whole.
const longestName = 200

func cutName(name string) string {
	if len(name) > longestName {
		return strings.ToValidUTF8(name[:longestName], "") + "…"
	}
	return name
}

// describe returns everything about one tool.
func (s *snapshot) describe(ctx context.Context, arguments mapping.Arguments) (any, error) {
	t, err := s.lookUp(arguments)
	if err != nil {
		return nil, err
	}
	if err := s.permits.check(ctx, t.Name); err != nil {
		return nil, err
	}
	return describedTool{
		Name: t.Name, Title: t.Title, Description: t.Description, Upstream: t.Upstream, Request: t.Method + " " + t.Path,
		Annotations: toolHints(t.Annotations), Listed: !s.hidden[t.Name], InputSchema: t.InputSchema,
	}, nil
}

// search returns the tools that fit best, or where none does, what there is: of those that the caller may call.
func (s *snapshot) search(ctx context.Context, arguments mapping.Arguments) searchResult {
	query, _ := arguments["query"].(string)
	upstream, _ := arguments["upstream"].(string)
	limit := defaultHits
	if number, ok := arguments["limit"].(json.Number); ok {
		if n, err := number.Int64(); err == nil { // 3.0 is an integer, too, and takes the default
			limit = int(n)
		}
	}
	keep := func(t *mapping.Tool) bool {
		return (upstream == "" || t.Upstream == upstream) && s.permits.allows(ctx, t.Name)
	}
	result := searchResult{Tools: []foundTool{}}
	several := len(s.upstreams) > 1 && upstream == ""
	for _, hit := range s.index().Search(query, limit, keep) {
		result.Tools = append(result.Tools, s.found(hit.Tool, several))
	}
	if len(result.Tools) > 0 {
		return result
	}
	result.Hint = "no tool fits; try the words that the API may use: what is done, and to which thing"
	result.ThereAre = map[string]map[string]int{}
	for _, area := range largest(mapping.Areas(slices.DeleteFunc(slices.Clone(s.tools), func(t *mapping.Tool) bool { return !keep(t) })), 2*mostAreas) {
		if result.ThereAre[area.Upstream] == nil {
			result.ThereAre[area.Upstream] = map[string]int{}
		}
		result.ThereAre[area.Upstream][area.Name] = area.Tools
	}
	return result
}

// found is a tool in a few words.
func (s *snapshot) found(t *mapping.Tool, several bool) foundTool {
	f := foundTool{Name: t.Name, Title: t.Title, Required: t.Required(), ReadOnly: t.Annotations.ReadOnly, Listed: !s.hidden[t.Name]}
	if line := t.Line(); !strings.EqualFold(strings.TrimSuffix(line, "."), t.Title) {
		f.Description = line
	}
	if several {
		f.Upstream = t.Upstream
	}
	return f
}

// largest keeps the areas with the most tools, in the order in which they are.
func largest(areas []mapping.Area, most int) []mapping.Area {
	if len(areas) <= most {
		return areas
	}
	sizes := slices.SortedFunc(slices.Values(areas), func(a, b mapping.Area) int { return cmp.Compare(b.Tools, a.Tools) })
	least := sizes[most-1].Tools
	kept := slices.DeleteFunc(slices.Clone(areas), func(a mapping.Area) bool { return a.Tools < least })
	return kept[:most]
}

// upstreamsOf names the upstreams that have tools.
func upstreamsOf(tools []*mapping.Tool) []string {
	names := map[string]bool{}
	for _, t := range tools {
		names[t.Upstream] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func anySlice(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// compactJSON writes data for a model: without the escapes that HTML wants.
func compactJSON(data any) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(data)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}
