package tokenstore

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// sweepAtOnce bounds how many expired records one write removes, so that no caller pays for all of them.
const sweepAtOnce = 64

// memory is a store that ends with the process.
type memory struct {
	now func() time.Time

	mu      sync.Mutex
	records map[string]*held
	ending  endings
}

// held is a record in memory.
type held struct {
	Record
	key string
	at  int // its place among the endings; -1 where it never ends
}

// NewMemory returns a store that forgets everything at the end of the process. now is the clock; nil is time.Now.
func NewMemory(now func() time.Time) Store {
	if now == nil {
		now = time.Now
	}
	return &memory{now: now, records: map[string]*held{}}
}

// Get returns a copy of the record.
func (m *memory) Get(ctx context.Context, key string) (Record, error) {
	if err := checkCall(ctx, key); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.find(key)
	if h == nil {
		return Record{}, ErrNotFound
	}
	return h.copy(), nil
}

// Swap keeps a copy of value.
func (m *memory) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	if err := checkSwap(ctx, key, version, value); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.find(key)
	if old == nil && version != 0 || old != nil && old.Version != version {
		return 0, ErrConflict
	}
	m.remove(m.records[key])
	m.sweep()
	if value == nil {
		return 0, nil
	}
	h := &held{Record: Record{Value: bytes.Clone(value), Version: newVersion()}, key: key, at: -1}
	m.records[key] = h
	if ttl > 0 {
		h.Expires = m.now().Add(ttl)
		heap.Push(&m.ending, h)
	}
	return h.Version, nil
}

// Take returns the record, which nobody else has any more.
func (m *memory) Take(ctx context.Context, key string) (Record, error) {
	if err := checkCall(ctx, key); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.find(key)
	if h == nil {
		return Record{}, ErrNotFound
	}
	m.remove(h)
	return h.Record, nil
}

// Keys goes through the keys that were there when it began.
func (m *memory) Keys(ctx context.Context, table string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := errors.Join(ctx.Err(), checkTable(table)); err != nil {
			yield("", err)
			return
		}
		for _, key := range m.list(table + "/") {
			if ctx.Err() != nil {
				yield("", ctx.Err())
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

// Check has nothing to find.
func (m *memory) Check(ctx context.Context) error { return ctx.Err() }

// Close does nothing: the garbage collector does.
func (m *memory) Close() error { return nil }

func (m *memory) list(prefix string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(func(yield func(string) bool) {
		for key := range maps.Keys(m.records) {
			if strings.HasPrefix(key, prefix) && m.find(key) != nil && !yield(key) {
				return
			}
		}
	})
}

// find returns the record of a key, or nil. The lock is held.
func (m *memory) find(key string) *held {
	h := m.records[key]
	if h == nil || h.over(m.now()) {
		return nil
	}
	return h
}

// remove forgets a record; nil is none. The lock is held.
func (m *memory) remove(h *held) {
	if h == nil {
		return
	}
	delete(m.records, h.key)
	if h.at >= 0 {
		heap.Remove(&m.ending, h.at)
	}
}

// sweep forgets some of the records whose time is over. The lock is held.
func (m *memory) sweep() {
	now := m.now()
	for range sweepAtOnce {
		if len(m.ending) == 0 || !m.ending[0].over(now) {
			return
		}
		m.remove(m.ending[0])
	}
}

func (h *held) copy() Record {
	return Record{Value: bytes.Clone(h.Value), Version: h.Version, Expires: h.Expires}
}

// over reports whether the record's time is over.
func (r Record) over(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// endings are the records that end, a heap (container/heap) with the first to end at its top.
type endings []*held

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].Expires.Before(e[j].Expires) }
func (e endings) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].at, e[j].at = i, j
}

// Push adds a *held at the end.
func (e *endings) Push(x any) {
	h := x.(*held)
	h.at = len(*e)
	*e = append(*e, h)
}

// Pop takes the last one away.
func (e *endings) Pop() any {
	last := len(*e) - 1
	h := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	h.at = -1
	return h
}
