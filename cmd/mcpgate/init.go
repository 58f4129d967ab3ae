package main

import "github.com/spf13/cobra"

func (t *terminal) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init SPEC...",
		Short: "Write a gateway.yaml for OpenAPI documents",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(*cobra.Command, []string) error {
			return usagef("not built")
		},
	}
}
