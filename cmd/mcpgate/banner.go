package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/specs"
)

// printBanner says on stderr what a newcomer needs: what is served, what is not and why, and what to do with it.
func (t *terminal) printBanner(cfg *config.Config, gw *gateway.Gateway, log *slog.Logger) {
	endpoint := strings.TrimSuffix(cfg.Server.PublicURL, "/") + "/" + strings.Trim(cfg.Server.Path, "/")
	if cfg.Telemetry.Log.Format == "json" { // asked for in so many words: a program reads this
		logServed(cfg, gw, log, endpoint)
		return
	}
	t.printServed(cfg, gw)
	name := notInClientName.ReplaceAllString(cfg.Name, "-")
	key, headers := "", ""
	if cfg.Auth.Mode == "api_key" {
		key, headers = ` --header "Authorization: Bearer $KEY"`, `, "headers": {"Authorization": "Bearer KEY"}`
	}
	fmt.Fprintf(t.stderr, `
  MCP is at %s
  %s

  Claude Code:   claude mcp add --transport http %s %s%s
  VS Code:       code --add-mcp '{"name": %q, "type": "http", "url": %q%s}'
  by hand:       %s call NAME key=value
  other clients: docs/clients.md

`, endpoint, reach(cfg), name, endpoint, key, name, endpoint, headers, programName())
}

// notInClientName is what a shell or a client would stumble over in a server's name.
var notInClientName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// reach says who may call.
func reach(cfg *config.Config) string {
	switch {
	case cfg.Open():
		return "OPEN: whoever reaches " + cfg.Server.Listen + " may call every tool (--insecure)"
	case cfg.Auth.Mode == "none":
		return "for programs on this machine alone, since nobody is asked for a key (auth.mode: none)"
	case cfg.Auth.Mode == "oauth":
		return "for people who log in at " + cfg.Auth.OAuth.Provider + " (auth.mode: oauth), at " + cfg.Server.Listen +
			"\n  " + cfg.Auth.OAuth.Provider + " has to know the redirect URI " + redirectURI(cfg)
	case cfg.Auth.Mode == "jwt":
		return "for callers who show a token of " + cmp.Or(cfg.Auth.JWT.Issuer, "the issuer") + " (auth.mode: jwt), at " + cfg.Server.Listen
	default:
		return "for callers who show a key (auth.mode: " + cfg.Auth.Mode + "), at " + cfg.Server.Listen
	}
}

// redirectURI is where the provider sends people back to.
func redirectURI(cfg *config.Config) string {
	return strings.TrimSuffix(cfg.Server.PublicURL, "/") + cfg.Auth.OAuth.RedirectPath
}

// programName is how the person started the program.
func programName() string {
	if path, err := os.Executable(); err == nil && strings.Contains(filepath.ToSlash(path), "/go-build") {
		return "go run ./cmd/mcpgate"
	}
	return "mcpgate"
}

// logServed is the banner for programs.
func logServed(cfg *config.Config, gw *gateway.Gateway, log *slog.Logger, endpoint string) {
	report := gw.Report()
	sandboxes := []string{}
	for _, name := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		if cfg.Upstreams[name].Sandbox() {
			sandboxes = append(sandboxes, name)
		}
	}
	log.Info("serving", "name", cfg.Name, "version", programVersion(), "url", endpoint,
		"tools", len(gw.Tools()), "upstreams", len(cfg.Upstreams), "sandboxes", sandboxes,
		"found", report.Division.Found(), "withheld", withheld(report), "problems", len(report.Problems), "warnings", len(report.Warnings))
	if cfg.Auth.Mode == "oauth" {
		log.Info("people log in", "provider", cfg.Auth.OAuth.Provider, "redirect_uri", redirectURI(cfg))
	}
	for _, problem := range report.Problems {
		log.Warn("lost while loading", "problem", problem.String())
	}
}

// printStdioBanner says the same to who reads the log of a client that started the program.
func (t *terminal) printStdioBanner(cfg *config.Config, gw *gateway.Gateway, log *slog.Logger) {
	if cfg.Telemetry.Log.Format == "json" {
		logServed(cfg, gw, log, "stdio:")
		return
	}
	t.printServed(cfg, gw)
	fmt.Fprintln(t.stderr, "  MCP is on stdin and stdout; what you read here is stderr")
}

// maxWarnings are shown at start; there may be hundreds in a long document.
const maxWarnings = 3

// printServed lists the upstreams with their tools, and what is withheld.
func (t *terminal) printServed(cfg *config.Config, gw *gateway.Gateway) {
	tools, report := gw.Tools(), gw.Report()
	perUpstream := map[string]int{}
	for _, tool := range tools {
		perUpstream[tool.Upstream]++
	}
	if problems := report.Problems; len(problems) > 0 {
		fmt.Fprintf(t.stderr, "%s\n\n", problems.Error())
	}
	fmt.Fprintf(t.stderr, "mcpgate %s serves %s from %s (%s)\n\n", programVersion(), count(len(tools), "tool"),
		count(len(cfg.Upstreams), "upstream"), t.configPath())

	table := tabwriter.NewWriter(t.stderr, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(cfg.Upstreams)) {
		upstream := cfg.Upstreams[name]
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", name, count(perUpstream[name], "tool"),
			cmp.Or(strings.Join(shortened(upstream.Spec), ", "), "no document"), destination(upstream))
	}
	_ = table.Flush() // to stderr: there is nobody to tell
	var notes []string
	if n := withheld(report); n > 0 {
		notes = append(notes, count(n, "operation")+" withheld, since expose and exclude say so; `include:` or `expose: all` shows them")
	}
	if d := report.Division; d.Found() > 0 || d.Over() {
		notes = append(notes, shownTokens(d)+"; `mcpgate tools --budget` says which, and why")
	}
	if n := len(report.Problems); n > 0 {
		notes = append(notes, count(n, "problem")+" cost a tool or a document each, see above")
	}
	if n := len(report.Warnings); n > maxWarnings {
		notes = append(notes, count(n, "warning")+"; `mcpgate validate` shows them")
	} else {
		for _, warning := range report.Warnings {
			notes = append(notes, warningLine(warning))
		}
	}
	if len(notes) > 0 {
		fmt.Fprintf(t.stderr, "\n  %s\n", strings.Join(notes, "\n  "))
	}
}

// destination is who answers for an upstream.
func destination(upstream *config.Upstream) string {
	switch {
	case upstream.Sandbox():
		return "SANDBOX: made-up answers, nothing leaves this machine"
	case upstream.BaseURL != "":
		return upstream.BaseURL
	default:
		return "the document's server"
	}
}

// shortened writes files as they are seen from the working directory, and URLs without the credentials in them.
func shortened(locations []string) []string {
	short := make([]string, len(locations))
	for i, location := range locations {
		short[i] = specs.ShownLocation(location)
		if !strings.Contains(location, "://") {
			short[i] = config.Position{File: location}.String()
		}
	}
	return short
}
