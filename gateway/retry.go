package gateway

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// maxRetryAfter bounds what an upstream's Retry-After is believed; a year keeps the arithmetic safe.
const maxRetryAfter = 365 * 24 * time.Hour

// retryPolicy is `retry:` of an upstream, compiled.
type retryPolicy struct {
	attempts            int
	backoff, maxBackoff time.Duration
	unsafe              bool
	statuses            map[int]bool
	causes              map[string]bool // connect, timeout
}

// newRetryPolicy compiles retry, which config has checked.
func newRetryPolicy(retry config.Retry) retryPolicy {
	p := retryPolicy{
		attempts: max(retry.Attempts, 1), backoff: time.Duration(retry.Backoff), maxBackoff: time.Duration(retry.MaxBackoff),
		unsafe: retry.Unsafe, statuses: map[int]bool{}, causes: map[string]bool{},
	}
	for _, on := range retry.On {
		if status, err := strconv.Atoi(on); err == nil {
			p.statuses[status] = true
		} else {
			p.causes[on] = true
		}
	}
	return p
}

// pause is how long to wait before the attempt after the n-th: twice as long each time, up to 20 % more or less, so
// that calls that failed together do not come back together.
func (p retryPolicy) pause(n int) time.Duration {
	doubled := float64(p.backoff) * math.Pow(2, float64(n-1)) * (0.8 + 0.4*rand.Float64())
	if p.maxBackoff > 0 && doubled > float64(p.maxBackoff) {
		return p.maxBackoff
	}
	return time.Duration(min(doubled, float64(maxRetryAfter)))
}

// retrier sends one request of a call, as often as the policy and the call's deadline allow.
type retrier struct {
	policy     retryPolicy
	upstream   string
	timeout    time.Duration                   // of one attempt, for messages
	repeatable bool                            // doing it twice is as good as once, or gateway.yaml takes the risk
	told       func(*http.Response) fault.Code // what errors.faults says of an answer; may be nil

	tries   int
	status  int           // of the last answer, as statusOf has it
	wait    time.Duration // before the next attempt
	failure netFailure    // the last attempt's, where it brought no answer
}

// send sends req through transport. The response is whole and may have any status; the error is a fault, but for that
// of a context, which the caller explains.
func (r *retrier) send(req *http.Request, transport http.RoundTripper) (*http.Response, error) {
	client := retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // redirect.go follows
		},
		RetryMax:     r.policy.attempts - 1,
		CheckRetry:   r.checkRetry,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return r.wait },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	wrapped, err := rewindable(req)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(wrapped)
	if err == nil {
		return resp, nil
	}
	if ctxErr := req.Context().Err(); ctxErr != nil {
		return nil, fmt.Errorf("after %d attempts: %w", r.tries, withoutURL(err))
	}
	return nil, r.explained()
}

// checkRetry is go-retryablehttp's CheckRetry: whether to try again, and whether the wait fits into what is left of
// the call. It keeps the wait, and the failure.
func (r *retrier) checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	r.tries++
	if ctx.Err() != nil {
		return false, err
	}
	var again bool
	if err != nil {
		r.failure = explain(r.upstream, err, r.timeout)
		again = r.policy.causes[r.failure.on] && (r.repeatable || r.failure.unsent)
	} else {
		r.status = r.statusOf(resp)
		again = r.policy.statuses[r.status] && (r.repeatable || refused(r.status, resp.Header))
	}
	if !again || r.tries >= r.policy.attempts {
		return false, nil
	}
	r.wait = r.policy.pause(r.tries)
	if resp != nil {
		if asked, ok := retryAfter(resp.Header, time.Now()); ok {
			r.wait = max(r.wait, asked)
		}
	}
	if !fits(ctx, r.wait) {
		return false, nil
	}
	tell(ctx, fmt.Sprintf("attempt %d of %d after %s", r.tries+1, r.policy.attempts, r.reason(resp)))
	return true, nil
}

// reason is in a word why there is another attempt.
func (r *retrier) reason(resp *http.Response) string {
	switch {
	case resp != nil:
		return strconv.Itoa(resp.StatusCode)
	case r.failure.on == "timeout":
		return "a timeout"
	default:
		return "a failed connection"
	}
}

// explained is the fault of the last attempt, with what a client may do about it.
func (r *retrier) explained() error {
	f := r.failure.fault
	if r.failure.on == "" {
		return f
	}
	if r.tries > 1 {
		f.Message = fmt.Sprintf("%s (tried %d times)", f.Message, r.tries)
	}
	r.advise(f, r.failure.unsent)
	return f
}

// advise says whether the same call may be made again; where it may have been carried out, it says that instead.
func (r *retrier) advise(f *fault.Fault, untouched bool) {
	f.Retryable = r.repeatable || untouched
	if !f.Retryable && f.Hint == "" {
		f.Hint = "it may have been carried out all the same: look before you call again"
	}
}

// statusOf is the status that decides about another attempt: the answer's own, unless errors.faults of gateway.yaml says
// what the answer is. Some say of a limit 400, and some 500 of a record that is not there. 0 stands for an answer that
// another attempt would not change.
func (r *retrier) statusOf(resp *http.Response) int {
	if r.told == nil {
		return resp.StatusCode
	}
	switch r.told(resp) {
	case "":
		return resp.StatusCode
	case fault.RateLimit:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Server:
		return http.StatusInternalServerError
	case fault.Timeout:
		return http.StatusGatewayTimeout
	}
	return 0
}

// judge completes the fault that an answer made: whether and when to try again. It changes nothing of one that says the
// request itself is wrong.
func (r *retrier) judge(f *fault.Fault, resp *http.Response) {
	switch r.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		r.advise(f, refused(r.status, resp.Header))
		f.RetryAfter, _ = retryAfter(resp.Header, time.Now())
	}
}

// refused reports whether an answer proves that the request was not carried out, so that even a POST may be repeated.
// A 503 alone does not: proxies say it when the server behind them dies halfway.
func refused(status int, header http.Header) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusServiceUnavailable:
		_, ok := retryAfter(header, time.Now())
		return ok
	}
	return false
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date, of which a past one means now. ok is
// false where there is none, and where it makes no sense.
func retryAfter(header http.Header, now time.Time) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789.") == "" { // some send 1.5, though the RFC knows whole seconds only
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil && !math.IsInf(seconds, 1) {
			return 0, false
		}
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second)), true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(date.Sub(now), 0), maxRetryAfter), true
}

// rewindable wraps a request for go-retryablehttp, whose own wrapping would read the body and forget its length.
func rewindable(req *http.Request) (*retryablehttp.Request, error) {
	wrapped := &retryablehttp.Request{Request: req}
	if req.Body == nil || req.Body == http.NoBody {
		return wrapped, nil
	}
	if req.GetBody == nil {
		return nil, fmt.Errorf("the body of %s can't be sent twice", req.Method)
	}
	length, getBody := req.ContentLength, req.GetBody
	err := wrapped.SetBody(retryablehttp.ReaderFunc(func() (io.Reader, error) { return getBody() }))
	req.ContentLength, req.GetBody = length, getBody
	return wrapped, err
}
