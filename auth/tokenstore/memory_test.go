package tokenstore_test

import (
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
