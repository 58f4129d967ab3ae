package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"mcpgate/internal/fault"
)

const (
	// keysRefetch is how often a kid that is not known may make us ask the issuer: anybody can invent one.
	keysRefetch = time.Minute
	// keysRetry is how soon an issuer that failed is asked again.
	keysRetry = 5 * time.Second
	// keysRefresh is how often the keys are fetched without being asked for, so that one which the issuer took back ends.
	keysRefresh  = 10 * time.Minute
	keysTimeout  = 10 * time.Second
	maxKeysBytes = 1 << 20
)

// keySet holds an issuer's public keys (RFC 7517). go-oidc's own would ask the issuer at every forged signature, and does not tell an
// issuer that is down from a forgery, which are a 503 and a 401 here.
type keySet struct {
	issuer string // to be discovered; "" where url is known
	client *http.Client
	now    func() time.Time

	flight singleflight.Group

	mu   sync.RWMutex
	url  string
	keys []jose.JSONWebKey // nil before they were fetched
	last time.Time         // of the last try
	err  error             // of the last try
}

// find returns the keys that may have made a signature: those of the kid, or all where the token has none. Where there is none, the issuer is asked, but not too
// often. The error is a fault: TokenInvalid, or Unavailable where the keys can't be had.
func (s *keySet) find(ctx context.Context, kid, alg string) ([]jose.JSONWebKey, error) {
	if found := s.match(kid, alg); len(found) > 0 {
		return found, nil
	}
	if err := s.renew(ctx); err != nil {
		return nil, err
	}
	if found := s.match(kid, alg); len(found) > 0 {
		return found, nil
	}
	return nil, fault.New(fault.TokenInvalid, "the token is not signed with a key of its issuer", nil)
}

func (s *keySet) match(kid, alg string) (found []jose.JSONWebKey) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, key := range s.keys {
		if (kid == "" || key.KeyID == kid) && (key.Algorithm == "" || key.Algorithm == alg) {
			found = append(found, key)
		}
	}
	return found
}

// renew fetches the keys unless that was done a moment ago. The error is fault.Unavailable.
func (s *keySet) renew(ctx context.Context) error {
	s.mu.RLock()
	since, err, fetched := s.now().Sub(s.last), s.err, s.keys != nil
	s.mu.RUnlock()
	wait := keysRefetch
	if err != nil || !fetched {
		wait = keysRetry
	}
	if since >= 0 && since < wait {
		return unreachable(err)
	}
	// One caller asks for all, and its going away does not stop the others.
	answer := s.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
		defer cancel()
		return nil, s.fetch(ctx)
	})
	select {
	case <-ctx.Done():
		return fault.New(fault.Cancelled, "the caller went away", ctx.Err())
	case r := <-answer:
		return unreachable(r.Err)
	}
}

// unreachable is the fault of an issuer that does not answer, or nil.
func unreachable(err error) error {
	if err == nil {
		return nil
	}
	f := fault.New(fault.Unavailable, "the token can't be checked now, since its issuer does not answer", err)
	f.Retryable, f.RetryAfter = true, keysRetry
	return f
}

// fetch gets the keys, and keeps the old ones where it can't.
func (s *keySet) fetch(ctx context.Context) error {
	keys, err := s.get(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.err = s.now(), err
	if err == nil {
		s.keys = keys
	}
	return err
}

func (s *keySet) get(ctx context.Context) ([]jose.JSONWebKey, error) {
	url, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer's keys: status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeysBytes))
	if err != nil {
		return nil, err
	}
	return publicKeys(body)
}

// publicKeys reads a JWK set, and leaves out what is no public key for signatures or can't be read (RFC 7517 section 5).
func publicKeys(body []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("the issuer's keys are no JWK set: %w", err)
	}
	keys := []jose.JSONWebKey{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err == nil && key.Valid() && key.IsPublic() && key.Use != "enc" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the issuer's JWK set has no key that can be used")
	}
	return keys, nil
}

// discover returns where the keys are, from the issuer's metadata (OpenID Connect Discovery section 4) where nothing says so.
func (s *keySet) discover(ctx context.Context) (string, error) {
	s.mu.RLock()
	url := s.url
	s.mu.RUnlock()
	if url != "" {
		return url, nil
	}
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), s.issuer)
	if err != nil {
		return "", fmt.Errorf("discovering the issuer: %w", err)
	}
	var metadata struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return "", fmt.Errorf("the issuer's metadata: %w", err)
	}
	if metadata.JWKSURI == "" {
		return "", errors.New("the issuer's metadata has no jwks_uri; set auth.jwt.jwks_url")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = metadata.JWKSURI
	return s.url, nil
}

// run fetches the keys until ctx ends: soon again while there are none, then once in a while.
func (s *keySet) run(ctx context.Context, failed func(error)) {
	for {
		fetching, cancel := context.WithTimeout(ctx, keysTimeout)
		err := s.fetch(fetching)
		cancel()
		wait := keysRefresh
		if err != nil && ctx.Err() == nil {
			failed(err)
			wait = keysRetry
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// ready returns nil once there are keys.
func (s *keySet) ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.keys != nil:
		return nil
	case s.err != nil:
		return unreachable(s.err)
	default:
		return unreachable(errors.New("the issuer's keys are not fetched yet"))
	}
}
