package grant

import (
	"container/list"
	"sync"
	"time"
)

// lru keeps the values that were used last, each until its time is over. It is safe for concurrent use.
type lru[V any] struct {
	size int

	mu      sync.Mutex
	entries map[string]*list.Element // of *cached[V]
	recent  *list.List               // the front was used last
	// writes counts what was written by the first byte of the key, so that a value which was read before a write is not kept after it.
	writes [256]uint64
}

type cached[V any] struct {
	key   string
	value V
	until time.Time
}

// newLRU returns an lru for up to size values; 0 keeps none.
func newLRU[V any](size int) *lru[V] {
	return &lru[V]{size: size, entries: map[string]*list.Element{}, recent: list.New()}
}

// get returns the value of a key, unless its time is over.
func (c *lru[V]) get(key string, now time.Time) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.entries[key]
	if !ok {
		return value, false
	}
	entry := element.Value.(*cached[V])
	if !now.Before(entry.until) {
		c.remove(element)
		return value, false
	}
	c.recent.MoveToFront(element)
	return entry.value, true
}

// seen says how often something like key was written: for putRead.
func (c *lru[V]) seen(key string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes[key[0]]
}

// putRead keeps a value that was read after seen, unless something was written since.
func (c *lru[V]) putRead(key string, value V, until time.Time, seen uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes[key[0]] == seen {
		c.set(key, value, until)
	}
}

// put keeps a value that was written.
func (c *lru[V]) put(key string, value V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes[key[0]]++
	c.set(key, value, until)
}

// forget drops a key, since what was written is not known.
func (c *lru[V]) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes[key[0]]++
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
}

// set keeps a value and drops the one that was used longest ago. The lock is held.
func (c *lru[V]) set(key string, value V, until time.Time) {
	if c.size <= 0 {
		return
	}
	if element, ok := c.entries[key]; ok {
		c.remove(element)
	}
	for c.recent.Len() >= c.size {
		c.remove(c.recent.Back())
	}
	c.entries[key] = c.recent.PushFront(&cached[V]{key, value, until})
}

// remove drops an entry. The lock is held.
func (c *lru[V]) remove(element *list.Element) {
	delete(c.entries, element.Value.(*cached[V]).key)
	c.recent.Remove(element)
}
