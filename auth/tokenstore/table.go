package tokenstore

import (
	"context"
	"errors"
	"iter"
	"time"

	"mcpgate/internal/seal"
)

// errNotBuilt marks what is a joint only.
var errNotBuilt = errors.New("not built yet")

// Table keeps values of one type in a store, as JSON that is sealed (AES-256-GCM) for its table and key, so that a record
// moved to another key, or altered, does not open.
type Table[T any] struct {
	store Store
	ring  *seal.Ring
	name  string
}

// NewTable returns the table of a name, such as "grant": a-z and digits.
func NewTable[T any](store Store, ring *seal.Ring, name string) *Table[T] {
	return &Table[T]{store, ring, name}
}

// Get returns the value under a key and its version.
func (t *Table[T]) Get(ctx context.Context, key string) (value T, version uint64, err error) {
	return value, 0, errNotBuilt
}

// Put writes a value whatever was there.
func (t *Table[T]) Put(ctx context.Context, key string, value T, ttl time.Duration) error {
	return errNotBuilt
}

// Create writes a value where there is none, else ErrConflict.
func (t *Table[T]) Create(ctx context.Context, key string, value T, ttl time.Duration) error {
	return errNotBuilt
}

// Swap writes a value where the record still has this version, else ErrConflict, and returns the new version.
func (t *Table[T]) Swap(ctx context.Context, key string, version uint64, value T, ttl time.Duration) (uint64, error) {
	return 0, errNotBuilt
}

// Take returns a value and deletes it in one step.
func (t *Table[T]) Take(ctx context.Context, key string) (value T, err error) {
	return value, errNotBuilt
}

// Delete deletes a record; that it is not there is no error.
func (t *Table[T]) Delete(ctx context.Context, key string) error { return errNotBuilt }

// All goes through the table: key and value. A record that can't be opened is yielded as its error, and the rest follow.
func (t *Table[T]) All(ctx context.Context) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) { yield(Entry[T]{}, errNotBuilt) }
}

// Entry is one record of a table.
type Entry[T any] struct {
	Key   string
	Value T
}

// Lease holds a name for this process alone, among all that share the store. It is renewed while it is held, and ends by itself soon after
// the process does. What is done under it is fenced by the version of the record that it is about: Swap fails where a lease was lost meanwhile.
type Lease struct{}

// Acquire waits until the name is free or ctx ends. ttl is how long a dead process keeps it.
func Acquire(ctx context.Context, store Store, name string, ttl time.Duration) (*Lease, error) {
	return nil, errNotBuilt
}

// Release gives the name back.
func (l *Lease) Release() {}
