package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mcpgate/gateway"
	"mcpgate/specs"
)

func (t *terminal) validateCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Say everything that is wrong with gateway.yaml and its documents",
		Long: `Read gateway.yaml and every document that it names, compile the tools, and print every problem at once.

A problem keeps something from being served and makes the command exit with 2. A warning is something odd in a
document that was read all the same, or an empty credential in gateway.yaml; advice is what kin-openapi's validation says
of a document. --strict makes both count as problems.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, tools, report, err := t.loadWith(cmd.Context(), gateway.Validate)
			if err != nil {
				return err
			}
			for _, w := range report.Warnings {
				fmt.Fprintln(t.stderr, warningLine(w))
			}
			if len(report.Problems) > 0 {
				fmt.Fprintln(t.stderr, report.Problems.Error())
			}
			for _, p := range cfg.HTTPProblems() {
				fmt.Fprintf(t.stderr, "good for stdio alone: %s\n", p.String())
			}
			advice := 0
			for _, w := range report.Warnings {
				if w.Kind == specs.Advice {
					advice++
				}
			}
			summary := fmt.Sprintf("%s: %s from %s, %s, %s", t.configPath(), count(len(tools), "tool"),
				count(len(cfg.Upstreams), "upstream"), count(len(report.Problems), "problem"), count(len(report.Warnings)-advice, "warning"))
			if advice > 0 {
				summary += fmt.Sprintf(", %d of advice", advice)
			}
			if len(report.Problems) > 0 || strict && len(report.Warnings) > 0 {
				fmt.Fprintln(t.stderr, summary)
				return usageError{errReported}
			}
			_, err = fmt.Fprintln(t.stdout, summary)
			return err
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "let warnings and advice count as problems")
	return cmd
}
