package grant

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// A process dies before the provider heard of its refresh: the next one goes on as soon as the lease is over.
func TestHolderDiesBeforeTheProviderHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		a, wireA := h.keeper()
		b, _ := h.keeper()
		old := h.keep(a).AccessToken
		time.Sleep(time.Minute)
		h.idp.thinks = time.Hour
		go func() { _, _ = a.Tokens(context.Background(), anne) }()
		synctest.Wait()
		wireA.cut.Store(true)
		h.idp.thinks = 0
		began := time.Now()
		if got := h.access(b); got == old {
			t.Error(got)
		}
		if took := time.Since(began); took < time.Second || took > leaseTTL+answerGrace+time.Second {
			t.Errorf("it took %v", took)
		}
		h.wantCount(1)
		h.close(a, b)
	})
}

// A process dies with the provider's answer in its hands. Nobody can save the login, and the log says why it was lost.
func TestHolderDiesWithTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		a, wireA := h.keeper()
		b, _ := h.keeper()
		h.keep(a)
		time.Sleep(time.Minute)
		h.idp.answers = make(chan struct{})
		go func() { _, _ = a.Tokens(context.Background(), anne) }()
		synctest.Wait()
		wireA.cut.Store(true)
		_, err := b.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		if log := h.log.String(); !strings.Contains(log, "whose answer was never stored") || !strings.Contains(log, "event=upstream.dead") {
			t.Errorf("the log:\n%s", log)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		_ = a.Close(ctx)
		h.close(b)
	})
}

// A process that was cut off with the provider's answer brings it back, though another one took the grant for dead meanwhile.
func TestHolderComesBackWithTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		a, wireA := h.keeper()
		b, _ := h.keeper()
		h.keep(a)
		time.Sleep(time.Minute)
		h.idp.answers = make(chan struct{})
		go func() { _, _ = a.Tokens(context.Background(), anne) }()
		synctest.Wait()
		wireA.cut.Store(true)
		_, err := b.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		close(h.idp.answers)
		wireA.cut.Store(false)
		time.Sleep(2 * lastRewrite)
		for _, k := range []*Keeper{a, b} {
			if got := h.access(k); got != "secret-access-anne-2" {
				t.Errorf("%q", got)
			}
		}
		h.close(a, b)
	})
}

// While the token holds, a refresh whose process died is not repeated before it is sure that no answer comes, and nobody waits for that. Once
// the token is over it is.
func TestHolderDiesWhileTheTokenHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 2*time.Minute)
		a, wireA := h.keeper()
		b, wireB := h.keeper()
		old := h.keep(a).AccessToken
		time.Sleep(91 * time.Second)
		h.idp.thinks = time.Hour
		h.access(a)
		synctest.Wait()
		wireA.cut.Store(true)
		h.idp.slow(0, 0)
		time.Sleep(leaseTTL)
		writes := wireB.writes.Load()
		for range 16 * 100 { // till the token is over
			if got := h.access(b); got != old {
				t.Fatalf("%q", got)
			}
			time.Sleep(10 * time.Millisecond)
		}
		h.wantCount(0)
		if got := wireB.writes.Load() - writes; got > 60 {
			t.Errorf("%d writes while nothing could be done", got)
		}
		time.Sleep(600 * time.Millisecond)
		h.access(b)
		time.Sleep(500 * time.Millisecond)
		if got := h.access(b); got == old { // over before the 34 s are
			t.Error(got)
		}
		h.wantCount(1)
		h.close(a, b)
	})
}

// New tokens are written before anybody gets them, however long that takes.
func TestWriteBackIsTriedHard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		k, w := h.keeper()
		old := h.keep(k).AccessToken
		time.Sleep(time.Minute)
		h.idp.takes = time.Second
		time.AfterFunc(time.Second/2, func() { w.readOnly.Store(true) })
		time.AfterFunc(15*time.Second, func() { w.readOnly.Store(false) })
		began := time.Now()
		got := h.access(k)
		if got == old || time.Since(began) < 15*time.Second-time.Second {
			t.Errorf("%q after %v", got, time.Since(began))
		}
		again, _ := h.keeper()
		if stored := h.access(again); stored != got {
			t.Errorf("%q is stored, %q was given out", stored, got)
		}
		h.wantCount(1)
		h.close(k, again)
	})
}

// A store that is gone for minutes at the worst moment loses no login: callers come again, and nobody asks the provider with the spent token.
func TestStoreGoneWhileTheProviderAnswers(t *testing.T) {
	for _, also := range []string{"", "closed", "ended"} {
		t.Run("and "+also, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, time.Minute)
				k, w := h.keeper()
				old := h.keep(k).AccessToken
				time.Sleep(time.Minute)
				h.idp.takes = time.Second
				time.AfterFunc(time.Second/2, func() { w.readOnly.Store(true) })
				for range 100 { // five minutes
					_, err := k.Tokens(t.Context(), anne)
					h.wantCode(err, fault.Unavailable)
					time.Sleep(3 * time.Second)
				}
				if !strings.Contains(h.log.String(), "level=ERROR") {
					t.Error("the log does not say how near it was")
				}
				h.wantCount(1)
				switch also {
				case "closed":
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					if err := k.Close(ctx); err == nil || !strings.Contains(err.Error(), "1 login") {
						t.Errorf("Close says %v", err)
					}
					return
				case "ended":
					h.store.Take(t.Context(), "grant/"+anne.id())
				}
				w.readOnly.Store(false)
				if also == "" { // the store is back, and the new tokens are not in it yet
					_, err := k.Tokens(t.Context(), anne)
					h.wantCode(err, fault.Unavailable)
				}
				time.Sleep(2 * lastRewrite)
				if also == "ended" {
					h.close(k)
					if len(h.idp.revoked) != 1 {
						t.Errorf("revoked: %v", h.idp.revoked)
					}
					return
				}
				h.idp.life = time.Hour
				h.idp.takes = 0
				renewed := h.access(k) // what was saved is over as well by now
				if renewed == old {
					t.Error(renewed)
				}
				h.wantCount(2)
				h.close(k)
			})
		})
	}
}

// A write that went through and was not answered is not done again on what somebody else wrote.
func TestWriteThatWasNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		k, w := h.keeper()
		old := h.keep(k).AccessToken
		time.Sleep(time.Minute)
		h.idp.takes = time.Second
		time.AfterFunc(time.Second/2, func() { w.deaf.Store(true) })
		if got := h.access(k); got == old {
			t.Error(got)
		}
		if w.deaf.Load() {
			t.Error("every write was answered")
		}
		h.wantCount(1)
		h.close(k)
	})
}

// What happens to a grant while the provider is asked is not undone by its answer.
func TestChangesDuringARefresh(t *testing.T) {
	setup := func(t *testing.T) (*house, *Keeper, *Keeper, chan error) {
		h := newHouse(t, time.Minute)
		k, _ := h.keeper()
		other, _ := h.keeper()
		h.keep(k)
		time.Sleep(time.Minute)
		h.idp.takes = time.Second
		done := make(chan error, 1)
		go func() {
			_, err := k.Tokens(context.Background(), anne)
			done <- err
		}()
		time.Sleep(time.Second / 2)
		return h, k, other, done
	}
	t.Run("extended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, k, other, done := setup(t)
			if err := other.Extend(t.Context(), anne, 90*24*time.Hour); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			h.idp.life = 0
			time.Sleep(89 * 24 * time.Hour)
			h.access(other)
			h.wantCount(2)
			h.close(k, other)
		})
	})
	t.Run("ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, k, other, done := setup(t)
			if err := other.End(t.Context(), anne); err != nil {
				t.Fatal(err)
			}
			h.wantCode(<-done, fault.LoginRequired)
			h.close(k, other)
			// The old refresh token is of no use to the provider any more, so the new one has to be told too.
			if fmt.Sprint(h.idp.revoked) != "[secret-refresh-anne-1 secret-refresh-anne-2]" {
				t.Errorf("revoked: %v", h.idp.revoked)
			}
			_, err := k.Tokens(t.Context(), anne)
			h.wantCode(err, fault.LoginRequired)
		})
	})
	t.Run("replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, k, other, done := setup(t)
			fresh := h.keep(other).AccessToken
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			for _, keeper := range []*Keeper{k, other} {
				if got := h.access(keeper); got != fresh {
					t.Errorf("%q", got)
				}
			}
			h.close(k, other)
		})
	})
	t.Run("replaced, and the old one is dead", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, time.Minute)
			k, _ := h.keeper()
			other, _ := h.keeper()
			h.keep(k)
			time.Sleep(time.Minute)
			h.idp.thinks = time.Second
			h.idp.good = map[string]string{}
			time.AfterFunc(time.Second/2, func() { h.keep(other) })
			if got := h.access(k); got != "secret-access-anne-2" {
				t.Errorf("%q", got)
			}
			if strings.Contains(h.log.String(), "dead") {
				t.Errorf("the log:\n%s", h.log)
			}
			h.close(k, other)
		})
	})
}

func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		a, _ := h.keeper()
		b, _ := h.keeper()
		refresh := h.keep(a).RefreshToken
		h.access(b)
		if err := a.End(t.Context(), anne); err != nil {
			t.Fatal(err)
		}
		_, err := a.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		time.Sleep(defaultRecheck)
		_, err = b.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		h.close(a, b)
		if fmt.Sprint(h.idp.revoked) != "["+refresh+"]" {
			t.Errorf("revoked: %v", h.idp.revoked)
		}
		h.keep(a)
		if err := a.End(t.Context(), anne); err != nil { // the provider is not told, the grant ends
			t.Fatal(err)
		}
		if !strings.Contains(h.log.String(), "its provider was not told") || len(h.idp.revoked) != 1 {
			t.Errorf("the log:\n%s", h.log)
		}
	})
}

func TestExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 0)
		k, _ := h.keeper()
		h.keep(k)
		for range 10 {
			time.Sleep(29 * 24 * time.Hour)
			if err := k.Extend(t.Context(), anne, 30*24*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		h.access(k)
		time.Sleep(31 * 24 * time.Hour)
		_, err := k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.LoginRequired)
		h.close(k)
	})
}

// An upstream that refuses a token gets another one, once for all callers.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 0) // as Salesforce, which does not say how long a token holds
		a, _ := h.keeper()
		b, _ := h.keeper()
		old := h.keep(a).AccessToken
		h.access(b)
		time.Sleep(2 * time.Hour)
		h.idp.takes = time.Second
		results := make(chan string, 20)
		for i := range 20 {
			go func() {
				got, err := []*Keeper{a, b}[i%2].Renew(context.Background(), anne, old)
				results <- fmt.Sprint(got.AccessToken, err)
			}()
		}
		for range 20 {
			if got := <-results; got != "secret-access-anne-2<nil>" {
				t.Error(got)
			}
		}
		h.wantCount(1)
		// One that was refused late, on its way since before, gets what is there.
		if got, err := a.Renew(t.Context(), anne, old); err != nil || got.AccessToken != "secret-access-anne-2" {
			t.Errorf("%v, %v", got.AccessToken, err)
		}
		h.wantCount(1)
		h.close(a, b)
	})
}

// An API that refuses whatever it is shown costs the provider less and less.
func TestRenewOfWhatIsAlwaysRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, _ := h.keeper()
		h.keep(k)
		if got, err := k.Renew(t.Context(), anne, "secret-access-anne-1"); err != nil || got.AccessToken != "secret-access-anne-1" {
			t.Errorf("%v, %v", got.AccessToken, err)
		}
		h.wantCount(0) // it was obtained this moment
		for range 10 * 60 {
			time.Sleep(time.Second)
			if _, err := k.Renew(t.Context(), anne, h.access(k)); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.idp.count(); got < 5 || got > 8 {
			t.Errorf("%d refreshes in ten minutes", got)
		}
		// Once it is well again, a refresh ahead begins anew.
		time.Sleep(50 * time.Minute)
		h.access(k)
		synctest.Wait()
		asked := h.idp.count()
		time.Sleep(firstAge)
		if _, err := k.Renew(t.Context(), anne, h.access(k)); err != nil {
			t.Fatal(err)
		}
		h.wantCount(asked + 1)
		h.close(k)
	})
}

// A refused token that can't be renewed now is no reason to log in.
func TestRenewWhileTheProviderIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		k, _ := h.keeper()
		old := h.keep(k).AccessToken
		time.Sleep(time.Minute)
		h.idp.fail(passing("down", nil))
		for range 10 {
			_, err := k.Renew(t.Context(), anne, old)
			h.wantCode(err, fault.Unavailable)
		}
		h.wantCount(1)
		if got := h.access(k); got != old { // for other upstreams
			t.Error(got)
		}
		h.close(k)
	})
}

func TestTwoProvidersOfOnePerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Hour)
		second := newIDP(0)
		k := New(h.store, h.ring, map[string]Refresher{"idp": h.idp, "other": second}, Options{CacheSize: 10})
		other := Key{Owner: anne.Owner, Provider: "other"}
		first := h.keep(k).AccessToken
		tokens := second.login("crm")
		if err := k.Keep(t.Context(), other, provider.Identity{}, tokens, time.Hour); err != nil {
			t.Fatal(err)
		}
		got, err := k.Tokens(t.Context(), other)
		if err != nil || got.AccessToken != tokens.AccessToken || got.Kept["instance_url"] != "https://crm.example" {
			t.Errorf("%v %v", got, err)
		}
		if err := k.End(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if got := h.access(k); got != first {
			t.Error(got)
		}
		h.close(k)
		if len(second.revoked) != 1 || len(h.idp.revoked) != 0 {
			t.Errorf("revoked: %v %v", second.revoked, h.idp.revoked)
		}
	})
}

func TestAllShowsNoTokens(t *testing.T) {
	h := newHouse(t, time.Hour)
	k, _ := h.keeper()
	h.keep(k)
	var all []Grant
	for grant, err := range k.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, grant)
	}
	if len(all) != 1 || all[0].Key != anne || all[0].Identity.Subject != "a" || all[0].Created.IsZero() || all[0].Expires.IsZero() || all[0].Dead {
		t.Errorf("%+v", all)
	}
	if text := fmt.Sprintf("%+v %#v", all, all); strings.Contains(text, "secret-") {
		t.Error(text)
	}
	h.close(k)
}

func TestRecordPrintsNoTokens(t *testing.T) {
	r := record{Owner: "anne", Provider: "idp", Tokens: newIDP(0).login("anne")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if text := fmt.Sprintf(verb, r) + fmt.Sprintf(verb, &r) + r.LogValue().String(); strings.Contains(text, "secret-") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

func TestKeysDoNotMeet(t *testing.T) {
	seen := map[string]Key{}
	for _, key := range []Key{{"a", "b c"}, {"a b", "c"}, {"", "a b c"}, {"a", "b"}, {"A", "b"}, {"1 a", "b"}, {"\x00", "/"}} {
		id := key.id()
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %q", key, other)
		}
		seen[id] = key
		if len(id) > 128 || strings.ContainsAny(id, "/+=. ") {
			t.Errorf("%q is no key of a store", id)
		}
	}
}

// A grant of an old key of the ring still opens.
func TestKeyRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		h.ring = seal.NewRing("an-old-key-an-old-key-an-old-key")
		k, _ := h.keeper()
		old := h.keep(k).AccessToken
		h.ring = seal.NewRing("a-new-key!a-new-key!a-new-key!-!,an-old-key-an-old-key-an-old-key")
		rotated, _ := h.keeper()
		if got := h.access(rotated); got != old {
			t.Error(got)
		}
		time.Sleep(time.Minute)
		h.access(rotated) // written under the new one
		h.ring = seal.NewRing("a-new-key!a-new-key!a-new-key!-!")
		last, _ := h.keeper()
		h.access(last)
		h.wantCount(1)
		h.close(k, rotated, last)
	})
}

// A defect in a provider's code fails the call, and not the process.
func TestProviderPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute)
		k, _ := h.keeper()
		h.keep(k)
		h.idp.failing = func() error { panic("a defect") }
		time.Sleep(time.Minute)
		_, err := k.Tokens(t.Context(), anne)
		h.wantCode(err, fault.Internal)
		if !strings.Contains(h.log.String(), "panic") {
			t.Errorf("the log:\n%s", h.log)
		}
		h.idp.fail(nil)
		h.access(k)
		h.close(k)
	})
}
