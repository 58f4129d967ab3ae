// Package tokenstoretest is the contract of tokenstore.Store as tests that every store runs. It does not know how a store keeps its records.
package tokenstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
)

// Subject is an empty store under test.
type Subject struct {
	// One and Other are two handles on the same records, as two processes have them.
	One, Other tokenstore.Store
	// Advance lets this much time pass for the store, or a little more.
	Advance func(time.Duration)
}

// racers is how many goroutines want the same record.
const racers = 64

// Run runs the contract. open is asked for a new store by each test, and closes it with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	tests := []struct {
		name string
		test func(*testing.T, Subject)
	}{
		{"what is written is read", testRoundTrip},
		{"creating needs that there is none", testCreate},
		{"a write needs the version", testSwap},
		{"a version never comes again", testVersions},
		{"a record is taken once", testTake},
		{"of many who take one gets it", testTakeRace},
		{"of many who swap one wins", testSwapRace},
		{"of many who create one wins", testCreateRace},
		{"of many who write, delete and take one wins", testMixedRace},
		{"no increment is lost", testCounter},
		{"a record ends", testExpiry},
		{"an ended record can be made anew", testExpiredIsGone},
		{"a write begins the time anew", testTTLIsRenewed},
		{"keys of one table are listed", testKeys},
		{"keys are listed while others write", testKeysWhileWriting},
		{"names that differ in case alone are two", testCase},
		{"the longest key and a large value", testLarge},
		{"a value is the store's own", testCopies},
		{"a cancelled call does nothing", testCancelled},
		{"what is no key is refused", testBadKeys},
		{"a store that works checks well", testCheck},
		{"a lease excludes", testLeaseExcludes},
		{"a released lease is free at once", testLeaseRelease},
		{"a dead holder's lease ends", testLeaseOfTheDead},
		{"who lost a lease can't write", testFencing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func create(t testing.TB, s tokenstore.Store, key, value string, ttl time.Duration) uint64 {
	t.Helper()
	version, err := s.Swap(t.Context(), key, 0, []byte(value), ttl)
	if err != nil || version == 0 {
		t.Fatalf("creating %s: version %d, %v", key, version, err)
	}
	return version
}

func wantValue(t testing.TB, s tokenstore.Store, key, want string) tokenstore.Record {
	t.Helper()
	record, err := s.Get(t.Context(), key)
	if err != nil || string(record.Value) != want {
		t.Fatalf("%s: %q, %v; want %q", key, record.Value, err, want)
	}
	return record
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v, want %v", err, want)
	}
}

func wantGone(t testing.TB, s tokenstore.Store, key string) {
	t.Helper()
	_, err := s.Get(t.Context(), key)
	wantError(t, err, tokenstore.ErrNotFound)
}

func testRoundTrip(t *testing.T, s Subject) {
	wantGone(t, s.One, "code/a")
	version := create(t, s.One, "code/a", "first", 0)
	for _, store := range []tokenstore.Store{s.One, s.Other} {
		record := wantValue(t, store, "code/a", "first")
		if record.Version != version || !record.Expires.IsZero() {
			t.Errorf("version %d until %v, want %d for ever", record.Version, record.Expires, version)
		}
	}
	binary := string([]byte{0, 255, '\r', '\n', 0})
	create(t, s.One, "code/b", binary, time.Hour)
	if wantValue(t, s.Other, "code/b", binary).Expires.IsZero() {
		t.Error("a record with a ttl has no end")
	}
	create(t, s.One, "code/empty", "", 0)
	wantValue(t, s.Other, "code/empty", "")
}

func testCreate(t *testing.T, s Subject) {
	create(t, s.One, "code/a", "first", 0)
	_, err := s.Other.Swap(t.Context(), "code/a", 0, []byte("second"), 0)
	wantError(t, err, tokenstore.ErrConflict)
	wantValue(t, s.One, "code/a", "first")
}

func testSwap(t *testing.T, s Subject) {
	ctx := t.Context()
	first := create(t, s.One, "code/a", "first", 0)
	second, err := s.Other.Swap(ctx, "code/a", first, []byte("second"), 0)
	if err != nil || second == first || second == 0 {
		t.Fatalf("version %d after %d, %v", second, first, err)
	}
	_, err = s.One.Swap(ctx, "code/a", first, []byte("third"), 0)
	wantError(t, err, tokenstore.ErrConflict)
	_, err = s.One.Swap(ctx, "code/a", first, nil, 0)
	wantError(t, err, tokenstore.ErrConflict)
	wantValue(t, s.One, "code/a", "second")
	if _, err = s.One.Swap(ctx, "code/a", second, nil, 0); err != nil {
		t.Fatal(err)
	}
	wantGone(t, s.Other, "code/a")
	for _, value := range [][]byte{[]byte("fourth"), nil} {
		_, err = s.Other.Swap(ctx, "code/a", second, value, 0)
		wantError(t, err, tokenstore.ErrConflict)
	}
	wantGone(t, s.One, "code/a")
	if _, err := s.One.Swap(ctx, "code/a", 0, nil, 0); err == nil {
		t.Error("deleting without a version succeeded")
	}
}

// testVersions holds that a writer who read a record which was deleted and made anew since does not overwrite the new one.
func testVersions(t *testing.T, s Subject) {
	seen := map[uint64]bool{}
	for i := range 20 {
		version := create(t, s.One, "code/a", "same", 0)
		if seen[version] {
			t.Fatalf("version %d came again", version)
		}
		seen[version] = true
		for old := range seen {
			if old != version {
				_, err := s.Other.Swap(t.Context(), "code/a", old, []byte("stale"), 0)
				wantError(t, err, tokenstore.ErrConflict)
			}
		}
		if i%2 == 0 {
			if _, err := s.Other.Take(t.Context(), "code/a"); err != nil {
				t.Fatal(err)
			}
		} else if _, err := s.Other.Swap(t.Context(), "code/a", version, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func testTake(t *testing.T, s Subject) {
	version := create(t, s.One, "code/a", "first", time.Hour)
	record, err := s.Other.Take(t.Context(), "code/a")
	if err != nil || string(record.Value) != "first" || record.Version != version || record.Expires.IsZero() {
		t.Fatalf("%+v, %v", record, err)
	}
	for _, store := range []tokenstore.Store{s.One, s.Other} {
		wantGone(t, store, "code/a")
		_, err = store.Take(t.Context(), "code/a")
		wantError(t, err, tokenstore.ErrNotFound)
	}
}

// race runs f in many goroutines at once, on both handles, and returns how many succeeded. Another error than want fails the test.
func race(t *testing.T, s Subject, want error, f func(i int, store tokenstore.Store) error) int {
	t.Helper()
	var won atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		store := []tokenstore.Store{s.One, s.Other}[i%2]
		wg.Go(func() {
			<-start
			switch err := f(i, store); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, want):
				t.Errorf("racer %d: %v, want %v", i, err, want)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(won.Load())
}

func testTakeRace(t *testing.T, s Subject) {
	for round := range 5 {
		key := fmt.Sprintf("code/round%d", round)
		create(t, s.One, key, "once", time.Hour)
		won := race(t, s, tokenstore.ErrNotFound, func(_ int, store tokenstore.Store) error {
			record, err := store.Take(t.Context(), key)
			if err == nil && string(record.Value) != "once" {
				t.Errorf("took %q", record.Value)
			}
			return err
		})
		if won != 1 {
			t.Fatalf("%d of %d took the record", won, racers)
		}
	}
}

func testSwapRace(t *testing.T, s Subject) {
	version := create(t, s.One, "code/a", "start", 0)
	var winner atomic.Int64
	won := race(t, s, tokenstore.ErrConflict, func(i int, store tokenstore.Store) error {
		_, err := store.Swap(t.Context(), "code/a", version, fmt.Appendf(nil, "racer %d", i), time.Hour)
		if err == nil {
			winner.Store(int64(i))
		}
		return err
	})
	if won != 1 {
		t.Fatalf("%d of %d wrote", won, racers)
	}
	wantValue(t, s.Other, "code/a", fmt.Sprintf("racer %d", winner.Load()))
}

func testCreateRace(t *testing.T, s Subject) {
	won := race(t, s, tokenstore.ErrConflict, func(_ int, store tokenstore.Store) error {
		_, err := store.Swap(t.Context(), "code/a", 0, []byte("mine"), time.Hour)
		return err
	})
	if won != 1 {
		t.Fatalf("%d of %d created the record", won, racers)
	}
}

// testMixedRace holds that the first one ends the version for all the others, whatever they are about to do. A taker does not
// name a version, so that one may take what a writer wrote just before.
func testMixedRace(t *testing.T, s Subject) {
	for round := range 5 {
		key := fmt.Sprintf("code/round%d", round)
		version := create(t, s.One, key, "start", 0)
		var wrote, deleted, took atomic.Int64
		race(t, s, tokenstore.ErrConflict, func(i int, store tokenstore.Store) error {
			var err error
			switch i / 2 % 3 {
			case 0:
				if _, err = store.Swap(t.Context(), key, version, []byte("written"), 0); err == nil {
					wrote.Add(1)
				}
			case 1:
				if _, err = store.Swap(t.Context(), key, version, nil, 0); err == nil {
					deleted.Add(1)
				}
			default:
				if _, err = store.Take(t.Context(), key); err == nil {
					took.Add(1)
				} else if errors.Is(err, tokenstore.ErrNotFound) {
					err = nil
				}
			}
			return err
		})
		_, err := s.One.Get(t.Context(), key)
		gone := errors.Is(err, tokenstore.ErrNotFound)
		switch w, d, tk := wrote.Load(), deleted.Load(), took.Load(); {
		case w+d > 1, w+d == 0 && tk != 1, d == 1 && tk != 0, tk > 1:
			t.Fatalf("%d wrote, %d deleted, %d took", w, d, tk)
		case gone != (d+tk == 1):
			t.Fatalf("%d wrote, %d deleted, %d took, and reading says %v", w, d, tk, err)
		}
	}
}

// testCounter lets eight writers count to 80 together by read and swap.
func testCounter(t *testing.T, s Subject) {
	const writers, each = 8, 10
	create(t, s.One, "code/count", "", 0)
	var wg sync.WaitGroup
	for i := range writers {
		store := []tokenstore.Store{s.One, s.Other}[i%2]
		wg.Go(func() {
			for range each {
				if err := increment(t.Context(), store, "code/count"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	wantValue(t, s.One, "code/count", strings.Repeat("x", writers*each))
}

func increment(ctx context.Context, store tokenstore.Store, key string) error {
	for {
		record, err := store.Get(ctx, key)
		if err != nil {
			return err
		}
		_, err = store.Swap(ctx, key, record.Version, append(record.Value, 'x'), 0)
		if !errors.Is(err, tokenstore.ErrConflict) {
			return err
		}
	}
}

func testLarge(t *testing.T, s Subject) {
	key := "code/" + strings.Repeat("Zz-_", 32)
	value := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	create(t, s.One, key, string(value), time.Hour)
	if record, err := s.Other.Get(t.Context(), key); err != nil || !bytes.Equal(record.Value, value) {
		t.Fatalf("%d bytes, %v", len(record.Value), err)
	}
	if record, err := s.Other.Take(t.Context(), key); err != nil || !bytes.Equal(record.Value, value) {
		t.Fatalf("%d bytes, %v", len(record.Value), err)
	}
}

func testCopies(t *testing.T, s Subject) {
	value := []byte("value")
	if _, err := s.One.Swap(t.Context(), "code/a", 0, value, 0); err != nil {
		t.Fatal(err)
	}
	value[0] = 'X'
	wantValue(t, s.One, "code/a", "value").Value[0] = 'Y'
	wantValue(t, s.One, "code/a", "value")
}

func testCase(t *testing.T, s Subject) {
	create(t, s.One, "code/abc", "lower", 0)
	create(t, s.One, "code/ABC", "upper", 0)
	wantValue(t, s.Other, "code/abc", "lower")
	wantValue(t, s.Other, "code/ABC", "upper")
}

func testCancelled(t *testing.T, s Subject) {
	version := create(t, s.One, "code/a", "first", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := s.One.Get(ctx, "code/a")
	_, swapErr := s.One.Swap(ctx, "code/a", version, []byte("second"), 0)
	_, takeErr := s.One.Take(ctx, "code/a")
	var keysErr error
	for _, err := range s.One.Keys(ctx, "code") {
		keysErr = err
	}
	_, leaseErr := tokenstore.Acquire(ctx, s.One, "name", time.Minute)
	for _, err := range []error{getErr, swapErr, takeErr, keysErr, leaseErr, s.One.Check(ctx)} {
		wantError(t, err, context.Canceled)
	}
	wantValue(t, s.Other, "code/a", "first")
}

func testBadKeys(t *testing.T, s Subject) {
	for _, key := range []string{"", "code", "code/", "/a", "code/a/b", "code/..", "code/a.b", "../code/a", "Code/a", "co_de/a",
		"code/a b", "code/\x00", "code/ä", "code/a*", "code/{a}", "code/" + strings.Repeat("a", 129)} {
		_, getErr := s.One.Get(t.Context(), key)
		_, swapErr := s.One.Swap(t.Context(), key, 0, []byte("x"), 0)
		_, takeErr := s.One.Take(t.Context(), key)
		for _, err := range []error{getErr, swapErr, takeErr} {
			if err == nil || errors.Is(err, tokenstore.ErrNotFound) || errors.Is(err, tokenstore.ErrConflict) {
				t.Errorf("%q: %v", key, err)
			}
		}
	}
	for _, table := range []string{"", "*", "..", "code/a"} {
		for key, err := range s.One.Keys(t.Context(), table) {
			if err == nil {
				t.Errorf("table %q has a key %q", table, key)
			}
		}
	}
}

func testCheck(t *testing.T, s Subject) {
	for range 3 {
		if err := errors.Join(s.One.Check(t.Context()), s.Other.Check(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}

// list returns the keys of a table, sorted.
func list(t testing.TB, s tokenstore.Store, table string) []string {
	t.Helper()
	var keys []string
	for key, err := range s.Keys(t.Context(), table) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func testKeys(t *testing.T, s Subject) {
	if keys := list(t, s.One, "grant"); len(keys) > 0 {
		t.Fatalf("an empty store has %q", keys)
	}
	var want []string
	for i := range 300 {
		key := fmt.Sprintf("grant/Key_%03d-x", i)
		create(t, s.One, key, "x", 0)
		want = append(want, key)
	}
	create(t, s.One, "grants/other", "x", 0)
	create(t, s.One, "gran/other", "x", 0)
	if got := list(t, s.Other, "grant"); !slices.Equal(got, want) {
		t.Fatalf("listed %d keys %q, want %d", len(got), got, len(want))
	}
	for _, err := range s.One.Keys(t.Context(), "grant") {
		if err != nil {
			t.Error(err)
		}
		break // whoever stops early leaves nothing behind
	}
}

// testKeysWhileWriting holds that records which stay are listed whatever happens to others.
func testKeysWhileWriting(t *testing.T, s Subject) {
	var want []string
	for i := range 50 {
		key := fmt.Sprintf("grant/stay%02d", i)
		create(t, s.One, key, "x", 0)
		want = append(want, key)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			_, _ = s.One.Swap(ctx, fmt.Sprintf("grant/come%d", i%100), 0, []byte("x"), 0)
			_, _ = s.One.Take(ctx, fmt.Sprintf("grant/come%d", (i+50)%100))
		}
	})
	for range 5 {
		got := slices.DeleteFunc(list(t, s.Other, "grant"), func(key string) bool { return strings.HasPrefix(key, "grant/come") })
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("listed %q, want %q", got, want)
		}
	}
	cancel()
	wg.Wait()
}
