package grant

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

var (
	soakRuns = flag.Int("soak", 40, "how many random histories TestSoak goes through")
	soakSeed = flag.Uint64("soak-seed", 0, "the first of them")
)

// Whatever happens to grants, in whatever order - calls, refused tokens, logins, logouts, a provider that is slow or down, a store that is
// down or can't be written or loses answers, clocks that differ a little -, the provider never sees a refresh token twice, and no login is lost.
func TestSoak(t *testing.T) {
	for i := range *soakRuns {
		seed := *soakSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newSoak(t, seed).run(300) })
		})
	}
}

// soak is one history.
type soak struct {
	t       *testing.T
	random  *rand.Rand
	idp     *idp
	shared  *wire // between all processes and the store
	keepers []*Keeper
	log     *lines
	calls   sync.WaitGroup

	alive map[Key]bool // whether somebody is logged in
}

func newSoak(t *testing.T, seed uint64) *soak {
	s := &soak{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), idp: newIDP(time.Minute), log: &lines{},
		shared: &wire{Store: tokenstore.NewMemory(nil)}, alive: map[Key]bool{},
	}
	var mu sync.Mutex
	lags := rand.New(rand.NewPCG(seed, 2))
	s.shared.lag = func() time.Duration { // of the network, and now and then a hiccup
		mu.Lock()
		defer mu.Unlock()
		if lags.IntN(200) == 0 {
			return time.Duration(lags.IntN(2000)) * time.Millisecond
		}
		return time.Duration(lags.IntN(20)) * time.Millisecond
	}
	ring := seal.NewRing("")
	h := &house{t: t, idp: s.idp, store: s.shared, ring: ring, log: s.log}
	for i := range 3 {
		k, _ := h.keeper()
		k.now = func() time.Time { return time.Now().Add(time.Duration(i) * 300 * time.Millisecond) }
		s.keepers = append(s.keepers, k)
	}
	return s
}

func (s *soak) key() Key        { return Key{fmt.Sprint("person-", s.random.IntN(4)), "idp"} }
func (s *soak) keeper() *Keeper { return s.keepers[s.random.IntN(len(s.keepers))] }

func (s *soak) run(steps int) {
	for range steps {
		s.step()
		if s.random.IntN(3) > 0 {
			time.Sleep(time.Duration(s.random.ExpFloat64() * float64(4*time.Second)))
		}
		if s.t.Failed() {
			break
		}
	}
	// All is well again: whoever is logged in is served, at each process.
	s.mend()
	time.Sleep(2 * time.Minute)
	s.calls.Wait()
	for key, alive := range s.alive {
		for _, k := range s.keepers {
			_, err := k.Tokens(s.t.Context(), key)
			for range 5 { // the network may have a hiccup at this very moment
				if !errors.Is(err, fault.Unavailable) {
					break
				}
				time.Sleep(10 * time.Second)
				_, err = k.Tokens(s.t.Context(), key)
			}
			if alive && err != nil {
				s.t.Errorf("%v lost the login: %v, %v", key, fault.CodeOf(err), err)
			}
			if !alive && !errors.Is(err, fault.LoginRequired) {
				s.t.Errorf("%v is logged out, and has %v", key, err)
			}
		}
	}
	if s.idp.reused != nil {
		s.t.Errorf("refresh tokens were used twice: %v", s.idp.reused)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for _, k := range s.keepers {
		if err := k.Close(ctx); err != nil {
			s.t.Error(err)
		}
	}
	if s.t.Failed() {
		s.t.Logf("%s", s.log)
	}
}

func (s *soak) mend() {
	s.shared.cut.Store(false)
	s.shared.readOnly.Store(false)
	s.shared.deaf.Store(false)
	s.idp.fail(nil)
	s.idp.slow(0, 0)
}

func (s *soak) step() {
	key, k := s.key(), s.keeper()
	switch s.random.IntN(20) {
	case 0, 1:
		s.change(func() { s.login(key, k) })
	case 2:
		s.change(func() { s.logout(key, k) })
	case 3:
		s.calls.Go(func() { _ = k.Extend(context.Background(), key, 24*time.Hour) })
	case 4:
		s.idp.fail(passing("down", nil))
	case 5, 6:
		s.idp.fail(nil)
	case 7:
		s.idp.slow(time.Duration(s.random.IntN(3000))*time.Millisecond, time.Duration(s.random.IntN(3000))*time.Millisecond)
	case 8:
		s.shared.cut.Store(true)
	case 9:
		s.shared.readOnly.Store(true)
	case 10, 11, 12:
		s.shared.cut.Store(false)
		s.shared.readOnly.Store(false)
	case 13:
		s.shared.deaf.Store(true)
	default:
		for range 1 + s.random.IntN(10) {
			k, refuse := s.keeper(), s.random.IntN(4) == 0
			limit := time.Duration(s.random.IntN(20_000)) * time.Millisecond
			s.calls.Go(func() { s.call(k, key, refuse, limit) })
		}
	}
}

// change is something that a person does while no call of theirs is under way, with a store that works: what is alive is known then.
func (s *soak) change(do func()) {
	cut, readOnly := s.shared.cut.Swap(false), s.shared.readOnly.Swap(false)
	s.shared.deaf.Store(false)
	do()
	s.shared.cut.Store(cut)
	s.shared.readOnly.Store(readOnly)
}

func (s *soak) login(key Key, k *Keeper) {
	tokens := s.idp.login(fmt.Sprintf("%s-%d", key.Owner, s.random.Uint32()))
	if err := k.Keep(context.Background(), key, provider.Identity{}, tokens, 24*time.Hour); err != nil {
		s.t.Errorf("Keep: %v", err)
	}
	s.alive[key] = true
}

func (s *soak) logout(key Key, k *Keeper) {
	if err := k.End(context.Background(), key); err != nil {
		s.t.Errorf("End: %v", err)
	}
	s.alive[key] = false
}

// call is a tool call, whose upstream may refuse the token.
func (s *soak) call(k *Keeper, key Key, refuse bool, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tokens, err := k.Tokens(ctx, key)
	if err == nil && refuse {
		_, err = k.Renew(ctx, key, tokens.AccessToken)
	}
	if err != nil && !errors.Is(err, fault.LoginRequired) && !errors.Is(err, fault.Unavailable) {
		s.t.Errorf("%v: %v", fault.CodeOf(err), err)
	}
}
