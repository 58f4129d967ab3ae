package tokenstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"mcpgate/internal/seal"
)

// Table keeps values of one type in a store, as JSON that is sealed (AES-256-GCM) for its table and key, so that a record
// moved to another key, or altered, does not open. A record that was sealed under an older key of the ring is sealed under
// the first one when it is next written.
type Table[T any] struct {
	store Store
	ring  *seal.Ring
	name  string
}

// NewTable returns the table of a name, such as "grant": a-z and digits.
func NewTable[T any](store Store, ring *seal.Ring, name string) *Table[T] {
	return &Table[T]{store, ring, name}
}

// Get returns the value under a key and its version. The error is ErrNotFound, ErrSealed, or the store's.
func (t *Table[T]) Get(ctx context.Context, key string) (value T, version uint64, err error) {
	record, err := t.store.Get(ctx, t.key(key))
	if err != nil {
		return value, 0, err
	}
	value, err = t.open(key, record)
	return value, record.Version, err
}

// Put writes a value whatever was there.
func (t *Table[T]) Put(ctx context.Context, key string, value T, ttl time.Duration) error {
	sealed, err := t.seal(key, value)
	if err != nil {
		return err
	}
	for {
		record, err := t.store.Get(ctx, t.key(key))
		if errors.Is(err, ErrSealed) { // a damaged file, which has no version
			_, err = t.store.Take(ctx, t.key(key))
		}
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrSealed) {
			return err
		}
		// Somebody else's write in between is no obstacle. Each round that fails is one that another writer won, so this ends.
		if _, err = t.store.Swap(ctx, t.key(key), record.Version, sealed, ttl); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// Create writes a value where there is none, else ErrConflict.
func (t *Table[T]) Create(ctx context.Context, key string, value T, ttl time.Duration) error {
	_, err := t.Swap(ctx, key, 0, value, ttl)
	return err
}

// Swap writes a value where the record still has this version, else ErrConflict, and returns the new version.
func (t *Table[T]) Swap(ctx context.Context, key string, version uint64, value T, ttl time.Duration) (uint64, error) {
	sealed, err := t.seal(key, value)
	if err != nil {
		return 0, err
	}
	return t.store.Swap(ctx, t.key(key), version, sealed, ttl)
}

// Take returns a value and deletes it in one step. The error is ErrNotFound, ErrSealed, or the store's.
func (t *Table[T]) Take(ctx context.Context, key string) (value T, err error) {
	record, err := t.store.Take(ctx, t.key(key))
	if err != nil {
		return value, err
	}
	return t.open(key, record)
}

// Delete deletes a record; that it is not there is no error.
func (t *Table[T]) Delete(ctx context.Context, key string) error {
	_, err := t.store.Take(ctx, t.key(key))
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrSealed) { // a damaged one is gone too
		return nil
	}
	return err
}

// All goes through the table: key and value. A record that can't be opened is yielded as its error, and the rest follow.
func (t *Table[T]) All(ctx context.Context) iter.Seq2[Entry[T], error] {
	return func(yield func(Entry[T], error) bool) {
		for full, err := range t.store.Keys(ctx, t.name) {
			if err != nil {
				if !yield(Entry[T]{}, err) {
					return
				}
				continue
			}
			key := full[len(t.name)+1:]
			value, _, err := t.Get(ctx, key)
			if errors.Is(err, ErrNotFound) {
				continue // gone since it was listed
			}
			if !yield(Entry[T]{key, value}, err) {
				return
			}
		}
	}
}

// Entry is one record of a table.
type Entry[T any] struct {
	Key   string
	Value T
}

func (t *Table[T]) key(key string) string { return t.name + "/" + key }

func (t *Table[T]) seal(key string, value T) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("a record of %s can't be written as JSON: %w", t.name, err)
	}
	return t.ring.SealBytes("store "+t.name, key, plain)
}

func (t *Table[T]) open(key string, record Record) (value T, err error) {
	plain, err := t.ring.OpenBytes("store "+t.name, key, record.Value)
	if errors.Is(err, seal.ErrInvalid) {
		return value, fmt.Errorf("%s: %w", t.key(key), ErrSealed)
	}
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(plain, &value); err != nil {
		// Without the cause: it may quote what the record says.
		return value, fmt.Errorf("%s: the record is not what this version of mcpgate writes", t.key(key))
	}
	return value, nil
}
