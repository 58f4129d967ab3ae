package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"mcpgate/auth"
	"mcpgate/gateway"
)

// callFlags are what `call` was told besides the tool and its arguments.
type callFlags struct {
	json    string
	dryRun  bool
	sandbox bool
	verbose bool
}

func (t *terminal) callCommand() *cobra.Command {
	var flags callFlags
	cmd := &cobra.Command{
		Use:   "call NAME [key=value | key:=json]...",
		Short: "Call one tool, as a model would",
		Long: `Call one tool, as a model would, and print what the model would get.

key=value is read by the type that the tool's schema gives the argument; a key that is repeated makes a list.
key:=json takes the value as JSON, for objects and lists of them. --json takes all arguments as one JSON object, from
stdin where it says -.

Exits with 1 where the call fails; the failure is printed like a result, with "ok": false.`,
		Example: `  mcpgate call get_customer id=42
  mcpgate call create_order customer=42 'lines:=[{"item": "A1", "quantity": 2}]'
  mcpgate call create_order --json - < order.json
  mcpgate call create_order customer=42 --dry-run`,
		Args: atLeastOne("the name of a tool; `mcpgate tools` lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.call(cmd.Context(), args[0], args[1:], flags, cmd.Flags().Changed("json"))
		},
		ValidArgsFunction: t.completeCall,
	}
	cmd.Flags().StringVar(&flags.json, "json", "", "all arguments as one JSON `OBJECT`, - reads it from stdin")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "print the HTTP request instead of sending it, secrets masked")
	cmd.Flags().BoolVar(&flags.sandbox, "sandbox", false, "let the built-in sandbox answer instead of the upstream")
	cmd.Flags().BoolVarP(&flags.verbose, "verbose", "v", false, "show the log: attempts, waits, and the causes of failures")
	return cmd
}

func (t *terminal) call(ctx context.Context, name string, pairs []string, flags callFlags, asJSON bool) error {
	if asJSON && len(pairs) > 0 {
		return usagef("say the arguments as key=value or with --json, not both")
	}
	cfg, err := t.loadConfig(flags.sandbox)
	if err != nil {
		return err
	}
	options := gateway.Options{Version: programVersion()}
	if flags.verbose {
		options.Logger = t.logger(cfg)
	}
	gw, err := gateway.New(ctx, cfg, options)
	if err != nil {
		return err
	}
	defer gw.Close(ctx)
	t.printReport(gateway.Report{Problems: gw.Report().Problems}) // a call is not the place for a document's oddities
	tool, err := findTool(slices.Concat(gw.Tools(), gw.Finders()), name)
	if err != nil {
		return err
	}
	var arguments json.RawMessage
	if asJSON {
		arguments, err = t.readArguments(flags.json)
	} else {
		arguments, err = parsePairs(tool.InputSchema, pairs)
	}
	if err != nil {
		return err
	}
	if !flags.dryRun {
		return t.runTool(ctx, gw, name, arguments)
	}
	if slices.Contains(gw.Finders(), tool) {
		return usagef("%s sends nothing by itself; --dry-run takes the tool that it finds", name)
	}
	request, err := gw.DryRun(ctx, name, arguments)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(t.stdout, request)
	return err
}

// readArguments takes --json's value: an object, or - for stdin.
func (t *terminal) readArguments(value string) (json.RawMessage, error) {
	data := []byte(value)
	if value == "-" {
		var err error
		if data, err = io.ReadAll(t.stdin); err != nil {
			return nil, fmt.Errorf("reading the arguments from stdin: %w", err)
		}
	}
	data = bytes.TrimSpace(data)
	if !json.Valid(data) || !bytes.HasPrefix(data, []byte("{")) {
		return nil, usagef(`--json takes one JSON object, such as '{"id": 42}'`)
	}
	return data, nil
}

// runTool calls the tool and prints the outcome, the whole of it, on stdout.
func (t *terminal) runTool(ctx context.Context, gw *gateway.Gateway, name string, arguments json.RawMessage) error {
	outcome := gw.Call(auth.WithPrincipal(ctx, auth.Local()), name, arguments) // with the logins of `mcpgate login`, as over stdio
	if err := writeJSON(t.stdout, outcome); err != nil {
		return err
	}
	for _, media := range outcome.Media {
		fmt.Fprintf(t.stderr, "and %s of %s, which a client gets as content of its own\n", count(len(media.Data), "byte"), media.Type)
	}
	if outcome.OK {
		return nil
	}
	for _, e := range outcome.Errors {
		fmt.Fprintf(t.stderr, "mcpgate: %s: %s%s\n", e.Code, e.Message, ifAny("\n  ", e.Hint))
	}
	return errReported
}
