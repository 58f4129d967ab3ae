package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"mcpgate/auth"
	"mcpgate/auth/credential"
	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// userAgent is what an upstream sees where gateway.yaml says nothing else.
const userAgent = "mcpgate"

// maxAnswer bounds an answer where response.max_bytes says nothing.
const maxAnswer = 10 << 20

// errCallTimeout is the cause of a context that server.call_timeout ended.
var errCallTimeout = errors.New("the call took too long")

// call is one call of one tool, from arguments to result.
type call struct {
	id       string
	upstream *upstream
	tool     *mapping.Tool
	log      *slog.Logger
	attempts int    // requests that went out
	next     string // continues the list that was answered

	authorized *http.Request // the last one that went out, with its credential
	renewal    bool          // a new token was asked for already
}

// call runs a tool of this upstream. It never returns nil, and never panics.
func (u *upstream) call(ctx context.Context, tool *mapping.Tool, raw json.RawMessage) *Outcome {
	start := time.Now()
	c := &call{id: newCallID(), upstream: u, tool: tool}
	c.log = u.log.With(slog.String("call", c.id), slog.String("tool", tool.Name), slog.String("upstream", u.name))
	result, err := c.bounded(ctx, raw)
	var outcome *Outcome
	if err != nil {
		outcome = failure(err, c.id)
	} else {
		outcome = success(result, c.next)
	}
	outcome.Sandbox = u.sandbox
	outcome.mask(u.secrets)
	c.maskAuthorized(outcome)
	c.report(ctx, outcome, err, time.Since(start))
	return outcome
}

// bounded runs the call within its deadline, and turns a panic into an error.
func (c *call) bounded(ctx context.Context, raw json.RawMessage) (result mapping.Result, err error) {
	u := c.upstream
	if u.callTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, u.callTimeout, errCallTimeout)
		defer cancel()
	}
	defer func() {
		if p := recover(); p != nil {
			result, err = mapping.Result{}, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	result, err = c.run(ctx, raw)
	if _, isFault := errors.AsType[*fault.Fault](err); err != nil && !isFault && ctx.Err() != nil {
		err = ended(ctx, u.name, u.callTimeout, err)
	}
	return result, err
}

// run is the way of a call: arguments, requests, answers, result.
func (c *call) run(ctx context.Context, raw json.RawMessage) (mapping.Result, error) {
	args, err := c.tool.ParseArguments(raw)
	if err != nil {
		return mapping.Result{}, err
	}
	if err := c.fillToken(ctx, c.tool, args); err != nil {
		return mapping.Result{}, err
	}
	w, err := c.begin(ctx, args)
	if err != nil {
		return mapping.Result{}, err
	}
	if err := c.walk(ctx, w); err != nil {
		return mapping.Result{}, err
	}
	result, err := w.Result(ctx)
	if err == nil {
		c.next, err = c.handle(ctx, result.Rest)
		result = c.reread(ctx, args, result)
	}
	return result, err
}

// noTool is the fault of a name that is none.
func noTool(name string) *fault.Fault {
	return fault.New(fault.Input, fmt.Sprintf("there is no tool %q", name), nil)
}

// fetch sends a request until it is answered or has failed, and reads the answer. Where the upstream refuses the caller's
// own token, one call gets a new one, once.
func (c *call) fetch(req *http.Request) (mapping.Page, error) {
	page, err := c.attempt(req)
	renewed, failed := c.renewed(req.Context(), err)
	switch {
	case failed != nil:
		return mapping.Page{}, failed
	case renewed: // a refused request was not carried out: it may go once more, whatever its method
		repeated, err := again(req)
		if err != nil {
			return mapping.Page{}, err
		}
		page, err = c.attempt(repeated)
		return page, c.refused(err)
	}
	return page, c.refused(err)
}

// attempt sends a request, with the retries that the policy allows.
func (c *call) attempt(req *http.Request) (mapping.Page, error) {
	if err := c.upstream.checkHost(req.URL); err != nil {
		return mapping.Page{}, err
	}
	r := &retrier{
		policy: c.upstream.retry, upstream: c.upstream.name, timeout: c.tool.Timeout,
		repeatable: c.tool.Idempotent || c.upstream.retry.unsafe, told: c.tool.TellsOf,
	}
	identify(req)
	resp, err := r.send(req, c.transport())
	if err != nil {
		return mapping.Page{}, err
	}
	defer resp.Body.Close()
	page, err := c.tool.ReadPage(resp)
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		r.judge(f, resp)
	}
	return page, err
}

// transport is what each attempt of the call goes through, the outermost first; the retries stand around it. The order
// is this because
//   - every attempt, and every hop of a redirect, takes a slot and a token, and a fresh credential;
//   - waiting for a slot does not count as the upstream's time, so throttle stands outside of attempt's timeout;
//   - a slot is held until the answer is read, so attempt, which reads it, stands inside of throttle;
//   - a redirect to another host takes the way without the credential;
//   - trace sees what goes out and nothing else does: it is the innermost.
func (c *call) transport() http.RoundTripper {
	u := c.upstream
	layers := func(source credential.Source, base http.RoundTripper) http.RoundTripper {
		base = &traced{log: c.log, path: c.tool.Path, attempts: &c.attempts, next: base}
		if source != nil {
			base = credential.Transport(source, &authorized{c, base})
		}
		base = &attempt{timeout: c.tool.Timeout, maxBytes: cmp.Or(c.tool.MaxBytes, maxAnswer), next: base}
		if u.throttle != nil {
			base = &throttled{throttle: u.throttle, next: base}
		}
		return base
	}
	return &redirects{
		upstream: u.name, own: layers(u.source, u.base), other: layers(nil, u.other), allowed: u.allowsRedirect,
	}
}

// report writes the call's line into the log. A cause is seen here and nowhere else.
func (c *call) report(ctx context.Context, outcome *Outcome, err error, took time.Duration) {
	level := slog.LevelInfo
	line := []slog.Attr{
		slog.Bool("ok", outcome.OK), slog.Int("status", outcome.StatusCode), slog.Int("attempts", c.attempts),
		slog.Duration("duration", took),
	}
	if p := auth.FromContext(ctx); p != nil {
		line = append(line, slog.String("caller", p.Subject))
	}
	if err != nil {
		f := fault.From(err)
		switch {
		case fault.Internal.Contains(f.Code):
			level = slog.LevelError
		case fault.Configuration.Contains(f.Code), fault.CredentialsInvalid.Contains(f.Code):
			level = slog.LevelWarn
		}
		line = append(line, slog.String("code", string(f.Code)), slog.String("message", f.Message))
		if f.Cause != nil {
			line = append(line, slog.String("cause", f.Cause.Error()))
		}
	}
	c.log.LogAttrs(context.WithoutCancel(ctx), level, "call", line...)
}
