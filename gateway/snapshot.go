package gateway

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"mcpgate/config"
	"mcpgate/internal/sandbox"
	"mcpgate/mapping"
	"mcpgate/specs"
)

// snapshot is everything that a call needs, compiled once and never changed.
type snapshot struct {
	tools     []*mapping.Tool
	byName    map[string]*mapping.Tool
	hidden    map[string]bool // tools that clients are not shown, but find
	finders   []*mapping.Tool // with which they do; none where nothing is hidden
	index     func() *mapping.Index
	upstreams map[string]*upstream
	pulses    map[string]*pulse // of upstreams
	permits   *permits
	lists     *catalogues
	report    Report
}

// compiled is a snapshot before anything is opened.
type compiled struct {
	tools     []*mapping.Tool
	finders   []*mapping.Tool
	permits   *permits
	documents map[string][]*specs.Document
	report    Report
}

// newSnapshot compiles cfg and opens its upstreams with opts.
func newSnapshot(ctx context.Context, cfg *config.Config, core *server.MCPServer, opts upstreamOptions) (*snapshot, error) {
	c, err := compile(ctx, cfg, 0)
	if err != nil {
		return nil, err
	}
	if len(c.tools) == 0 {
		if len(c.report.Problems) > 0 {
			return nil, c.report.Problems
		}
		return nil, errors.New("there is not one tool to serve: expose, include or describe an operation of an upstream")
	}
	s := &snapshot{
		tools:     c.tools,
		byName:    make(map[string]*mapping.Tool, len(c.tools)),
		hidden:    make(map[string]bool),
		finders:   c.finders,
		index:     sync.OnceValue(func() *mapping.Index { return mapping.NewIndex(c.tools) }),
		upstreams: make(map[string]*upstream, len(cfg.Upstreams)),
		pulses:    make(map[string]*pulse, len(cfg.Upstreams)),
		permits:   c.permits,
		lists:     newCatalogues(core, c.permits),
		report:    c.report,
	}
	for _, t := range c.tools {
		s.byName[t.Name] = t
	}
	for _, p := range c.report.Division.Placements {
		if !p.Direct {
			s.hidden[p.Tool.Name] = true
		}
	}
	for name, u := range cfg.Upstreams {
		opts := opts
		if u.Sandbox() {
			opts.Sandbox = sandbox.New(c.documents[name], toolsOf(c.tools, name))
		}
		opened, err := newUpstream(cfg, u, opts)
		if err != nil {
			return nil, err
		}
		s.upstreams[name] = opened
		s.pulses[name] = &pulse{}
	}
	return s, nil
}

// compile reads the documents of every upstream and compiles the tools. A document that can't be read is a problem,
// and the others are used; the error is ctx's. advice is the time that kin-openapi may take for its
// say on a document, 0 for none.
func compile(ctx context.Context, cfg *config.Config, advice time.Duration) (compiled, error) {
	c := compiled{documents: make(map[string][]*specs.Document)}
	client, allow, err := outboundClient(cfg)
	if err != nil {
		return compiled{}, err
	}
	defer client.CloseIdleConnections()
	c.read(ctx, cfg, specs.Loader{Dir: cfg.Dir, Client: client, Allow: allow, Advice: advice})
	if err := ctx.Err(); err != nil {
		return compiled{}, err
	}
	tools, problems := mapping.Compile(cfg, c.documents)
	good, unfit := publishable(cfg, tools)
	c.tools = good
	misplaced, err := c.divide(cfg)
	if err != nil {
		return compiled{}, err
	}
	var undecided config.Problems
	c.permits, undecided = newPermits(cfg)
	c.report.Problems = slices.Concat(c.report.Problems, problems, unfit, misplaced, undecided).Sort()
	c.report.Warnings = slices.Concat(c.report.Warnings, credentialWarnings(cfg), serverWarnings(cfg, c.documents), nameWarnings(c.tools),
		budgetWarnings(cfg, c.report.Division))
	c.report.Withheld = mapping.Withheld(cfg, c.documents)
	slices.SortStableFunc(c.report.Warnings, func(a, b specs.Warning) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return c, nil
}

// documentError writes why a document can't be read, with its place as problems have theirs.
func documentError(err error) string {
	e, ok := errors.AsType[*specs.Error](err)
	if !ok {
		return err.Error()
	}
	return config.Position{File: e.Pos.File, Line: e.Pos.Line, Column: e.Pos.Column}.String() + ": " + e.Message
}

// toolsOf returns the tools of one upstream.
func toolsOf(tools []*mapping.Tool, upstream string) []*mapping.Tool {
	var of []*mapping.Tool
	for _, t := range tools {
		if t.Upstream == upstream {
			of = append(of, t)
		}
	}
	return of
}
