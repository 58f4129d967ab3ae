package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

func (i *issuer) asking() config.JWTAuth {
	cfg := i.config()
	cfg.IntrospectionURL, cfg.ClientID, cfg.ClientSecret = i.URL+"/introspect", "the:gate", config.NewSecret("a secret+")
	return cfg
}

func TestIntrospection(t *testing.T) {
	key := newKey(t, "one")
	i := newIssuer(t, key)
	now := time.Now().Truncate(time.Second)
	v := i.verifier(t, i.asking(), func() time.Time { return now })
	says := func(rest string) string {
		return fmt.Sprintf(`{"active":true,"sub":"anne","aud":%q%s}`, testResource, rest)
	}
	for name, test := range map[string]struct {
		says string // "" is that the issuer does not know the token
		want error
	}{
		"good":                     {says(`,"scope":"read"`), nil},
		"good, of this issuer":     {says(fmt.Sprintf(`,"iss":%q,"exp":%d`, i.URL, now.Unix()+10)), nil},
		"unknown":                  {"", fault.TokenInvalid},
		"no longer active":         {`{"active":false,"sub":"anne"}`, fault.TokenInvalid},
		"of another issuer":        {says(`,"iss":"https://other.example"`), fault.TokenInvalid},
		"for another audience":     {`{"active":true,"sub":"anne","aud":["https://other.example"]}`, fault.TokenInvalid},
		"for nobody says whom":     {`{"active":true,"sub":"anne"}`, fault.TokenInvalid},
		"active, and over":         {says(fmt.Sprintf(`,"exp":%d`, now.Unix()-61)), fault.TokenExpired},
		"nobody's":                 {fmt.Sprintf(`{"active":true,"aud":%q}`, testResource), fault.TokenInvalid},
		"an answer that is HTML":   {`<html>`, fault.Unavailable},
		"an answer without active": {`{}`, fault.Unavailable},
		"active as a text":         {`{"active":"true"}`, fault.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			token := "opaque-" + name
			if test.says != "" {
				i.opaque.Store(token, test.says)
			}
			p, err := v.Verify(t.Context(), token)
			if test.want == nil && (err != nil || p.Subject != "anne" || p.Issuer != i.URL) || test.want != nil && (p != nil || !errors.Is(err, test.want)) {
				t.Errorf("%+v, %v; want %v", p, err, test.want)
			}
		})
	}
	if n := i.fetched.Load(); n != 0 {
		t.Errorf("opaque tokens made us fetch keys %d times", n)
	}
	asked := i.asked.Load()
	if _, err := v.Verify(t.Context(), sign(t, key, i.good(now, nil), nil)); err != nil || i.asked.Load() != asked {
		t.Errorf("a JWT: %v, asked %d times", err, i.asked.Load()-asked)
	}
}

func TestAnswersAreKeptForAWhile(t *testing.T) {
	i := newIssuer(t, newKey(t, "one"))
	now := time.Now().Truncate(time.Second)
	v := i.verifier(t, i.asking(), func() time.Time { return now })
	good := func(token string, exp time.Time) {
		i.opaque.Store(token, fmt.Sprintf(`{"active":true,"sub":"anne","aud":%q,"exp":%d}`, testResource, exp.Unix()))
	}
	verify := func(token string) error {
		_, err := v.Verify(t.Context(), token)
		return err
	}
	wantAsked := func(n int32) {
		t.Helper()
		if got := i.asked.Swap(0); got != n {
			t.Fatalf("asked %d times, want %d", got, n)
		}
	}
	good("long", now.Add(time.Hour))
	good("brief", now.Add(10*time.Second))
	if err := errors.Join(verify("long"), verify("long"), verify("brief"), verify("brief")); err != nil {
		t.Fatal(err)
	}
	wantAsked(2)
	i.opaque.Delete("long") // it is revoked
	now = now.Add(askedGood - time.Second)
	if err := verify("long"); err != nil {
		t.Fatal(err)
	}
	wantAsked(0)
	now = now.Add(time.Second)
	for range 3 {
		if err := verify("long"); !errors.Is(err, fault.TokenInvalid) {
			t.Fatalf("a revoked token: %v", err)
		}
	}
	wantAsked(1)
	good("brief", now.Add(time.Hour)) // its time was over: the answer of then does not hold
	if err := verify("brief"); err != nil {
		t.Fatal(err)
	}
	wantAsked(1)
	good("long", now.Add(time.Hour)) // a bad answer does not hold for long
	now = now.Add(askedBad)
	if err := verify("long"); err != nil {
		t.Fatal(err)
	}
	wantAsked(1)
}

func TestManyWithOneTokenAskOnce(t *testing.T) {
	i := newIssuer(t, newKey(t, "one"))
	v := i.verifier(t, i.asking(), nil)
	i.opaque.Store("token", fmt.Sprintf(`{"active":true,"sub":"anne","aud":%q}`, testResource))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), "token"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := i.asked.Load(); n > 3 { // a straggler may come between the flight and the cache
		t.Errorf("asked %d times", n)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	a := newIntrospection(config.JWTAuth{}, http.DefaultClient, time.Now)
	for n := range 3*askedHalf + 1 {
		a.keep(fmt.Sprint(n), nil)
	}
	if held := len(a.new) + len(a.old); held > 2*askedHalf {
		t.Errorf("%d answers are held", held)
	}
}

// TestAnEndpointThatCantBeAskedMakesNoTokenBad holds that no failure to ask is told as a bad token, and that nothing is sent elsewhere.
func TestAnEndpointThatCantBeAskedMakesNoTokenBad(t *testing.T) {
	i := newIssuer(t, newKey(t, "one"))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		t.Error("the token was sent to another host")
		w.WriteHeader(http.StatusOK)
	}))
	defer elsewhere.Close()
	status := http.StatusOK
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere.URL)
		w.WriteHeader(status)
	}))
	cfg := i.asking()
	cfg.IntrospectionURL = endpoint.URL
	v := i.verifier(t, cfg, nil)
	for _, status = range []int{301, 307, 308, 400, 401, 403, 404, 429, 500, 502, 503} {
		if _, err := v.Verify(t.Context(), "opaque"); !errors.Is(err, fault.Unavailable) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	endpoint.Close()
	if _, err := v.Verify(t.Context(), "opaque"); !errors.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}
	wrong := i.asking()
	wrong.ClientSecret = config.NewSecret("another")
	if _, err := i.verifier(t, wrong, nil).Verify(t.Context(), "opaque"); !errors.Is(err, fault.Unavailable) {
		t.Errorf("our own secret is wrong: %v", err)
	}
}
