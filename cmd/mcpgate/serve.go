package main

import (
	"context"
	"errors"
	"net"

	"github.com/spf13/cobra"

	"mcpgate/config"
	"mcpgate/gateway"
)

// serveFlags are what `serve` was told beside gateway.yaml.
type serveFlags struct {
	stdio    bool
	sandbox  bool
	listen   string
	insecure bool
}

func (t *terminal) serveCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the tools to MCP clients",
		Long: `Serve the tools to MCP clients: over streamable HTTP, or with --stdio to the one client that started the program.

SIGINT or SIGTERM stops it: /readyz fails, no new call is taken, and calls under way get server.shutdown_grace to end.
A second signal stops it at once.`,
		Example: `  mcpgate serve
  mcpgate serve --sandbox                    no upstream is asked: the documents answer
  mcpgate serve --listen 127.0.0.1:9000
  mcpgate serve -c /etc/mcpgate/gateway.yaml --stdio`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.stdio {
				return t.serveStdio(cmd.Context(), flags)
			}
			return t.serveHTTP(cmd.Context(), flags)
		},
	}
	cmd.Flags().BoolVar(&flags.stdio, "stdio", false, "speak MCP over stdin and stdout, to the client that started the program")
	cmd.Flags().BoolVar(&flags.sandbox, "sandbox", false, "let the built-in sandbox answer in the place of every upstream")
	cmd.Flags().StringVar(&flags.listen, "listen", "", "listen at `HOST:PORT` instead of server.listen")
	cmd.Flags().BoolVar(&flags.insecure, "insecure", false,
		"with auth.mode none, listen where others can reach it: whoever does may call every tool")
	cmd.MarkFlagsMutuallyExclusive("stdio", "listen")
	cmd.MarkFlagsMutuallyExclusive("stdio", "insecure")
	return cmd
}

// serveConfig is gateway.yaml with what the command line says instead.
func (t *terminal) serveConfig(flags serveFlags) (*config.Config, error) {
	cfg, err := t.loadConfig(flags.sandbox)
	if err != nil {
		return nil, err
	}
	if flags.listen != "" {
		if _, _, err := net.SplitHostPort(flags.listen); err != nil {
			return nil, usagef("--listen takes HOST:PORT, such as 127.0.0.1:9000 or :9000, not %q", flags.listen)
		}
		cfg.Server.Relisten(flags.listen)
	}
	return cfg, nil
}

func (t *terminal) serveStdio(ctx context.Context, flags serveFlags) error {
	cfg, err := t.serveConfig(flags)
	if err != nil {
		return err
	}
	log := t.logger(cfg)
	gw, err := gateway.New(ctx, cfg, gateway.Options{Logger: log, Version: programVersion()})
	if err != nil {
		return err
	}
	t.printStdioBanner(cfg, gw, log)
	serveErr := gw.ServeStdio(ctx, t.stdin, t.stdout)
	if ctx.Err() != nil {
		serveErr = nil // a signal ended it, as it should
	}
	expiry, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace(cfg))
	defer cancel()
	return errors.Join(serveErr, gw.Close(expiry))
}

func (t *terminal) serveHTTP(ctx context.Context, flags serveFlags) error {
	cfg, err := t.serveConfig(flags)
	if err != nil {
		return err
	}
	if problems := cfg.HTTPProblems(); len(problems) > 0 {
		return problems
	}
	if err := refuseOpen(cfg, flags.insecure); err != nil {
		return err
	}
	log := t.logger(cfg)
	doors, err := openDoors(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer doors.close()
	gw, err := gateway.New(ctx, cfg, gateway.Options{Logger: log, Version: programVersion()})
	if err != nil {
		return err
	}
	t.printBanner(cfg, gw, log)
	return doors.serve(ctx, cfg, gw, log)
}
