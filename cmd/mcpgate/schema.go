package main

import (
	"github.com/spf13/cobra"

	"mcpgate/config"
)

func (t *terminal) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of gateway.yaml",
		Long: `Print the JSON Schema (draft 2020-12) of gateway.yaml, with which editors complete and check it.

Name it in the first line of gateway.yaml, or in the editor's settings:
  # yaml-language-server: $schema=gateway.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := t.stdout.Write(config.Schema())
			return err
		},
	}
}
