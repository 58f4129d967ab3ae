package gateway

import (
	"context"
	"log/slog"

	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// reread reads the record that a call has written, where gateway.yaml says so (fetch). It goes the way of every request,
// within the same deadline. A failure does not make one of the call: the record is written, and the result says both.
func (c *call) reread(ctx context.Context, args mapping.Arguments, written mapping.Result) mapping.Result {
	tool, arguments := c.tool.Reread(args, written)
	if tool == nil {
		return written
	}
	read := &call{id: c.id, upstream: c.upstream, tool: tool, log: c.log}
	result, err := read.once(ctx, arguments)
	c.attempts += read.attempts
	if err != nil {
		c.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "the record was written, and could not be read then",
			slog.String("code", string(fault.CodeOf(err))))
		return mapping.Unread(written, err)
	}
	result.Status = written.Status // of what the call was for
	return result
}

// once sends one request, and shapes its answer.
func (c *call) once(ctx context.Context, args mapping.Arguments) (mapping.Result, error) {
	if err := c.fillToken(ctx, c.tool, args); err != nil {
		return mapping.Result{}, err
	}
	req, err := c.tool.NewRequest(ctx, args)
	if err != nil {
		return mapping.Result{}, err
	}
	page, err := c.fetch(req)
	if err != nil {
		return mapping.Result{}, err
	}
	return c.tool.Shape(ctx, []mapping.Page{page})
}
