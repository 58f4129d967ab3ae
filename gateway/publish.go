package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpgate/config"
	"mcpgate/mapping"
)

// anyObject is the schema that mcp-go holds for a tool: it decodes the schema at every call of 2026-07-28, and has no
// other use for it, since ParseArguments validates. showWhole gives clients the real one.
var anyObject = json.RawMessage(`{"type":"object"}`)

// newCore returns the one MCPServer of the gateway's life. It asks for instructions when a client connects.
func newCore(cfg *config.Config, version string, filter server.ToolFilterFunc, instructions func() string) *server.MCPServer {
	hooks := &server.Hooks{}
	hooks.AddAfterInitialize(func(_ context.Context, _ any, _ *mcp.InitializeRequest, result *mcp.InitializeResult) {
		result.Instructions = instructions()
	})
	hooks.AddAfterDiscover(func(_ context.Context, _ any, _ *mcp.DiscoverRequest, result *mcp.DiscoverResult) {
		result.Instructions = instructions()
	})
	return server.NewMCPServer(cfg.Name, version,
		server.WithTitle(cfg.Name),
		server.WithHooks(hooks), // a reload may change the instructions
		server.WithToolCapabilities(true),
		server.WithToolFilter(filter),
	)
}

// publishable returns the tools that mcp-go can be handed; each other one is a problem. One bad x-mcp-header makes
// SetTools panic, and one schema that is not JSON makes tools/list answer nothing for everybody. What else a schema
// has to be, mapping.VetSchema has seen to.
func publishable(cfg *config.Config, tools []*mapping.Tool) ([]*mapping.Tool, config.Problems) {
	var good []*mapping.Tool
	var problems config.Problems
	for _, t := range tools {
		if err := fit(t); err != nil {
			path := config.Path{"upstreams", t.Upstream}
			problems = append(problems, cfg.Problem(path, fmt.Sprintf("tool %q is left out: %v", t.Name, err), ""))
			continue
		}
		good = append(good, t)
	}
	return good, problems
}

// fit reports what would bring mcp-go down.
func fit(t *mapping.Tool) error {
	if !json.Valid(t.InputSchema) {
		return errors.New("its input schema is not JSON")
	}
	if t.OutputSchema != nil && !json.Valid(t.OutputSchema) {
		return errors.New("its output schema is not JSON")
	}
	shown := shown(t)
	if err := mcp.ValidateParamHeaderAnnotations(&shown); err != nil {
		return fmt.Errorf("its input schema: %w", err)
	}
	return nil
}

// shown is the tool as clients see it.
func shown(t *mapping.Tool) mcp.Tool {
	tool := mcp.NewToolWithRawSchema(t.Name, t.Description, t.InputSchema)
	tool.RawOutputSchema = t.OutputSchema
	tool.Title = t.Title
	tool.Annotations = mcp.ToolAnnotation{
		Title:           t.Title,
		ReadOnlyHint:    &t.Annotations.ReadOnly,
		DestructiveHint: &t.Annotations.Destructive,
		IdempotentHint:  &t.Annotations.Idempotent,
		OpenWorldHint:   &t.Annotations.OpenWorld,
	}
	return tool
}

// held is the tool as mcp-go keeps it: with the whole schema only where it has to compare Mcp-Param-* headers.
func held(t *mapping.Tool) mcp.Tool {
	tool := shown(t)
	tool.RawOutputSchema = nil
	if !bytes.Contains(t.InputSchema, []byte(`"x-mcp-header"`)) {
		tool.RawInputSchema = anyObject
	}
	return tool
}

// publish hands the snapshot's tools to mcp-go in one step: clients hear of the change once. Those that are not listed
// are among them, since a client that knows a tool's name, from another list or from search_tools, may call it.
func (g *Gateway) publish(snap *snapshot) {
	tools := make([]server.ServerTool, 0, len(snap.tools)+len(snap.finders))
	for _, t := range slices.Concat(snap.tools, snap.finders) {
		tools = append(tools, server.ServerTool{Tool: held(t), Handler: g.deliver})
	}
	g.core.SetTools(tools...)
}

// showWhole is the filter through which mcp-go lists tools: it leaves out the hidden ones and puts the real schemas in.
// mcp-go asks it at a call, too, with that one tool; a list with hidden tools has the finders besides. A panic in a
// filter would leave mcp-go's lock held, so none leaves here: nothing is visible then.
func (g *Gateway) showWhole(ctx context.Context, tools []mcp.Tool) (visible []mcp.Tool) {
	defer func() {
		if r := recover(); r != nil {
			g.log.Error("panic while tools were listed", "panic", r)
		}
	}()
	snap := g.snapshot.Load()
	if len(tools) > 1 || len(snap.tools)+len(snap.finders) == 1 {
		tools = slices.DeleteFunc(tools, func(tool mcp.Tool) bool { return snap.hidden[tool.Name] || !snap.permits.allows(ctx, tool.Name) })
	}
	for i, tool := range tools {
		if t, ok := snap.byName[tool.Name]; ok {
			tools[i] = shown(t)
		} else if t := snap.finder(tool.Name); t != nil {
			tools[i] = shown(t)
		}
	}
	return tools
}
