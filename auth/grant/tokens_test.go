package grant

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// Of 50 callers in three processes with a token that is over, one refreshes and all get what came of it.
func TestOneRefreshesForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		a, _ := h.keeper()
		b, _ := h.keeper()
		c, _ := h.keeper()
		old := h.keep(a)
		time.Sleep(2 * time.Minute)
		h.idp.thinks, h.idp.takes = time.Second, time.Second
		var wg sync.WaitGroup
		got := make([]string, 50)
		for i := range got {
			wg.Go(func() { got[i] = h.access([]*Keeper{a, b, c}[i%3]) })
		}
		wg.Wait()
		for _, token := range got {
			if token == old.AccessToken || token != got[0] {
				t.Errorf("%q, and %q for the first", token, got[0])
			}
		}
		h.wantCount(1)
		h.close(a, b, c)
	})
}

// While a token holds, nobody waits for its refresh, and the next ones get the new token.
func TestRefreshAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, w := h.keeper()
		old := h.keep(k).AccessToken
		time.Sleep(44 * time.Minute)
		if got := h.access(k); got != old {
			t.Errorf("%q before it is due", got)
		}
		h.wantCount(0)
		reads := w.reads.Load()
		for range 100 {
			h.access(k)
		}
		if got := w.reads.Load(); got != reads {
			t.Errorf("the store was read %d times for what is in memory", got-reads)
		}
		time.Sleep(time.Minute + time.Second)
		h.idp.thinks = 20 * time.Second // a slow provider hurts nobody
		began := time.Now()
		if got := h.access(k); got != old || time.Since(began) > 0 {
			t.Errorf("%q after %v", got, time.Since(began))
		}
		time.Sleep(21 * time.Second)
		renewed := h.access(k)
		if renewed == old {
			t.Error("it was not refreshed")
		}
		h.wantCount(1)
		// Another process, and this one after a restart, find it in the store.
		again, _ := h.keeper()
		if got := h.access(again); got != renewed {
			t.Errorf("%q is stored", got)
		}
		h.wantCount(1)
		if log := h.log.String(); !strings.Contains(log, "event=upstream.refreshed") || strings.Contains(log, "anne") {
			t.Errorf("the log:\n%s", log)
		}
		h.close(k, again)
	})
}

// A provider that is down is nobody's concern while the token holds. Then callers are told when to come again, nobody is logged out, and
// the provider is not flooded.
func TestProviderDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, _ := h.keeper()
		old := h.keep(k).AccessToken
		h.idp.fail(passing("no route to host", nil))
		time.Sleep(50 * time.Minute)
		for range 10 * 60 { // ten minutes of calls
			if got := h.access(k); got != old {
				t.Errorf("%q", got)
			}
			time.Sleep(time.Second - time.Millisecond)
		}
		asked := h.idp.count()
		if asked < 30 || asked > 50 {
			t.Errorf("the provider was asked %d times in ten minutes", asked)
		}
		time.Sleep(time.Minute)
		for range 1000 {
			_, err := k.Tokens(t.Context(), anne)
			h.wantCode(err, fault.Unavailable)
		}
		if got := h.idp.count(); got > asked+1 {
			t.Errorf("1000 calls at once asked the provider %d times", got-asked)
		}
		h.idp.fail(nil)
		time.Sleep(lastPause)
		if got := h.access(k); got == old {
			t.Error("it was not refreshed when the provider came back")
		}
		h.close(k)
	})
}

// A 429's Retry-After is kept, up to a limit.
func TestProviderSaysWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		k, _ := h.keeper()
		h.keep(k)
		busy := passing("too many requests", nil)
		busy.RetryAfter = 2 * time.Minute
		h.idp.fail(busy)
		time.Sleep(time.Minute)
		_, err := k.Tokens(t.Context(), anne)
		if f := h.wantCode(err, fault.Unavailable); f.RetryAfter != 2*time.Minute {
			t.Errorf("%v", f.RetryAfter)
		}
		h.idp.fail(nil)
		time.Sleep(time.Minute)
		_, err = k.Tokens(t.Context(), anne)
		if f := h.wantCode(err, fault.Unavailable); f.RetryAfter != time.Minute {
			t.Errorf("%v", f.RetryAfter)
		}
		h.wantCount(1)
		time.Sleep(time.Minute)
		h.access(k)
		h.wantCount(2)
		// A new login is not made to wait for what became of the one before.
		h.idp.fail(busy)
		time.Sleep(time.Minute)
		_, err = k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.Unavailable)
		h.keep(k)
		h.idp.fail(nil)
		time.Sleep(time.Minute)
		h.access(k)
		h.wantCount(4)
		h.close(k)
	})
}

// What the provider ended is over for all, is told apart from what passes, and is not asked about again.
func TestDeadGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		a, _ := h.keeper()
		b, _ := h.keeper()
		h.keep(a)
		h.idp.ended["anne"] = true
		time.Sleep(time.Minute)
		for range 102 {
			for _, k := range []*Keeper{a, b} {
				_, err := k.Tokens(t.Context(), anne)
				if f := h.wantCode(err, fault.LoginRequired); !strings.Contains(f.Message, "invalid_grant") {
					t.Errorf("%q", f.Message)
				}
				_, err = k.Renew(t.Context(), anne, "secret-access-anne-1")
				h.wantCode(err, fault.LoginRequired)
			}
			time.Sleep(time.Second)
		}
		h.wantCount(1)
		h.wantCode(a.Extend(t.Context(), anne, time.Hour), fault.LoginRequired)
		for got, err := range b.All(t.Context()) {
			if err != nil || !got.Dead || got.Reason != "invalid_grant" || got.Key != anne {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if log := h.log.String(); strings.Count(log, "event=upstream.dead") != 1 || strings.Contains(log, "never stored") {
			t.Errorf("the log:\n%s", log)
		}
		// A new login of the same person takes its place at once here, and soon elsewhere.
		h.idp.ended["anne"] = false
		fresh := h.keep(a).AccessToken
		if got := h.access(a); got != fresh {
			t.Error(got)
		}
		time.Sleep(deadRecheck)
		if got := h.access(b); got != fresh {
			t.Error(got)
		}
		h.close(a, b)
	})
}

// That a provider refuses the gateway itself is the operator's to mend: the grant stays, and callers are not told to log in.
func TestGatewayRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		k, _ := h.keeper()
		h.keep(k)
		h.idp.fail(fault.New(fault.CredentialsInvalid, "the provider refuses the gateway's client_id", nil))
		time.Sleep(59 * time.Second)
		h.access(k) // its last moments
		time.Sleep(time.Minute)
		for range 10 {
			_, err := k.Tokens(t.Context(), anne)
			if f := h.wantCode(err, fault.CredentialsInvalid); f.Retryable {
				t.Error("it is said to pass")
			}
		}
		if !strings.Contains(h.log.String(), "event=upstream.refresh_failed") {
			t.Errorf("the log:\n%s", h.log)
		}
		h.idp.fail(nil)
		time.Sleep(lastPause)
		h.access(k)
		h.close(k)
	})
}

func TestTokensThatNeedNoRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 0)
		k, _ := h.keeper()
		forever := h.keep(k).AccessToken
		time.Sleep(20 * 24 * time.Hour)
		if got := h.access(k); got != forever {
			t.Error(got)
		}
		h.wantCount(0)

		h.idp.life = time.Hour
		once := h.idp.login("anne")
		once.RefreshToken = ""
		if err := k.Keep(t.Context(), anne, provider.Identity{}, once, 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		if got := h.access(k); got != once.AccessToken {
			t.Error(got)
		}
		tokens, err := k.Renew(t.Context(), anne, once.AccessToken)
		if err != nil || tokens.AccessToken != once.AccessToken {
			t.Errorf("%v %v", tokens, err)
		}
		time.Sleep(time.Minute)
		_, err = k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		_, err = k.Renew(t.Context(), anne, once.AccessToken)
		h.wantCode(err, fault.LoginRequired)
		h.wantCount(0)
		h.close(k)
	})
}

// Clocks of two processes that differ by two minutes cost some refreshes, and no more.
func TestClocksThatDiffer(t *testing.T) {
	for _, ahead := range []time.Duration{2 * time.Minute, -2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, 5*time.Minute)
			a, _ := h.keeper()
			b, _ := h.keeper()
			b.now = func() time.Time { return time.Now().Add(ahead) }
			h.keep(a)
			for range 12 * 20 { // 20 minutes
				for _, k := range []*Keeper{a, b} {
					h.access(k)
				}
				time.Sleep(5 * time.Second)
			}
			if got := h.idp.count(); got < 4 || got > 20 {
				t.Errorf("%v: %d refreshes in 20 minutes", ahead, got)
			}
			if len(h.idp.reused) > 0 {
				t.Error("a refresh token was used twice")
			}
			h.close(a, b)
		})
	}
}

// A store that is down never asks anybody to log in. What is in memory serves until it has to be looked at.
func TestStoreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, w := h.keeper()
		old := h.keep(k).AccessToken
		w.cut.Store(true)
		time.Sleep(defaultRecheck - time.Nanosecond)
		h.access(k)
		time.Sleep(time.Nanosecond)
		_, err := k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.Unavailable)
		_, err = k.Renew(t.Context(), anne, old)
		h.wantCode(err, fault.Unavailable)
		h.wantCode(k.Keep(t.Context(), anne, provider.Identity{}, provider.Tokens{}, 0), fault.Unavailable)
		h.wantCode(k.Extend(t.Context(), anne, 0), fault.Unavailable)
		h.wantCode(k.End(t.Context(), anne), fault.Unavailable)
		w.cut.Store(false)
		if got := h.access(k); got != old {
			t.Error(got)
		}
		// One that can be read and not written is not refreshed: the provider would give out what can't be kept.
		w.readOnly.Store(true)
		time.Sleep(50 * time.Minute)
		if got := h.access(k); got != old {
			t.Error(got)
		}
		time.Sleep(10 * time.Minute)
		_, err = k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.Unavailable)
		h.wantCount(0)
		w.readOnly.Store(false)
		if got := h.access(k); got == old {
			t.Error("it was not refreshed")
		}
		h.close(k)
	})
}

func TestGrantThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, _ := h.keeper()
		_, err := k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		_, err = k.Renew(t.Context(), anne, "")
		h.wantCode(err, fault.LoginRequired)
		h.wantCode(k.Extend(t.Context(), anne, time.Hour), fault.LoginRequired)
		if err := k.End(t.Context(), anne); err != nil {
			t.Error(err)
		}
		_, err = k.Tokens(t.Context(), Key{"anne", "other"})
		h.wantCode(err, fault.ConfigurationMissing)
		h.keep(k) // at once, though it was just said that there is none
		h.access(k)
		h.close(k)
	})
}

// Who asks after a login is not given what somebody began to read before it.
func TestLoginWhileSomebodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, w := h.keeper()
		w.slow = time.Second
		done := make(chan error)
		go func() {
			_, err := k.Tokens(t.Context(), anne)
			done <- err
		}()
		synctest.Wait()
		w.slow = 0
		h.keep(k)
		k.cache.forget(anne.id()) // as if it were full
		h.access(k)
		h.wantCode(<-done, fault.LoginRequired)
		h.access(k)
		h.close(k)
	})
}

// A record whose key left the ring is told in the log, and asks the person to log in again, which works.
func TestRecordThatCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, _ := h.keeper()
		h.keep(k)
		h.ring = seal.NewRing("")
		other, _ := h.keeper()
		_, err := other.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		h.wantCode(other.Extend(t.Context(), anne, time.Hour), fault.LoginRequired)
		if !strings.Contains(h.log.String(), "level=ERROR msg=\"a stored login can't be opened") {
			t.Errorf("the log:\n%s", h.log)
		}
		failed := 0
		for _, err := range other.All(t.Context()) {
			if err != nil {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%d of the list can't be opened", failed)
		}
		fresh := h.keep(other)
		if got := h.access(other); got != fresh.AccessToken {
			t.Error(got)
		}
		h.ring = seal.NewRing("")
		third, _ := h.keeper()
		if err := third.End(t.Context(), anne); err != nil {
			t.Error(err)
		}
		time.Sleep(defaultRecheck)
		_, err = other.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		h.close(k, other, third)
	})
}

// A caller that goes away gets a fault at once, and stops nothing.
func TestCallerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		k, _ := h.keeper()
		old := h.keep(k).AccessToken
		time.Sleep(time.Minute)
		h.idp.takes = 3 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := k.Tokens(ctx, anne)
		h.wantCode(err, fault.Cancelled)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = k.Tokens(short, anne)
		h.wantCode(err, fault.Unavailable)
		h.close(k) // waits for it
		again, _ := h.keeper()
		if got := h.access(again); got == old {
			t.Error("what the provider gave was lost")
		}
		h.wantCount(1)
		_, err = k.Tokens(t.Context(), anne) // in memory, also when it is closed
		if err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		_, err = k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.Unavailable)
		h.close(again)
	})
}
