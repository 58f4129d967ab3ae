package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/mapping"
)

func (t *terminal) toolsCommand() *cobra.Command {
	var asJSON, budget bool
	var schemaOf string
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "List the tools that gateway.yaml makes",
		Long: `List the tools that gateway.yaml makes, each with its HTTP request and what it costs in a model's context
(a token is taken for 4 bytes of its entry in the list).

--budget says which of them a client is shown, which a model finds with search_tools, and why (discovery in gateway.yaml).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, tools, report, err := t.loadTools(cmd.Context())
			if err != nil {
				return err
			}
			t.printReport(report)
			switch {
			case schemaOf != "":
				return t.printSchema(tools, schemaOf)
			case asJSON:
				return printToolsJSON(t.stdout, tools, report.Division)
			case budget:
				return t.printBudget(report.Division)
			default:
				return t.printToolTable(tools, report)
			}
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything about them as JSON")
	cmd.Flags().StringVar(&schemaOf, "schema", "", "print the input schema of the tool `NAME`")
	cmd.Flags().BoolVar(&budget, "budget", false, "say which tools fit into discovery.budget_tokens, and why")
	cmd.MarkFlagsMutuallyExclusive("json", "schema", "budget")
	_ = cmd.RegisterFlagCompletionFunc("schema", t.completeTools)
	return cmd
}

// toolJSON is how a tool is printed with --json: the words of MCP, and where it comes from.
type toolJSON struct {
	Name         string          `json:"name"`
	Title        string          `json:"title"`
	Description  string          `json:"description"`
	Upstream     string          `json:"upstream"`
	Method       string          `json:"method"`
	Path         string          `json:"path"`
	Tokens       int             `json:"tokens"`
	Direct       bool            `json:"direct"` // shown to clients; a model finds the others
	Annotations  annotationsJSON `json:"annotations"`
	InputSchema  json.RawMessage `json:"inputSchema"`
	OutputSchema json.RawMessage `json:"outputSchema,omitempty"`
}

type annotationsJSON struct {
	ReadOnly    bool `json:"readOnlyHint"`
	Destructive bool `json:"destructiveHint"`
	Idempotent  bool `json:"idempotentHint"`
	OpenWorld   bool `json:"openWorldHint"`
}

func describe(tool *mapping.Tool, direct bool) toolJSON {
	return toolJSON{
		Name: tool.Name, Title: tool.Title, Description: tool.Description, Upstream: tool.Upstream,
		Method: tool.Method, Path: tool.Path, Tokens: tool.Tokens(), Direct: direct,
		Annotations: annotationsJSON(tool.Annotations), InputSchema: tool.InputSchema, OutputSchema: tool.OutputSchema,
	}
}

func printToolsJSON(w io.Writer, tools []*mapping.Tool, division mapping.Division) error {
	found := foundNames(division)
	list := make([]toolJSON, 0, len(tools))
	for _, tool := range tools {
		list = append(list, describe(tool, !found[tool.Name]))
	}
	return writeJSON(w, list)
}

func (t *terminal) printToolTable(tools []*mapping.Tool, report gateway.Report) error {
	table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	found := foundNames(report.Division)
	place := func(name string) string {
		switch {
		case len(found) == 0:
			return "" // all are direct: nothing to tell apart
		case found[name]:
			return "\tfound"
		}
		return "\tdirect"
	}
	fmt.Fprintln(table, "NAME\tMETHOD\tPATH\tTOKENS\tUPSTREAM"+strings.ToUpper(strings.ReplaceAll(place(""), "direct", "place")))
	for _, tool := range tools {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s%s\n", tool.Name, tool.Method, tool.Path, tool.Tokens(), tool.Upstream, place(tool.Name))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	kept := ""
	if n := withheld(report); n > 0 {
		kept = fmt.Sprintf("; %s withheld (expose, exclude)", count(n, "operation"))
	}
	fmt.Fprintf(t.stderr, "%s, %s%s\n", count(len(tools), "tool"), shownTokens(report.Division), kept)
	return nil
}

// foundNames are the tools that clients are not shown.
func foundNames(division mapping.Division) map[string]bool {
	found := map[string]bool{}
	for _, p := range division.Placements {
		if !p.Direct {
			found[p.Tool.Name] = true
		}
	}
	return found
}

// shownTokens says what the tools cost, and how many of them are not shown.
func shownTokens(division mapping.Division) string {
	if found := division.Found(); found > 0 {
		return fmt.Sprintf("%d direct and %d found with search_tools; about %d of %d tokens in a model's context",
			len(division.Placements)-found, found, division.Tokens, division.Budget)
	}
	return fmt.Sprintf("about %d tokens in a model's context", division.Tokens)
}

// printBudget tells of every tool whether it is direct or found, in the order in which that is decided.
func (t *terminal) printBudget(division mapping.Division) error {
	table := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TOOL\tTOKENS\tSUM\tPLACE\tREASON")
	sum := 0
	if division.Finders > 0 {
		sum = division.Finders
		fmt.Fprintf(table, "%s\t%d\t%d\tdirect\tthey find the others\n", strings.Join(mapping.Reserved, ", "), sum, sum)
	}
	for _, p := range division.Placements {
		if !p.Direct {
			fmt.Fprintf(table, "%s\t%d\t-\tfound\t%s\n", p.Tool.Name, p.Tool.Tokens(), p.Reason)
			continue
		}
		sum += p.Tool.Tokens()
		fmt.Fprintf(table, "%s\t%d\t%d\tdirect\t%s\n", p.Tool.Name, p.Tool.Tokens(), sum, p.Reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(t.stderr, "discovery.mode %s: %s, %s\n", division.Mode, count(len(division.Placements), "tool"), shownTokens(division))
	return nil
}

func (t *terminal) printSchema(tools []*mapping.Tool, name string) error {
	tool, err := findTool(tools, name)
	if err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, tool.InputSchema, "", "  "); err != nil {
		return fmt.Errorf("the input schema of %s: %w", name, err)
	}
	_, err = fmt.Fprintln(t.stdout, indented.String())
	return err
}

// findTool returns the tool of that name, or an error that names the nearest ones.
func findTool(tools []*mapping.Tool, name string) (*mapping.Tool, error) {
	i := slices.IndexFunc(tools, func(tool *mapping.Tool) bool { return tool.Name == name })
	if i >= 0 {
		return tools[i], nil
	}
	names := make([]string, len(tools))
	for i, tool := range tools {
		names[i] = tool.Name
	}
	if near := config.Nearest(name, names); near != "" {
		return nil, usagef("there is no tool %q; did you mean %q? `mcpgate tools` lists them", name, near)
	}
	return nil, usagef("there is no tool %q; `mcpgate tools` lists them", name)
}

// writeJSON writes v indented, with < and > as they are.
func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// completeTools offers the names of the tools, with their titles, to the shell.
func (t *terminal) completeTools(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	_, tools, _, err := t.loadTools(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp // a shell shows no errors
	}
	names := make([]string, 0, len(tools))
	for _, tool := range tools {
		names = append(names, tool.Name+"\t"+tool.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
