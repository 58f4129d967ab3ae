package tokenstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/auth/tokenstore"
)

// outage is a store that can be cut off.
type outage struct {
	tokenstore.Store
	down atomic.Bool
}

func (o *outage) Swap(ctx context.Context, key string, version uint64, value []byte, ttl time.Duration) (uint64, error) {
	if o.down.Load() {
		return 0, errDown
	}
	return o.Store.Swap(ctx, key, version, value, ttl)
}

func TestALeaseIsRenewedWhileItIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := tokenstore.NewMemory(nil)
		lease, err := tokenstore.Acquire(t.Context(), store, "room", 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := tokenstore.Acquire(ctx, store, "room", time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got in after an hour: %v", err)
		}
		lease.Release()
		begin := time.Now()
		other, err := tokenstore.Acquire(t.Context(), store, "room", time.Second)
		if err != nil || time.Since(begin) > 0 {
			t.Fatalf("after %v: %v", time.Since(begin), err)
		}
		other.Release()
		if _, err := store.Get(t.Context(), "lease/room"); !errors.Is(err, tokenstore.ErrNotFound) {
			t.Errorf("a released lease leaves %v", err)
		}
	})
}

func TestWhoWaitsGetsInSoonAfterARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := tokenstore.NewMemory(nil)
		lease, err := tokenstore.Acquire(t.Context(), store, "room", 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var waited time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			begin := time.Now()
			other, err := tokenstore.Acquire(t.Context(), store, "room", 3*time.Second)
			if err != nil {
				t.Error(err)
				return
			}
			waited = time.Since(begin)
			other.Release()
		}()
		time.Sleep(10 * time.Second) // of the bubble's clock
		lease.Release()
		<-done
		if waited < 10*time.Second || waited > 10*time.Second+150*time.Millisecond {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestALeaseIsLostWithItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := tokenstore.NewMemory(nil)
		lease, err := tokenstore.Acquire(t.Context(), store, "room", 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Take(t.Context(), "lease/room"); err != nil {
			t.Fatal(err)
		}
		other, err := tokenstore.Acquire(t.Context(), store, "room", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		<-lease.Lost()
		if time.Since(begin) > time.Second {
			t.Errorf("noticed after %v", time.Since(begin))
		}
		lease.Release() // does not take the name away from the other
		if _, err := store.Get(t.Context(), "lease/room"); err != nil {
			t.Error(err)
		}
		other.Release()
	})
}

func TestALeaseOutlivesAShortOutageButNotALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &outage{Store: tokenstore.NewMemory(nil)}
		lease, err := tokenstore.Acquire(t.Context(), store, "room", 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		store.down.Store(true)
		time.Sleep(2500 * time.Millisecond) // of the bubble's clock
		store.down.Store(false)
		time.Sleep(time.Minute)
		select {
		case <-lease.Lost():
			t.Fatal("lost by an outage shorter than its time")
		default:
		}
		store.down.Store(true)
		begin := time.Now()
		<-lease.Lost()
		if took := time.Since(begin); took < 2*time.Second || took > 4*time.Second {
			t.Errorf("lost after %v", took)
		}
		lease.Release()
	})
}

func TestALeaseNeedsATime(t *testing.T) {
	if _, err := tokenstore.Acquire(t.Context(), tokenstore.NewMemory(nil), "room", 0); err == nil {
		t.Error("a lease for ever")
	}
	if _, err := tokenstore.Acquire(t.Context(), tokenstore.NewMemory(nil), "a room", time.Second); err == nil {
		t.Error("a name that is no key")
	}
}
