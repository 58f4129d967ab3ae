package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/specs"
)

//go:embed init.yaml.tmpl
var initText string

var initTemplate = template.Must(template.New("gateway.yaml").Parse(initText))

// fetchTimeout bounds the download of a document that was named by its URL.
const fetchTimeout = time.Minute

// initFlags are what `init` was told besides the documents.
type initFlags struct {
	output string
	force  bool
}

func (t *terminal) initCommand() *cobra.Command {
	var flags initFlags
	cmd := &cobra.Command{
		Use:   "init SPEC...",
		Short: "Write a gateway.yaml for OpenAPI documents",
		Long: `Read OpenAPI documents (files or URLs) and write a gateway.yaml for them, with comments: an upstream for each, its base URL, the
credential that it asks for with the environment variables to set, and what becomes a tool.`,
		Example: `  mcpgate init openapi.yaml
  mcpgate init https://api.example.com/openapi.json -o gateway.yaml
  mcpgate init crm.yaml erp.json --force`,
		Args: atLeastOne("an OpenAPI document, a file or a URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.init(cmd.Context(), args, flags)
		},
	}
	cmd.Flags().StringVarP(&flags.output, "output", "o", configDefault, "the `FILE` to write, - is stdout")
	cmd.Flags().BoolVar(&flags.force, "force", false, "overwrite the file if it is there")
	return cmd
}

func (t *terminal) init(ctx context.Context, locations []string, flags initFlags) error {
	toStdout := flags.output == "-"
	if _, err := os.Stat(flags.output); err == nil && !toStdout && !flags.force {
		return usagef("%s is there already; --force overwrites it, -o FILE writes another", flags.output)
	}
	folder := filepath.Dir(flags.output)
	if toStdout {
		folder = "."
	}
	plan, err := t.planGateway(ctx, locations, folder)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := initTemplate.Execute(&text, plan); err != nil {
		return err
	}
	if toStdout {
		_, err := t.stdout.Write(text.Bytes())
		return err
	}
	if err := os.WriteFile(flags.output, text.Bytes(), 0o644); err != nil { //nolint:gosec // it names variables, and holds no secret
		return err
	}
	return t.tellWritten(ctx, flags.output, plan)
}

// gatewayPlan is what the template writes down. Strings that become YAML values are quoted already.
type gatewayPlan struct {
	Name      string
	Upstreams []*upstreamPlan
}

// planGateway reads the documents and decides what to write.
func (t *terminal) planGateway(ctx context.Context, locations []string, folder string) (*gatewayPlan, error) {
	loader := specs.Loader{Client: &http.Client{Timeout: fetchTimeout}}
	plan := &gatewayPlan{}
	taken := map[string]bool{}
	for _, location := range locations {
		document, warnings, err := loader.Load(ctx, location)
		if err != nil {
			return nil, err
		}
		if n := len(warnings); n > 0 {
			fmt.Fprintf(t.stderr, "%s: %s; `mcpgate validate` shows them\n", location, count(n, "warning"))
		}
		if len(document.Operations()) == 0 {
			return nil, fmt.Errorf("%s: the document has no operations, so there is nothing to make tools of", location)
		}
		name := unique(upstreamName(document.Title, location), taken)
		plan.Upstreams = append(plan.Upstreams, planUpstream(document, name, relativeTo(folder, location)))
	}
	plan.Name = plan.Upstreams[0].Name
	return plan, nil
}

// tellWritten loads the new file, so that what is said of it is true, and says what comes next.
func (t *terminal) tellWritten(ctx context.Context, path string, plan *gatewayPlan) error {
	cfg, err := config.Load(path, t.env)
	if err != nil {
		return fmt.Errorf("%s was written, and does not load; this is a defect of mcpgate: %w", path, err)
	}
	tools, report, err := gateway.Load(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stderr, "wrote %s: %s; %s withheld, since they write\n", path, count(len(tools), "tool"), count(withheld(report), "operation"))
	if d := report.Division; d.Found() > 0 {
		fmt.Fprintf(t.stderr, "%s; `mcpgate tools --budget` says which, and why\n", shownTokens(d))
	}
	if len(report.Problems) > 0 {
		fmt.Fprintf(t.stderr, "%s; `mcpgate validate` shows them\n", count(len(report.Problems), "problem"))
	}
	for _, upstream := range plan.Upstreams {
		for _, variable := range upstream.Needs {
			fmt.Fprintf(t.stderr, "set %s in the environment, or in %s\n", variable, filepath.Join(filepath.Dir(path), ".env"))
		}
	}
	option := ""
	if path != configDefault {
		option = " -c " + path
	}
	fmt.Fprintf(t.stderr, "next: mcpgate tools%s; mcpgate serve%s\n", option, option)
	return nil
}

// relativeTo is a document's location as a gateway.yaml in folder has to write it.
func relativeTo(folder, location string) string {
	if strings.Contains(location, "://") || filepath.IsAbs(location) {
		return location
	}
	absolute, err := filepath.Abs(location)
	if err != nil {
		return location
	}
	base, err := filepath.Abs(folder)
	if err != nil {
		return location
	}
	relative, err := filepath.Rel(base, absolute)
	if err != nil {
		return absolute
	}
	return filepath.ToSlash(relative)
}

// unique adds a number to a name that is taken.
func unique(name string, taken map[string]bool) string {
	candidate := name
	for i := 2; taken[candidate]; i++ {
		candidate = fmt.Sprintf("%s%d", name, i)
	}
	taken[candidate] = true
	return candidate
}

// quoted writes s as a YAML value that means s, whatever it holds: plain where that is safe, else as a JSON string, with $
// doubled since gateway.yaml expands it.
func quoted(s string) string {
	if plainValue(s) {
		return s
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(strings.ReplaceAll(s, "$", "$$")); err != nil {
		panic(err) // a string can be encoded
	}
	return strings.TrimSpace(out.String())
}
