package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

const (
	// How long an answer is believed: so long may a token that was revoked go on, and one that was just issued not begin.
	askedGood = 30 * time.Second
	askedBad  = 5 * time.Second

	askTimeout     = 10 * time.Second
	maxAnswerBytes = 256 << 10
	// askedHalf is how many answers half of the cache holds.
	askedHalf = 5000
)

// introspection asks an issuer about tokens (RFC 7662).
type introspection struct {
	url, id, secret string
	client          *http.Client
	now             func() time.Time

	flight singleflight.Group

	// Answers by the token's SHA-256. A full map becomes the old one, and what was in the old one is forgotten.
	mu       sync.Mutex
	new, old map[string]answer
}

// answer is what the issuer said: claims, or nil where the token is not good.
type answer struct {
	claims *claims
	until  time.Time
}

func newIntrospection(cfg config.JWTAuth, client *http.Client, now func() time.Time) *introspection {
	// A redirect would carry the token and the secret to somebody else.
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &introspection{url: cfg.IntrospectionURL, id: cfg.ClientID, secret: cfg.ClientSecret.Reveal(), client: &direct, now: now, new: map[string]answer{}}
}

// about returns what the issuer says of a token. The error is a fault: TokenInvalid, or Unavailable where the issuer can't be asked.
func (i *introspection) about(ctx context.Context, token string) (*claims, error) {
	sum := sha256.Sum256([]byte(token))
	key := string(sum[:])
	known, ok := i.cached(key)
	if !ok {
		// One caller asks for all that show the token, and its going away does not stop the others.
		asking := i.flight.DoChan(key, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
			defer cancel()
			c, err := i.ask(ctx, token)
			if err != nil {
				return answer{}, err
			}
			return i.keep(key, c), nil
		})
		select {
		case <-ctx.Done():
			return nil, fault.New(fault.Cancelled, "the caller went away", ctx.Err())
		case r := <-asking:
			if r.Err != nil {
				return nil, unreachable(r.Err)
			}
			known = r.Val.(answer)
		}
	}
	if known.claims == nil {
		return nil, fault.New(fault.TokenInvalid, "the issuer does not know the token, or it is over", nil)
	}
	return known.claims, nil
}

func (i *introspection) cached(key string) (answer, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	known, ok := i.new[key]
	if !ok {
		known, ok = i.old[key]
	}
	return known, ok && i.now().Before(known.until)
}

func (i *introspection) keep(key string, c *claims) answer {
	known := answer{c, i.now().Add(askedBad)}
	if c != nil {
		known.until = i.now().Add(askedGood)
		if c.Expires != nil && c.Expires.time().Before(known.until) {
			known.until = c.Expires.time()
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.new) >= askedHalf {
		i.old, i.new = i.new, make(map[string]answer, askedHalf)
	}
	i.new[key] = known
	return known
}

// ask returns nil claims where the token is not active. An error means that the issuer did not say: a status other than 200 is about the gateway
// or the issuer, never about the token (RFC 7662 section 2.3).
func (i *introspection) ask(ctx context.Context, token string) (*claims, error) {
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	if i.secret == "" {
		form.Set("client_id", i.id)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, i.url, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if i.secret != "" {
		// Both are form-encoded first (RFC 6749 section 2.3.1).
		request.SetBasicAuth(url.QueryEscape(i.id), url.QueryEscape(i.secret))
	}
	response, err := i.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the introspection endpoint answered with status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return nil, err
	}
	var status struct {
		Active *bool `json:"active"`
	}
	// The causes are left out: they may quote the answer.
	if err := json.Unmarshal(body, &status); err != nil || status.Active == nil {
		return nil, fmt.Errorf("the introspection endpoint's answer does not say whether the token is active")
	}
	if !*status.Active {
		return nil, nil
	}
	c, err := readClaims(body)
	if err != nil {
		return nil, fmt.Errorf("the introspection endpoint's answer can't be read")
	}
	c.asked = true
	return c, nil
}
