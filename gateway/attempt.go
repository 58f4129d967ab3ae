package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// errAttemptTimeout is the cause of a context that an attempt's own limit ended, and not the call's.
var errAttemptTimeout = errors.New("the attempt took too long")

// attempt bounds one request of a call in time and in bytes, and reads its answer whole before it hands it on. So an
// answer that breaks off is an attempt that failed, and may be repeated like any other, and whatever stands around an
// attempt (a slot, a span) lasts exactly as long as the request does.
type attempt struct {
	timeout  time.Duration // 0 means that only the call's deadline counts
	maxBytes int64         // of the answer
	next     http.RoundTripper
}

// RoundTrip sends req and reads the answer, up to one byte more than maxBytes: whoever reads it sees that it is too
// large. Its error is the connection's, with errAttemptTimeout joined where the timeout ended it.
func (a *attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if a.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.timeout, errAttemptTimeout)
		defer cancel()
	}
	resp, err := a.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, withTimeout(ctx, err)
	}
	defer resp.Body.Close()
	if resp.ContentLength > a.maxBytes && req.Method != http.MethodHead && resp.StatusCode < 300 {
		resp.Body = http.NoBody // Content-Length says enough to whoever refuses it
		return resp, nil
	}
	body, err := readUpTo(resp, a.maxBytes+1)
	if err != nil {
		return nil, withTimeout(ctx, &brokenAnswerError{resp.StatusCode, err})
	}
	resp.Request = req
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if req.Method != http.MethodHead { // whose Content-Length is that of an answer to GET
		resp.ContentLength = int64(len(body))
	}
	return resp, nil
}

// brokenAnswerError says that an answer began and did not end: the upstream has seen the request.
type brokenAnswerError struct {
	status int
	err    error
}

func (e *brokenAnswerError) Error() string { return "the answer broke off: " + e.err.Error() }

func (e *brokenAnswerError) Unwrap() error { return e.err }

// withTimeout tells an attempt's timeout from the other ends of a context, which look alike in net/http's errors.
func withTimeout(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errAttemptTimeout) {
		return errors.Join(errAttemptTimeout, err)
	}
	return err
}

// readUpTo reads at most limit bytes. It makes room for what Content-Length announces, so that a usual answer is not
// copied over and over while the buffer grows; an announcement alone does not make it take more than a megabyte.
func readUpTo(resp *http.Response, limit int64) ([]byte, error) {
	const trusted = 1 << 20
	var body bytes.Buffer
	if n := min(resp.ContentLength, limit, trusted); n > 0 {
		body.Grow(int(n) + bytes.MinRead)
	}
	_, err := body.ReadFrom(io.LimitReader(resp.Body, limit))
	return body.Bytes(), err
}
