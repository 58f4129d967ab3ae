package tokenstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/auth/tokenstore/tokenstoretest"
)

// clock is a time that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

func TestMemoryKeepsTheContract(t *testing.T) {
	tokenstoretest.Run(t, func(*testing.T) tokenstoretest.Subject {
		var c clock
		store := tokenstore.NewMemory(c.now)
		return tokenstoretest.Subject{One: store, Other: store, Advance: c.advance}
	})
}

// TestMemoryForgetsWhatIsOver counts what 10,000 short records leave.
func TestMemoryForgetsWhatIsOver(t *testing.T) {
	var c clock
	store := tokenstore.NewMemory(c.now)
	for i := range 10_000 {
		if _, err := store.Swap(t.Context(), fmt.Sprintf("code/%d", i), 0, []byte("x"), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Swap(t.Context(), "grant/stays", 0, []byte("x"), time.Hour); err != nil {
		t.Fatal(err)
	}
	c.advance(2 * time.Minute)
	for i := range 200 { // 64 are swept at each
		if _, err := store.Swap(t.Context(), fmt.Sprintf("grant/%d", i), 0, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if n := tokenstore.MemoryRecords(store); n != 201 {
		t.Errorf("%d records are left, want 201", n)
	}
}
