package gateway

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// progressEvery is the time between two progress notifications of a call: often enough for a client's timer that
// progress restarts, and for a load balancer that drops what is silent.
const progressEvery = 2 * time.Second

// settleTime is what mcp-go needs to write the last notification: it loses one that is sent right before the handler
// returns.
const settleTime = time.Millisecond

type progressKey struct{}

// tell says to whoever follows the call that ctx belongs to how it goes. Nobody may: like net/http/httptrace it only
// tells, and nothing depends on it.
func tell(ctx context.Context, message string) {
	if notify, ok := ctx.Value(progressKey{}).(func(string)); ok {
		notify(message)
	}
}

// reportProgress tells a client that asked for it (progressToken) how long its call has been running, and what the call
// tells through the context that comes back, until stop is called. Progress counts seconds; it has to grow, so no two
// say the same.
func (g *Gateway) reportProgress(ctx context.Context, req mcp.CallToolRequest) (_ context.Context, stop func()) {
	session := server.ClientSessionFromContext(ctx)
	if req.Params.Meta == nil || req.Params.Meta.ProgressToken == nil || session == nil {
		return ctx, func() {}
	}
	var mu sync.Mutex // the call tells, and so does the clock; mcp-go only queues what is sent
	started, last := time.Now(), -1.0
	notify := func(message string) {
		mu.Lock()
		defer mu.Unlock()
		last = max(math.Floor(time.Since(started).Seconds()*1000)/1000, last+0.001)
		// A client that reads too slowly loses progress, never the result.
		_ = g.core.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
			"progressToken": req.Params.Meta.ProgressToken,
			"progress":      last,
			"message":       message,
		})
	}
	notify("started")

	done := make(chan struct{})
	var reporter sync.WaitGroup
	reporter.Go(func() {
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				notify(fmt.Sprintf("waiting for an answer (%d s)", int(time.Since(started).Seconds())))
			case <-done:
				return
			}
		}
	})
	return context.WithValue(ctx, progressKey{}, notify), func() {
		close(done)
		reporter.Wait()
		notify("finished")
		time.Sleep(settleTime)
	}
}
