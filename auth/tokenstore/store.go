// Package tokenstore keeps encrypted records for a while: in memory, in a folder, or in Redis. It knows nothing of OAuth,
// nor what the bytes mean.
package tokenstore

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Errors of every Store. Any other error means that the store can't be reached or can't write: the caller answers 503, and
// never that a token is bad.
var (
	// ErrNotFound says that there is no such record, or that its time is over.
	ErrNotFound = errors.New("no such record")
	// ErrConflict says that somebody else changed the record meanwhile.
	ErrConflict = errors.New("the record was changed meanwhile")
	// ErrSealed says that a record is there and can't be opened: its key left the ring, or it was altered.
	ErrSealed = errors.New("the record can't be opened: it was altered, or its key is gone")
)

// Record is what a store has under a key.
type Record struct {
	Value   []byte
	Version uint64    // changes with every write; never 0
	Expires time.Time // the zero time means never
}

// Store keeps records. A key is a table's name, a slash, and up to 128 of A-Z a-z 0-9 - _ (see Table). It is safe for
// concurrent use, by several processes where they share it.
type Store interface {
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)
	// Swap writes value where the record still has this version, and returns the new one. Version 0 creates, and a nil
	// value deletes. A ttl of 0 keeps the record until it is deleted. The error is ErrConflict where the record is another, is there already, or is gone.
	Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error)
	// Take returns a record and deletes it in one step: of many at once, one gets it and the others ErrNotFound.
	Take(ctx context.Context, key string) (Record, error)
	// Keys goes through the keys of a table. What is written meanwhile may be among them or not, and so may a record whose time is over. After an error
	// the rest follow, as far as they can be had.
	Keys(ctx context.Context, table string) iter.Seq2[string, error]
	// Check reports whether the store can be reached, read and written; it is asked for readiness.
	Check(ctx context.Context) error
	// Close lets go of what the store holds open, and waits for its goroutines.
	Close() error
}
