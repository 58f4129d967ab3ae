package gateway

import (
	"fmt"
	"strings"

	"mcpgate/mapping"
)

// The names of the tools with which a model finds and calls the tools that it is not shown: mapping.Reserved.
const (
	searchTools  = "search_tools"
	describeTool = "describe_tool"
	callTool     = "call_tool"
)

// Bounds of what search_tools answers and says of itself.
const (
	defaultHits = 8
	mostHits    = 25
	mostAreas   = 24 // named in its description
)

// newFinders declares the three tools. What they say of themselves is all that a model knows of the tools behind them.
func newFinders(tools []*mapping.Tool) ([]*mapping.Tool, error) {
	name := map[string]any{"type": "string", "description": "The tool's name, as search_tools returns it."}
	reads := mapping.Annotations{ReadOnly: true, Idempotent: true}
	upstreams := upstreamsOf(tools)
	properties := map[string]any{
		"query": map[string]any{"type": "string", "minLength": 1,
			"description": "What you want to do, in a few words, such as: create an issue comment."},
		"limit": map[string]any{"type": "integer", "minimum": 1, "maximum": mostHits, "default": defaultHits},
	}
	if len(upstreams) > 1 {
		properties["upstream"] = map[string]any{"type": "string", "enum": anySlice(upstreams), "description": "Search this API alone."}
	}
	search, err := mapping.Declare(searchTools, "Search tools", fmt.Sprintf(
		"Finds tools by what they do. This server has %d tools and does not list all of them: search before you say that something "+
			"can't be done. Then get a tool's arguments from %s and call it with %s. There are %s.",
		len(tools), describeTool, callTool, listAreas(tools)), properties, []string{"query"}, reads)
	if err != nil {
		return nil, err
	}
	describe, err := mapping.Declare(describeTool, "Describe a tool", "Returns a tool's full description and the JSON Schema of its "+
		"arguments (input_schema). Read it before you call a tool that "+searchTools+" found.",
		map[string]any{"name": name}, []string{"name"}, reads)
	if err != nil {
		return nil, err
	}
	annotations, effect := reach(tools)
	call, err := mapping.Declare(callTool, "Call a tool", "Calls a tool that "+searchTools+" found, and returns what the tool returns. "+effect,
		map[string]any{"name": name, "arguments": map[string]any{"type": "object",
			"description": "The tool's arguments by name, as the input_schema of " + describeTool + " has them. {} where there are none."}},
		[]string{"name"}, annotations)
	return []*mapping.Tool{search, describe, call}, err
}

// reach is what a call of any of the tools may do: the worst that one of them does.
func reach(tools []*mapping.Tool) (mapping.Annotations, string) {
	a := mapping.Annotations{ReadOnly: true, Idempotent: true}
	for _, t := range tools {
		a.ReadOnly = a.ReadOnly && t.Annotations.ReadOnly
		a.Idempotent = a.Idempotent && t.Annotations.Idempotent
		a.OpenWorld = a.OpenWorld || t.Annotations.OpenWorld
	}
	if a.ReadOnly {
		return a, "Every tool here only reads."
	}
	a.Destructive = true // nobody can tell before the name of the tool is known
	return a, "Some tools change or delete data: what it does is what the named tool does."
}

// listAreas says what there is: github: issues (55), pulls (27). The largest areas come first.
func listAreas(tools []*mapping.Tool) string {
	var parts []string
	all := mapping.Areas(tools)
	several := len(upstreamsOf(tools)) > 1
	before := ""
	for _, area := range largest(all, mostAreas) {
		text := fmt.Sprintf("%s (%d)", area.Name, area.Tools)
		if several && area.Upstream != before {
			text = area.Upstream + ": " + text
		}
		before = area.Upstream
		parts = append(parts, text)
	}
	text := strings.Join(parts, ", ")
	if more := len(all) - len(parts); more > 0 {
		text += fmt.Sprintf(" and %d more areas", more)
	}
	return text
}

// instructions tell a model that there is more than it sees.
func (s *snapshot) instructions(said string) string {
	if len(s.finders) == 0 {
		return said
	}
	text := fmt.Sprintf("Only %d of this server's %d tools are listed. Find the others with %s, read their arguments with %s, and call them with %s.",
		len(s.tools)-s.report.Division.Found(), len(s.tools), searchTools, describeTool, callTool)
	if said = strings.TrimSpace(said); said != "" {
		text = said + "\n\n" + text
	}
	return text
}
