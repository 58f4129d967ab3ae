package oauthproxy

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/config"
)

func TestDocumentsAreKeptAsTheirServerSays(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		headers []string
		want    time.Duration
	}{
		{"nothing", nil, time.Hour},
		{"two hours", []string{"Cache-Control", "public, max-age=7200"}, 2 * time.Hour},
		{"a second", []string{"Cache-Control", "max-age=1"}, 5 * time.Minute},
		{"a year", []string{"Cache-Control", "max-age=31536000, immutable"}, 24 * time.Hour},
		{"never", []string{"Cache-Control", "max-age=7200, no-store"}, 5 * time.Minute},
		{"asked again", []string{"Cache-Control", "no-cache"}, 5 * time.Minute},
		{"not a number", []string{"Cache-Control", "max-age=soon"}, time.Hour},
		{"negative", []string{"Cache-Control", "max-age=-5"}, time.Hour},
		{"an age", []string{"Cache-Control", "max-age=7200", "Age", "3600"}, time.Hour},
		{"a time", []string{"Expires", now.Add(3 * time.Hour).Format(http.TimeFormat)}, 3 * time.Hour},
		{"a time and a count", []string{"Expires", now.Add(3 * time.Hour).Format(http.TimeFormat), "Cache-Control", "max-age=7200"}, 2 * time.Hour},
	}
	for _, test := range tests {
		header := http.Header{}
		for i := 0; i+1 < len(test.headers); i += 2 {
			header.Set(test.headers[i], test.headers[i+1])
		}
		if got := freshness(header, now); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestADocumentIsFetchedAnewWhenItsTimeIsOver(t *testing.T) {
	clock := newFakeClock()
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		document(claudeCode, "ETag", `"v1"`, "Cache-Control", "max-age=600")(w, r)
	})
	s := newDocumentsServer(t, d, clock, nil)
	for i, step := range []struct {
		after    time.Duration
		requests int32
	}{{0, 1}, {9 * time.Minute, 1}, {2 * time.Minute, 2}, {30 * time.Minute, 2}, {31 * time.Minute, 3}} {
		clock.advance(step.after)
		if _, err := s.client(t.Context(), claudeCodeID); err != nil || d.requests.Load() != step.requests {
			t.Errorf("step %d: %d requests, %v", i, d.requests.Load(), err)
		}
	}
}

func TestAnOldDocumentHoldsForADayWhileItCannotBeFetched(t *testing.T) {
	clock := newFakeClock()
	d := newDocumentServer(t, document(claudeCode, "Cache-Control", "max-age=600"))
	s := newDocumentsServer(t, d, clock, nil)
	if _, err := s.client(t.Context(), claudeCodeID); err != nil {
		t.Fatal(err)
	}
	d.become(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	clock.advance(time.Hour)
	for range 3 {
		if _, err := s.client(t.Context(), claudeCodeID); err != nil {
			t.Error(err)
		}
	}
	if n := d.requests.Load(); n != 2 {
		t.Errorf("%d requests: a failure is not kept", n)
	}
	clock.advance(23*time.Hour - time.Second)
	if _, err := s.client(t.Context(), claudeCodeID); err != nil {
		t.Error(err)
	}
	clock.advance(time.Second)
	_, err := s.client(t.Context(), claudeCodeID)
	if e := errorOf(t, err); e.Status != http.StatusServiceUnavailable || e.Code != "temporarily_unavailable" || e.RetryAfter != time.Minute {
		t.Error(err)
	}
	// And it comes back by itself.
	d.become(document(claudeCode))
	clock.advance(time.Minute)
	if _, err := s.client(t.Context(), claudeCodeID); err != nil {
		t.Error(err)
	}
}

func TestAFailureIsKeptForAMinute(t *testing.T) {
	clock := newFakeClock()
	d := newDocumentServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	s := newDocumentsServer(t, d, clock, nil)
	for i, want := range []int32{1, 1, 1, 2} {
		if _, err := s.client(t.Context(), claudeCodeID); err == nil || d.requests.Load() != want {
			t.Errorf("%d: %d requests, %v", i, d.requests.Load(), err)
		}
		clock.advance(25 * time.Second)
	}
}

func TestFailuresDriveOutNoDocument(t *testing.T) {
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/claude-code-client-metadata" {
			document(claudeCode)(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	s := newDocumentsServer(t, d, newFakeClock(), nil)
	if _, err := s.client(t.Context(), claudeCodeID); err != nil {
		t.Fatal(err)
	}
	failures := s.directory.documents.fetched.failures
	for i := range keptDocuments + 10 {
		failures.put(string(rune('a'+i)), remoteFailure{})
	}
	if len(failures.entries) != keptDocuments || failures.order.Len() != keptDocuments {
		t.Errorf("%d failures are kept", len(failures.entries))
	}
	if _, err := s.client(t.Context(), claudeCodeID); err != nil || d.requests.Load() != 1 {
		t.Errorf("%v, %d requests", err, d.requests.Load())
	}
}

// slowTransport answers when it is let.
type slowTransport struct {
	mu             sync.Mutex
	now, most, all int
	release        chan struct{}
}

func (s *slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.now++
	s.all++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.now--
		s.mu.Unlock()
	}()
	select {
	case <-s.release:
		return nil, errors.New("no route to host")
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func TestManyAskOnceAndOneHostIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowTransport{release: make(chan struct{})}
		r := newRemote(newFetcher(&http.Client{Transport: slow}), maxDocument, time.Now, func(string, []byte) (int, error) { return 0, nil })
		var group sync.WaitGroup
		for i := range 40 {
			address := "https://app.example/" + string(rune('a'+i%8))
			group.Go(func() { _, _ = r.get(t.Context(), address, "app.example", maxFresh) })
		}
		synctest.Wait()
		if slow.all != fetchesByHost {
			t.Errorf("%d at once", slow.all)
		}
		close(slow.release)
		group.Wait()
		if slow.all != 8 || slow.most > fetchesByHost {
			t.Errorf("%d requests, %d at once", slow.all, slow.most)
		}
		if len(r.fetcher.hosts) != 0 {
			t.Errorf("%d hosts are remembered", len(r.fetcher.hosts))
		}
	})
}

// Whoever asked first may go away: the others wait for the same document.
func TestAFetchOutlivesWhoAskedFirstAndEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowTransport{release: make(chan struct{})}
		r := newRemote(newFetcher(&http.Client{Transport: slow}), maxDocument, time.Now, func(string, []byte) (int, error) { return 0, nil })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		_, err := r.get(ctx, "https://app.example/a", "app.example", maxFresh)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != fetchTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// drip sends a byte now and then, without end.
type drip struct{ context.Context }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.Done():
		return 0, d.Err()
	}
}

func (drip) Close() error { return nil }

type dripTransport struct{}

func (dripTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: drip{r.Context()}, Request: r}, nil
}

func TestADocumentThatDripsIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRemote(newFetcher(&http.Client{Transport: dripTransport{}}), maxDocument, time.Now, func(string, []byte) (int, error) { return 0, nil })
		began := time.Now()
		_, err := r.get(t.Context(), "https://app.example/a", "app.example", maxFresh)
		if err == nil || time.Since(began) != fetchTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// What the client that is given would do by itself does not count: no cookie, no redirect.
func TestAFetchSendsNothingOfOurs(t *testing.T) {
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Cookie", "Authorization", "Referer"} {
			if r.Header.Get(name) != "" {
				t.Errorf("it sends %s", name)
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b", Path: "/"})
		document(claudeCode, "Cache-Control", "no-store")(w, r)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	clock := newFakeClock()
	s := newDirectoryServer(t, func(_ *config.Config, parts *Parts) {
		parts.Fetch, parts.Now = d.client(), clock.now
		parts.Fetch.Jar = jar
	})
	for range 2 {
		if _, err := s.client(t.Context(), claudeCodeID); err != nil {
			t.Fatal(err)
		}
		clock.advance(time.Hour)
	}
	if d.requests.Load() != 2 {
		t.Errorf("%d requests", d.requests.Load())
	}
}
