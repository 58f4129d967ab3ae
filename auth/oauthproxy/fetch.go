package oauthproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

const (
	fetchTimeout  = 10 * time.Second // in all, waiting for others included
	fetchesByHost = 2                // at once
	keptDocuments = 1000             // of each kind

	minFresh     = 5 * time.Minute // however short the server says
	maxFresh     = 24 * time.Hour  // however long; and how old a copy may be that is used because no new one can be had
	usualFresh   = time.Hour       // where the server says nothing
	keptFailures = time.Minute
)

// fetcher gets small JSON documents that clients name. Where they may lie is decided at the dial, by the client that it is given.
type fetcher struct {
	client *http.Client

	mu    sync.Mutex
	hosts map[string]*hostSlots
}

type hostSlots struct {
	free  *semaphore.Weighted
	users int // that hold a slot or wait for one
}

// newFetcher takes a client that checks addresses. Redirects are not followed and no cookies kept, whatever it does by itself.
func newFetcher(client *http.Client) *fetcher {
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &fetcher{client: &own, hosts: map[string]*hostSlots{}}
}

// fetched is an answer: a document, or word that the one with the tag still holds.
type fetched struct {
	body      []byte
	unchanged bool
	tag       string
	fresh     time.Duration
}

// refusedError is a fetch that will not go better soon: there is no such document, or it is none.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// get fetches a document of at most limit bytes. Of one host only a few are fetched at once.
func (f *fetcher) get(ctx context.Context, address, host, tag string, limit int64, now time.Time) (fetched, error) {
	leave, err := f.enter(ctx, host)
	if err != nil {
		return fetched{}, err
	}
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fetched{}, &refusedError{"the URL can't be read"}
	}
	req.Header.Set("Accept", "application/json")
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
	}
	answer, err := f.client.Do(req)
	if err != nil {
		return fetched{}, err
	}
	defer answer.Body.Close()
	got := fetched{tag: answer.Header.Get("ETag"), fresh: freshness(answer.Header, now)}
	switch {
	case answer.StatusCode == http.StatusNotModified && tag != "":
		got.unchanged = true
		return got, nil
	case answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout:
		return fetched{}, fmt.Errorf("the answer is %s", answer.Status)
	case answer.StatusCode != http.StatusOK:
		return fetched{}, &refusedError{fmt.Sprintf("the answer is status %d, not 200; redirects are not followed", answer.StatusCode)}
	case !isJSONType(answer.Header.Get("Content-Type")):
		return fetched{}, &refusedError{"the answer is not application/json"}
	}
	got.body, err = io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return fetched{}, err
	}
	if int64(len(got.body)) > limit {
		return fetched{}, &refusedError{fmt.Sprintf("the answer is larger than %d bytes", limit)}
	}
	return got, nil
}

// enter waits for a slot of the host.
func (f *fetcher) enter(ctx context.Context, host string) (leave func(), err error) {
	f.mu.Lock()
	slots, ok := f.hosts[host]
	if !ok {
		slots = &hostSlots{free: semaphore.NewWeighted(fetchesByHost)}
		f.hosts[host] = slots
	}
	slots.users++
	f.mu.Unlock()
	done := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if slots.users--; slots.users == 0 {
			delete(f.hosts, host)
		}
	}
	if err := slots.free.Acquire(ctx, 1); err != nil {
		done()
		return nil, err
	}
	return func() {
		slots.free.Release(1)
		done()
	}, nil
}

func isJSONType(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json"))
}

// freshness is how long an answer may be used without asking again (RFC 9111 section 4.2.1), within our own bounds.
func freshness(header http.Header, now time.Time) time.Duration {
	fresh := usualFresh
	if expires, err := http.ParseTime(header.Get("Expires")); err == nil {
		fresh = expires.Sub(now)
	}
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return minFresh
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				fresh = time.Duration(seconds) * time.Second
				age, _ := strconv.ParseUint(header.Get("Age"), 10, 31)
				fresh -= time.Duration(age) * time.Second
			}
		}
	}
	return min(max(fresh, minFresh), maxFresh)
}

// remote keeps what was made of documents by their address: a copy while it is fresh, an old one while no new one can be
// had, and a failure for a minute, so that nobody makes us ask on and on. It is safe for concurrent use.
type remote[T any] struct {
	fetcher *fetcher
	limit   int64
	parse   func(address string, body []byte) (T, error) // an error refuses the document
	now     func() time.Time

	flights  singleflight.Group
	mu       sync.Mutex
	copies   *recent[string, remoteCopy[T]]
	failures *recent[string, remoteFailure] // apart from the copies, which a flood of bad addresses must not drive out
}

type remoteCopy[T any] struct {
	value   T
	tag     string
	fetched time.Time
	until   time.Time
}

type remoteFailure struct {
	err   error
	until time.Time
}

func newRemote[T any](f *fetcher, limit int64, now func() time.Time, parse func(address string, body []byte) (T, error)) *remote[T] {
	return &remote[T]{
		fetcher: f, limit: limit, parse: parse, now: now,
		copies: newRecent[string, remoteCopy[T]](keptDocuments), failures: newRecent[string, remoteFailure](keptDocuments),
	}
}

// get returns what the document at an address says, at most maxAge old unless no new one can be had. The fetch is made once for all who want it, and goes
// on when the one who asked first goes away. A *refusedError is the document's fault; every other error may pass.
func (r *remote[T]) get(ctx context.Context, address, host string, maxAge time.Duration) (T, error) {
	if value, err, known := r.kept(address, maxAge); known {
		return value, err
	}
	value, err, _ := r.flights.Do(address, func() (any, error) {
		if value, err, known := r.kept(address, maxAge); known {
			return value, err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return r.fetch(ctx, address, host)
	})
	if err != nil {
		var none T
		return none, err
	}
	return value.(T), nil
}

// kept answers from memory, where that will do.
func (r *remote[T]) kept(address string, maxAge time.Duration) (value T, err error, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	old, have := r.copies.get(address)
	if have && now.Before(old.until) && now.Before(old.fetched.Add(maxAge)) {
		return old.value, nil, true
	}
	failure, failed := r.failures.get(address)
	switch {
	case !failed || !now.Before(failure.until):
		return value, nil, false
	case have && now.Before(old.fetched.Add(maxFresh)):
		return old.value, nil, true
	}
	return value, failure.err, true
}

// fetch asks anew, and falls back on the copy that it could not replace.
func (r *remote[T]) fetch(ctx context.Context, address, host string) (T, error) {
	r.mu.Lock()
	old, have := r.copies.get(address)
	r.mu.Unlock()
	got, err := r.fetcher.get(ctx, address, host, old.tag, r.limit, r.now())
	value := old.value
	if err == nil && !got.unchanged {
		value, err = r.parse(address, got.body)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if err != nil {
		r.failures.put(address, remoteFailure{err, now.Add(keptFailures)})
		if have && now.Before(old.fetched.Add(maxFresh)) {
			return old.value, nil
		}
		r.copies.remove(address)
		return value, err
	}
	if got.unchanged && got.tag == "" {
		got.tag = old.tag
	}
	r.failures.remove(address)
	r.copies.put(address, remoteCopy[T]{value, got.tag, now, now.Add(got.fresh)})
	return value, nil
}

// asClientError makes of a failed fetch what the client of the document is told.
func asClientError(err error, what string) error {
	if refused, ok := errors.AsType[*refusedError](err); ok {
		e := unknownClient(what + " is refused: " + refused.reason)
		e.Cause = err
		return e
	}
	e := unavailable(err)
	e.Description = what + " can't be fetched now: try again in a minute"
	e.RetryAfter = keptFailures
	return e
}
