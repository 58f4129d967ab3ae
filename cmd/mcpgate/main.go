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
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The second one kills, as is usual: by the
// time that anybody sees the context end, it is the system's to answer. signal.NotifyContext gives it back too late.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
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
