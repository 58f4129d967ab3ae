// Command mcpgate turns any HTTP API into MCP tools from a file.
//
// It talks to the person at the terminal and wires the packages together; how anything works is theirs. What a command
// found out goes to stdout, what people should know to stderr. It exits with 0, with 1 where something failed, and with
// 2 where the command line or gateway.yaml is wrong.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from the first signal on the usual rule holds again: the second one kills
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// run is the program without the process around it: it returns the exit code. ctx ends with the first signal.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) (string, bool)) int {
	t := &terminal{stdin: stdin, stdout: stdout, stderr: stderr, env: env}
	root := t.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return t.exitCode(root.ExecuteContext(ctx))
}
