package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line or gateway.yaml is wrong: trying again will not help
)

// terminal is what the commands have of the process that they run in.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)

	configFlag string // -c
	running    bool   // the command line was understood, and the command itself has begun
}

// usageError is the fault of who typed the command or wrote gateway.yaml.
type usageError struct{ error }

// Unwrap returns the error within.
func (e usageError) Unwrap() error { return e.error }

// usagef returns a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// atLeastOne demands an argument, and says what it is where it is missing.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s needs %s", cmd.Name(), what)
		}
		return nil
	}
}

// errReported is a failure that the command has told about already.
var errReported = errors.New("reported")

const rootHelp = `mcpgate turns any HTTP API into MCP tools from a file: gateway.yaml and the OpenAPI documents that it names.

  mcpgate init openapi.yaml    write a gateway.yaml for a document
  mcpgate validate             say everything that is wrong with it
  mcpgate tools                list the tools that come out
  mcpgate call NAME key=value  call one of them, as a model would
  mcpgate serve                serve them to MCP clients`

func (t *terminal) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "mcpgate",
		Short:         "MCP tools for any HTTP API, from a file",
		Long:          rootHelp,
		SilenceErrors: true, // exitCode prints them, once
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringVarP(&t.configFlag, "config", "c", "",
		"the configuration `FILE` (default: $"+configVariable+", else ./"+configDefault+")")
	root.AddCommand(
		t.serveCommand(), t.validateCommand(), t.toolsCommand(), t.callCommand(), t.initCommand(),
		t.loginCommand(), t.logoutCommand(), t.authCommand(), t.schemaCommand(), t.versionCommand(), t.healthCommand(),
	)
	t.noteAll(root)
	return root
}

// noteAll makes every command below a command say that it has begun.
func (t *terminal) noteAll(parent *cobra.Command) {
	for _, command := range parent.Commands() {
		if command.RunE != nil {
			command.RunE = t.noteRunning(command.RunE)
		}
		t.noteAll(command)
	}
}

// noteRunning makes a command say that it has begun: what fails before that is the command line.
func (t *terminal) noteRunning(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		t.running = true
		return run(cmd, args)
	}
}

// exitCode reports err on stderr and returns the code to exit with.
func (t *terminal) exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	problems, isProblems := errors.AsType[config.Problems](err)
	failed, isFault := errors.AsType[*fault.Fault](err)
	switch {
	case errors.Is(err, errReported):
	case isProblems:
		fmt.Fprintln(t.stderr, problems.Error())
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(t.stderr, "mcpgate: interrupted")
	case isFault:
		fmt.Fprintf(t.stderr, "mcpgate: %s: %s%s\n", failed.Code, failed.Message, ifAny("\n  ", failed.Hint))
	default:
		fmt.Fprintln(t.stderr, "mcpgate:", err)
	}
	_, isUsage := errors.AsType[usageError](err)
	switch {
	case !t.running: // cobra did not understand the command line
		fmt.Fprintln(t.stderr, "mcpgate --help lists the commands, mcpgate COMMAND --help explains one")
		return exitUsage
	case isProblems, isUsage:
		return exitUsage
	default:
		return exitFailed
	}
}
