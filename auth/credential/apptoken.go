package credential

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"mcpgate/auth/provider"
	"mcpgate/internal/fault"
)

const (
	askTimeout = 30 * time.Second // one request for a token, whoever waits for it
	// A failure is remembered for so long, or what the endpoint's Retry-After says: a storm of calls is no storm of token requests.
	pauseAfterFailure = 5 * time.Second
	longestPause      = time.Minute
	// A token that was obtained a moment ago and is refused is not replaced: an API answers 401 for other reasons too.
	freshFor = 5 * time.Second
)

// appToken is a token of the gateway's own, which all callers share: asked for once, kept in memory, and renewed ahead of its end. It is a
// Renewer and a Varier, and safe for concurrent use.
type appToken struct {
	request func(context.Context) (provider.Tokens, error)
	ahead   func(provider.Tokens) time.Duration
	now     func() time.Time

	flight singleflight.Group

	mu     sync.Mutex
	held   provider.Tokens
	failed error     // of the last request, where it failed
	until  time.Time // no request before this
}

// Authorize sets the Authorization header.
func (a *appToken) Authorize(ctx context.Context, req *http.Request) error {
	tokens, err := a.tokens(ctx)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
	return nil
}

// Variables are what the token answer brought along, such as instance_url.
func (a *appToken) Variables(ctx context.Context) (map[string]string, error) {
	tokens, err := a.tokens(ctx)
	if err != nil {
		return nil, err
	}
	return maps.Clone(tokens.Kept), nil
}

// Renew gets another token in the place of the one that req carries, unless somebody has.
func (a *appToken) Renew(ctx context.Context, req *http.Request) (bool, error) {
	_, refused, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if refused == "" {
		return false, nil
	}
	a.mu.Lock()
	if a.held.AccessToken == refused {
		if a.now().Sub(a.held.Obtained) < freshFor {
			a.mu.Unlock()
			return false, nil
		}
		a.held = provider.Tokens{}
	}
	a.mu.Unlock()
	tokens, err := a.tokens(ctx)
	return err == nil && tokens.AccessToken != refused, err
}

// tokens returns a token that holds for now. Near its end one caller asks for the next, and the others go on with the old one where it still holds.
func (a *appToken) tokens(ctx context.Context) (provider.Tokens, error) {
	held, due, err := a.look()
	if err != nil || !due {
		return held, err
	}
	asked := a.flight.DoChan("", func() (any, error) { return a.ask(context.WithoutCancel(ctx)) })
	if held.AccessToken != "" {
		return held, nil // the next caller has the new one
	}
	select {
	case <-ctx.Done():
		return provider.Tokens{}, context.Cause(ctx)
	case result := <-asked:
		if result.Err != nil {
			return provider.Tokens{}, result.Err
		}
		return result.Val.(provider.Tokens), nil
	}
}

// look returns the token at hand, none where it is over, and whether it is time to ask for another.
func (a *appToken) look() (held provider.Tokens, due bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.held.AccessToken != "" && (a.held.Expires.IsZero() || now.Before(a.held.Expires)) {
		held = a.held
	}
	due = held.AccessToken == "" || !held.Expires.IsZero() && !now.Before(held.Expires.Add(-a.ahead(held)))
	if due && now.Before(a.until) {
		if held.AccessToken == "" {
			err = a.failed
		}
		due = false
	}
	return held, due, err
}

// ask asks once, for all who wait.
func (a *appToken) ask(ctx context.Context) (provider.Tokens, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	tokens, err := a.request(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.failed, a.until = err, a.now().Add(pause(err))
		return provider.Tokens{}, err
	}
	a.held, a.failed, a.until = tokens, nil, time.Time{}
	return tokens, nil
}

// pause is how long a failure holds.
func pause(err error) time.Duration {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.RetryAfter == 0 {
		return pauseAfterFailure
	}
	return min(f.RetryAfter, longestPause)
}
