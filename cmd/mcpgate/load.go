package main

import (
	"context"
	"fmt"

	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/mapping"
	"mcpgate/specs"
)

const (
	configVariable = "MCPGATE_CONFIG"
	configDefault  = "gateway.yaml"
)

// configPath is where gateway.yaml is: -c, else the environment's, else the one in the working directory.
func (t *terminal) configPath() string {
	if t.configFlag != "" {
		return t.configFlag
	}
	if path, ok := t.env(configVariable); ok && path != "" {
		return path
	}
	return configDefault
}

// loadConfig reads gateway.yaml, or its sandbox. The error is a config.Problems.
func (t *terminal) loadConfig(sandbox bool) (*config.Config, error) {
	if sandbox {
		return config.LoadSandbox(t.configPath(), t.env)
	}
	return config.Load(t.configPath(), t.env)
}

// loadTools reads gateway.yaml and its documents and compiles the tools, without serving anything.
func (t *terminal) loadTools(ctx context.Context) (*config.Config, []*mapping.Tool, gateway.Report, error) {
	return t.loadWith(ctx, gateway.Load)
}

type loadFunc func(context.Context, *config.Config) ([]*mapping.Tool, gateway.Report, error)

// loadWith is loadTools with another way to read the documents: gateway.Validate.
func (t *terminal) loadWith(ctx context.Context, load loadFunc) (*config.Config, []*mapping.Tool, gateway.Report, error) {
	cfg, err := t.loadConfig(false)
	if err != nil {
		return nil, nil, gateway.Report{}, err
	}
	tools, report, err := load(ctx, cfg)
	return cfg, tools, report, err
}

// printReport tells on stderr what loading lost, and how many warnings there are besides.
func (t *terminal) printReport(report gateway.Report) {
	if len(report.Problems) > 0 {
		fmt.Fprintln(t.stderr, report.Problems.Error())
	}
	if n := len(report.Warnings); n > 0 {
		fmt.Fprintf(t.stderr, "%s; `mcpgate validate` shows them\n", count(n, "warning"))
	}
}

// withheld counts the operations that expose and exclude keep back.
func withheld(report gateway.Report) int {
	sum := 0
	for _, n := range report.Withheld {
		sum += n
	}
	return sum
}

// warningLine is a warning with its place: file, line and column, and the JSON pointer.
func warningLine(w specs.Warning) string {
	kind := "warning: "
	if w.Kind == specs.Advice {
		kind = "advice: "
	}
	line := kind + w.Message
	if w.Pos.Pointer != "" && w.Pos.Pointer != "#" {
		line += " (" + w.Pos.Pointer + ")"
	}
	if place := (config.Position{File: w.Pos.File, Line: w.Pos.Line, Column: w.Pos.Column}).String(); place != "" {
		line = place + ": " + line
	}
	return line
}

// count writes a number with its noun: 1 tool, 2 tools.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
