package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"mcpgate/auth"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
	"mcpgate/mapping"
)

const (
	// handlePurpose is what handles of pages are sealed for.
	handlePurpose = "page"
	// handleLife is how long a handle can be used.
	handleLife = time.Hour
	// maxReserve is kept of a call's time for making its answer of the pages that came.
	maxReserve = 2 * time.Second
)

// begin fills the arguments in, and opens the handle with which the caller continues a list.
func (c *call) begin(ctx context.Context, args mapping.Arguments) (*mapping.Walk, error) {
	handle, _ := args[c.tool.NextArgument()].(string)
	if handle == "" {
		return c.tool.Walk(ctx, args, nil)
	}
	from, err := c.upstream.handles.Open(handlePurpose, c.audience(ctx), handle)
	switch {
	case errors.Is(err, seal.ErrExpired):
		return nil, mapping.BadNext(c.tool, "is too old", err)
	case err != nil:
		return nil, mapping.BadNext(c.tool, "is not one that this tool gave to this caller, or the gateway was started again since", err)
	}
	return c.tool.Walk(ctx, args, from)
}

// audience is for whom a handle is good: one tool, and one caller.
func (c *call) audience(ctx context.Context) string {
	var p auth.Principal
	if caller := auth.FromContext(ctx); caller != nil {
		p = *caller
	}
	return fmt.Sprintf("%q %q %q", c.tool.Name, p.Issuer, p.Subject)
}

// handle seals where a list goes on, "" where it is at its end.
func (c *call) handle(ctx context.Context, rest []byte) (string, error) {
	if rest == nil {
		return "", nil
	}
	return c.upstream.handles.Seal(handlePurpose, c.audience(ctx), handleLife, rest)
}

// walk fetches the pages of a list. Once one is there the call does not fail any more, but for the caller's going away:
// where time is over or a page fails, the answer is made of those that came, and its next tries again.
func (c *call) walk(ctx context.Context, w *mapping.Walk) error {
	page, err := c.fetch(w.Request())
	if err != nil || !w.Add(page) {
		return err
	}
	within, cancel := c.reserved(ctx)
	defer cancel()
	for further := true; further && within.Err() == nil; {
		tell(ctx, fmt.Sprintf("asking for page %d of the list", w.Pages()+1))
		page, err := c.fetch(w.Request().WithContext(within))
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			c.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "a further page failed", slog.Int("pages", w.Pages()),
				slog.String("code", string(fault.CodeOf(err))))
			return nil
		}
		further = w.Add(page)
	}
	return nil
}

// reserved ends a little before the call does.
func (c *call) reserved(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(time.Until(deadline)/10, maxReserve)))
}

// identify says who is asking, where gateway.yaml says nothing else.
func identify(req *http.Request) {
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", userAgent)
	}
}
