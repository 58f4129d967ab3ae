package tokenstoretest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
)

// brief is the time of a record that is to end within a test, long enough to be read before.
const brief = 300 * time.Millisecond

func testExpiry(t *testing.T, s Subject) {
	create(t, s.One, "code/brief", "x", brief)
	create(t, s.One, "code/long", "x", time.Hour)
	create(t, s.One, "code/ever", "x", 0)
	record := wantValue(t, s.Other, "code/brief", "x")
	s.Advance(brief)
	wantGone(t, s.One, "code/brief")
	wantGone(t, s.Other, "code/brief")
	_, err := s.One.Take(t.Context(), "code/brief")
	wantError(t, err, tokenstore.ErrNotFound)
	for _, value := range [][]byte{[]byte("y"), nil} {
		_, err = s.One.Swap(t.Context(), "code/brief", record.Version, value, 0)
		wantError(t, err, tokenstore.ErrConflict)
	}
	wantValue(t, s.Other, "code/long", "x")
	wantValue(t, s.Other, "code/ever", "x")
	for _, key := range []string{"code/long", "code/ever"} {
		if keys := list(t, s.One, "code"); !slices.Contains(keys, key) {
			t.Errorf("listed %q without %s", keys, key)
		}
	}
}

func testExpiredIsGone(t *testing.T, s Subject) {
	old := create(t, s.One, "code/a", "old", brief)
	s.Advance(brief)
	if again := create(t, s.Other, "code/a", "new", 0); again == old {
		t.Error("a version came again")
	}
	wantValue(t, s.One, "code/a", "new")
}

// testTTLIsRenewed holds that a write sets the time: longer, and without an end.
func testTTLIsRenewed(t *testing.T, s Subject) {
	ctx := t.Context()
	longer := create(t, s.One, "code/longer", "x", brief)
	ever := create(t, s.One, "code/ever", "x", brief)
	if _, err := s.Other.Swap(ctx, "code/longer", longer, []byte("y"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Other.Swap(ctx, "code/ever", ever, []byte("y"), 0); err != nil {
		t.Fatal(err)
	}
	s.Advance(brief)
	wantValue(t, s.One, "code/longer", "y")
	if !wantValue(t, s.One, "code/ever", "y").Expires.IsZero() {
		t.Error("a record without an end has one")
	}
}

func acquire(t testing.TB, s tokenstore.Store, name string, ttl time.Duration) *tokenstore.Lease {
	t.Helper()
	lease, err := tokenstore.Acquire(t.Context(), s, name, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lease.Release)
	return lease
}

// testLeaseExcludes lets many read and write one record, each under the lease: without it, some would conflict.
func testLeaseExcludes(t *testing.T, s Subject) {
	const workers, each = 8, 3
	create(t, s.One, "grant/a", "", 0)
	var wg sync.WaitGroup
	for i := range workers {
		store := []tokenstore.Store{s.One, s.Other}[i%2]
		wg.Go(func() {
			for range each {
				lease, err := tokenstore.Acquire(t.Context(), store, "a", time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				record, err := store.Get(t.Context(), "grant/a")
				if err == nil {
					_, err = store.Swap(t.Context(), "grant/a", record.Version, append(record.Value, 'x'), 0)
				}
				if err != nil {
					t.Errorf("under the lease: %v", err)
				}
				lease.Release()
			}
		})
	}
	wg.Wait()
	wantValue(t, s.One, "grant/a", strings.Repeat("x", workers*each))
}

func testLeaseRelease(t *testing.T, s Subject) {
	lease := acquire(t, s.One, "room", time.Minute)
	acquire(t, s.Other, "another-room", time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tokenstore.Acquire(ctx, s.Other, "room", time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a lease that is held: %v", err)
	}
	lease.Release()
	lease.Release() // twice is as good as once
	select {
	case <-lease.Lost():
		t.Error("a lease that was released is lost")
	default:
	}
	acquire(t, s.Other, "room", time.Minute)
}

// testLeaseOfTheDead writes a lease as a process does that is killed after.
func testLeaseOfTheDead(t *testing.T, s Subject) {
	create(t, s.One, "lease/room", "held", brief)
	ctx, cancel := context.WithTimeout(t.Context(), brief/10)
	defer cancel()
	if _, err := tokenstore.Acquire(ctx, s.Other, "room", time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a lease that is held: %v", err)
	}
	s.Advance(brief)
	acquire(t, s.Other, "room", time.Minute)
}

// testFencing lets a holder stand still beyond its lease, and another one work meanwhile.
func testFencing(t *testing.T, s Subject) {
	ctx := t.Context()
	create(t, s.One, "grant/a", "tokens 1", 0)
	create(t, s.One, "lease/a", "held", brief) // by one that won't renew it
	stale := wantValue(t, s.One, "grant/a", "tokens 1")
	s.Advance(brief)
	acquire(t, s.Other, "a", time.Minute)
	fresh := wantValue(t, s.Other, "grant/a", "tokens 1")
	if _, err := s.Other.Swap(ctx, "grant/a", fresh.Version, []byte("tokens 2"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := s.One.Swap(ctx, "grant/a", stale.Version, []byte("tokens 1b"), 0)
	wantError(t, err, tokenstore.ErrConflict)
	wantValue(t, s.One, "grant/a", "tokens 2")
}
