package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/internal/fault"
)

func TestDrainWaitsForCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrain()
		_, end, err := d.begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- d.close(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Fatalf("closed with %v while a call was under way", err)
		default:
		}
		if _, _, err := d.begin(t.Context()); !errors.Is(err, fault.Unavailable) {
			t.Errorf("a new call: %v, want %s", err, fault.Unavailable)
		}
		end()
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
		if err := d.close(t.Context()); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

func TestDrainCutsOffWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrain()
		call, end, err := d.begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-call.Done()
			end()
		}()
		grace, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		start := time.Now()
		if err := d.close(grace); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close: %v", err)
		}
		if took := time.Since(start); took != 25*time.Second {
			t.Errorf("close took %s, want the grace", took)
		}
		if cause := context.Cause(call); !errors.Is(cause, errStopped) {
			t.Errorf("the call ended with %v", cause)
		}
	})
}

func TestDrainWithoutCalls(t *testing.T) {
	d := newDrain()
	_, end, err := d.begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	end()
	if err := d.close(t.Context()); err != nil {
		t.Error(err)
	}
}
