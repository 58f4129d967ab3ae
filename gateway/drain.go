package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"mcpgate/internal/fault"
)

// afterCut is how long calls that were cancelled may take to notice.
const afterCut = 2 * time.Second

// errStopped is the cause of a call's end where the gateway could not wait for it any longer.
var errStopped = errors.New("the gateway is stopping")

// drain counts the calls under way, so that stopping can wait for them. The zero value is not ready: use newDrain.
type drain struct {
	mu      sync.Mutex
	calls   int
	closed  bool
	idle    chan struct{} // closed once no call is under way, and none is taken any more
	cut     context.Context
	cancels context.CancelCauseFunc
}

func newDrain() *drain {
	d := &drain{idle: make(chan struct{})}
	d.cut, d.cancels = context.WithCancelCause(context.Background())
	return d
}

// begin takes a call in. Its context ends with ctx, or when the gateway can't wait for it; end has to be called. After
// close the error is a fault.
func (d *drain) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		f := fault.New(fault.Unavailable, "the gateway is shutting down", nil)
		f.Retryable, f.RetryAfter = true, time.Second
		return nil, nil, f
	}
	d.calls++
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.cut, func() { cancel(errStopped) })
	return ctx, func() {
		stop()
		cancel(nil)
		d.end()
	}, nil
}

func (d *drain) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls--
	if d.closed && d.calls == 0 {
		close(d.idle)
	}
}

// close takes no more calls and waits for those under way. Where ctx is done first it cancels them, and returns ctx's
// error.
func (d *drain) close(ctx context.Context) error {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		if d.calls == 0 {
			close(d.idle)
		}
	}
	d.mu.Unlock()
	select {
	case <-d.idle:
		return nil
	case <-ctx.Done():
	}
	d.cancels(errStopped)
	patience := time.NewTimer(afterCut)
	defer patience.Stop()
	select {
	case <-d.idle:
	case <-patience.C:
	}
	return ctx.Err()
}
