// Package gateway runs tool calls and serves them over MCP. It knows nothing of yaml.v3, kin-openapi or gojq, holds no
// key material, and never talks to a terminal.
package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
	"mcpgate/mapping"
	"mcpgate/specs"
)

// Options are what New can do without.
type Options struct {
	Logger  *slog.Logger // nil discards
	Version string       // shown to clients and at /health
	Now     func() time.Time
}

// Gateway is a running gateway. It is safe for concurrent use.
type Gateway struct {
	cfg     *config.Config
	log     *slog.Logger
	now     func() time.Time
	version string
	started time.Time

	core   *server.MCPServer // mcp-go; one for life
	public http.Handler
	admin  http.Handler

	// stopping is done once Close is called: a lifetime, not any call's context. What has no end of its own follows it.
	stopping context.Context
	stop     context.CancelFunc
	drain    *drain
	access   *access
	logins   *Logins // nil where nobody logs in
	running  sync.WaitGroup

	// snapshot is what the documents and gateway.yaml were compiled to. A call reads the pointer once.
	snapshot atomic.Pointer[snapshot]
}

// Report is what loading found out besides the tools.
type Report struct {
	Problems config.Problems  // an operation or document lost each, and what is wrong in gateway.yaml
	Warnings []specs.Warning  // what is odd in documents, and in gateway.yaml
	Withheld map[string]int   // per upstream: operations that expose and exclude keep back
	Division mapping.Division // which tools clients are shown, and which a model finds
}

// Load reads the documents that cfg names and compiles the tools, without opening anything but the documents.
func Load(ctx context.Context, cfg *config.Config) ([]*mapping.Tool, Report, error) {
	c, err := compile(ctx, cfg, 0)
	if err != nil {
		return nil, Report{}, err
	}
	return c.tools, c.report, nil
}

// adviceTime bounds the advice on one document; GitHub's takes 5 s.
const adviceTime = 20 * time.Second

// Validate is Load with kin-openapi's advice among the warnings, which takes longer than loading.
func Validate(ctx context.Context, cfg *config.Config) ([]*mapping.Tool, Report, error) {
	c, err := compile(ctx, cfg, adviceTime)
	if err != nil {
		return nil, Report{}, err
	}
	return c.tools, c.report, nil
}

// New loads everything and returns a gateway that is ready to serve. One bad document does not keep the others out:
// it is in Report. The error is for what leaves nothing to serve.
func New(ctx context.Context, cfg *config.Config, opts Options) (*Gateway, error) {
	g := &Gateway{
		cfg:     cfg,
		log:     cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)),
		now:     opts.Now,
		version: cmp.Or(opts.Version, "dev"),
	}
	if g.now == nil {
		g.now = time.Now
	}
	g.started = g.now()
	g.drain = newDrain()
	g.stopping, g.stop = context.WithCancel(context.Background())
	g.core = newCore(cfg, g.version, g.showWhole, func() string { return g.snapshot.Load().instructions(cfg.Instructions) })
	if err := g.open(ctx, opts); err != nil {
		g.stop()
		g.running.Wait()
		if g.logins != nil {
			err = errors.Join(err, g.logins.Close(ctx))
		}
		return nil, err
	}
	return g, nil
}

// open does the parts of New that can fail.
func (g *Gateway) open(ctx context.Context, opts Options) (err error) {
	upstreams := upstreamOptions{Logger: g.log, Now: opts.Now}
	if NeedsLogins(g.cfg) {
		if g.logins, err = OpenLogins(ctx, g.cfg, LoginOptions{Logger: g.log, Now: opts.Now}); err != nil {
			return err
		}
		upstreams.Handles, upstreams.Grants = g.logins.Ring, g.logins.Grants
	} else {
		upstreams.Handles = seal.NewRing(g.cfg.Key.Reveal())
		upstreams.Handles.Now = g.now
	}
	if g.access, err = newAccess(g.cfg, g.logins, opts); err != nil {
		return err
	}
	if g.access.issuer != nil {
		g.running.Go(func() { g.access.issuer.Run(g.stopping) })
	}
	if g.public, err = g.newHandler(); err != nil {
		return err
	}
	if g.admin, err = g.newAdminHandler(); err != nil {
		return err
	}
	snap, err := newSnapshot(ctx, g.cfg, g.core, upstreams)
	if err != nil {
		return err
	}
	g.snapshot.Store(snap)
	g.publish(snap)
	return nil
}

// Report returns what loading found.
func (g *Gateway) Report() Report { return g.snapshot.Load().report }

// Tools returns the tools, sorted by name.
func (g *Gateway) Tools() []*mapping.Tool { return g.snapshot.Load().tools }

// Finders returns the tools with which a model finds those that it is not shown; none where it is shown all.
func (g *Gateway) Finders() []*mapping.Tool { return g.snapshot.Load().finders }

// Handler serves MCP, the health paths and the status page.
func (g *Gateway) Handler() http.Handler { return g.public }

// HealthHandler serves the health paths alone.
func (g *Gateway) HealthHandler() http.Handler {
	mux := http.NewServeMux()
	g.routeHealth(mux)
	mux.HandleFunc("/", notFound)
	return g.recovered(mux)
}

// AdminHandler serves /debug and the console.
func (g *Gateway) AdminHandler() http.Handler { return g.admin }

// Call runs one tool, as an MCP client's call would, and returns the result in the shape that faults.md describes. It
// never returns nil.
func (g *Gateway) Call(ctx context.Context, tool string, arguments json.RawMessage) *Outcome {
	snap := g.snapshot.Load()
	t, finder := snap.byName[tool], snap.finder(tool)
	if t == nil && finder == nil {
		return failure(noTool(tool), "")
	}
	ctx, end, err := g.drain.begin(ctx)
	if err != nil {
		return failure(err, newCallID())
	}
	defer end()
	if finder != nil {
		return g.find(ctx, snap, finder, arguments)
	}
	return g.run(ctx, snap, t, arguments)
}

// run calls a tool, whether by its own name or through call_tool.
func (g *Gateway) run(ctx context.Context, snap *snapshot, t *mapping.Tool, arguments json.RawMessage) *Outcome {
	if err := snap.permits.check(ctx, t.Name); err != nil {
		return g.forbidden(ctx, t, err)
	}
	outcome := snap.upstreams[t.Upstream].call(ctx, t, arguments)
	snap.pulses[t.Upstream].beat(outcome)
	outcome.Tool = t.Name
	return outcome
}

// forbidden is the outcome of a call that the caller may not make. It is told and logged as any other.
func (g *Gateway) forbidden(ctx context.Context, t *mapping.Tool, err error) *Outcome {
	id := newCallID()
	line := []slog.Attr{slog.String("call", id), slog.String("tool", t.Name), slog.String("upstream", t.Upstream), slog.Bool("ok", false),
		slog.String("code", string(fault.CodeOf(err))), slog.String("message", err.Error())}
	if p := auth.FromContext(ctx); p != nil {
		line = append(line, slog.String("caller", p.Subject))
	}
	g.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "call", line...)
	outcome := failure(err, id)
	outcome.Tool = t.Name
	return outcome
}

// Close stops the gateway: /readyz fails from then on, no call is taken any more, and listens end. Then it waits for the
// calls under way. Where ctx is done before they are, it cancels them and returns ctx's error. HTTP servers are closed
// after it: they would wait for listens.
func (g *Gateway) Close(ctx context.Context) error {
	g.stop()
	err := g.drain.close(ctx)
	for _, u := range g.snapshot.Load().upstreams {
		u.close()
	}
	if g.logins != nil {
		err = errors.Join(err, g.logins.Close(ctx))
	}
	g.running.Wait()
	return err
}
