package gateway

import (
	"context"
	"sync"
	"time"

	"mcpgate/internal/fault"
)

// afterCut is how long calls that were cancelled may take to notice.
const afterCut = 2 * time.Second

// errStopped is why a call is not taken, or is ended where the gateway can't wait for it any longer.
var errStopped = &fault.Fault{
	Code: fault.Unavailable, Message: "the gateway is shutting down", Retryable: true, RetryAfter: time.Second,
}

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
		return nil, nil, errStopped
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

// count returns how many calls are under way.
func (d *drain) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
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
