package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// completeCall offers the tools' names, then the arguments of the one that was chosen.
func (t *terminal) completeCall(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return t.completeTools(cmd, args, toComplete)
	}
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	_, tools, _, err := t.loadTools(cmd.Context())
	if err != nil {
		return nil, directive // a shell shows no errors
	}
	tool, err := findTool(tools, args[0])
	if err != nil {
		return nil, directive
	}
	var schema schemaNode
	if err := json.Unmarshal(tool.InputSchema, &schema); err != nil {
		return nil, directive
	}
	var keys []string
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if strings.HasPrefix(name, toComplete) {
			keys = append(keys, name+"=")
		}
	}
	return keys, directive
}

// completeProvider offers the providers' names.
func (t *terminal) completeProvider(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	cfg, err := t.loadConfig(false)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp // a shell shows no errors
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(cfg.Providers)) {
		if strings.HasPrefix(name, toComplete) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
