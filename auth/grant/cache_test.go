package grant

import (
	"fmt"
	"testing"
	"time"
)

func TestLRU(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	c := newLRU[int](3)
	want := func(now time.Time, key string, value int, found bool) {
		t.Helper()
		if got, ok := c.get(key, now); got != value || ok != found {
			t.Errorf("%s is %d, %v", key, got, ok)
		}
	}
	for i, key := range []string{"a", "b", "c"} {
		c.put(key, i+1, start.Add(time.Duration(i+1)*time.Minute))
	}
	want(start, "a", 1, true)
	c.put("d", 4, start.Add(time.Hour)) // in the place of b, which was not used since
	want(start, "b", 0, false)
	want(start, "a", 1, true)
	want(start.Add(time.Minute), "a", 0, false)
	want(start.Add(time.Minute), "c", 3, true)
	want(start.Add(3*time.Minute-1), "c", 3, true)
	want(start.Add(3*time.Minute), "c", 0, false)
	c.put("d", 5, start.Add(time.Hour))
	want(start, "d", 5, true)
	c.forget("d")
	c.forget("d")
	want(start, "d", 0, false)
	if len(c.entries) != 0 || c.recent.Len() != 0 {
		t.Errorf("%d and %d entries are left", len(c.entries), c.recent.Len())
	}
}

func TestLRUIsBounded(t *testing.T) {
	for _, size := range []int{0, 1, 10} {
		c := newLRU[int](size)
		for i := range 1000 {
			c.put(fmt.Sprint(i%50), i, time.Now().Add(time.Hour))
		}
		if len(c.entries) != size || c.recent.Len() != size {
			t.Errorf("%d entries of %d", len(c.entries), size)
		}
	}
}

// What was read before a write is not kept after it.
func TestLRUKeepsNothingStale(t *testing.T) {
	now := time.Now()
	later := now.Add(time.Hour)
	c := newLRU[string](10)
	seen := c.seen("k")
	c.put("k", "new", later)
	c.putRead("k", "old", later, seen)
	if got, _ := c.get("k", now); got != "new" {
		t.Error(got)
	}
	seen = c.seen("k")
	c.forget("k")
	c.putRead("k", "old", later, seen)
	if got, ok := c.get("k", now); ok {
		t.Error(got)
	}
	c.putRead("k", "read", later, c.seen("k"))
	if got, _ := c.get("k", now); got != "read" {
		t.Error(got)
	}
}
