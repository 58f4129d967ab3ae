package oauthproxy

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// private is the key that a ring signs with.
func private(t testing.TB, ring string) ed25519.PrivateKey {
	t.Helper()
	seeds, err := seal.NewRing(ring).Derive("access token", ed25519.SeedSize)
	if err != nil {
		t.Fatal(err)
	}
	return ed25519.NewKeyFromSeed(seeds[0])
}

// signed is a JWT with a header of one's own.
func signed(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, payload []byte) string {
	t.Helper()
	opts := new(jose.SignerOptions)
	for name, value := range header {
		opts.WithHeader(name, value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opts)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func part(s string) string { return text.EncodeToString([]byte(s)) }

// TestConfusedTokens are JWTs that were never ours, however much they look like it (RFC 8725 section 3).
func TestConfusedTokens(t *testing.T) {
	l := newLab(t, labSettings{})
	login := l.login(nil)
	good := strings.Split(login.AccessToken, ".")
	payload, err := text.DecodeString(good[1])
	if err != nil {
		t.Fatal(err)
	}
	own := private(t, testKey)
	id := keyID(own.Public().(ed25519.PublicKey))
	_, strange, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	type header = map[jose.HeaderKey]any
	public := []byte(own.Public().(ed25519.PublicKey))
	if _, err := l.servers[0].Verify(t.Context(), signed(t, jose.EdDSA, own, header{"typ": "at+jwt", "kid": id}, payload)); err != nil {
		t.Fatalf("the way these are made is wrong: %v", err)
	}
	for name, token := range map[string]string{
		"nothing":                       "",
		"a word":                        "token",
		"dots":                          "..",
		"alg none":                      part(`{"alg":"none","typ":"at+jwt","kid":"`+id+`"}`) + "." + good[1] + ".",
		"alg None with the signature":   part(`{"alg":"None","typ":"at+jwt","kid":"`+id+`"}`) + "." + good[1] + "." + good[2],
		"HS256 with the public key":     signed(t, jose.HS256, public, header{"typ": "at+jwt", "kid": id}, payload),
		"RS256":                         signed(t, jose.RS256, weak, header{"typ": "at+jwt", "kid": id}, payload),
		"typ JWT":                       signed(t, jose.EdDSA, own, header{"typ": "JWT", "kid": id}, payload),
		"typ of an id token":            signed(t, jose.EdDSA, own, header{"kid": id}, payload),
		"another key under our kid":     signed(t, jose.EdDSA, strange, header{"typ": "at+jwt", "kid": id}, payload),
		"another kid":                   signed(t, jose.EdDSA, own, header{"typ": "at+jwt", "kid": keyID(strange.Public().(ed25519.PublicKey))}, payload),
		"no kid":                        signed(t, jose.EdDSA, own, header{"typ": "at+jwt"}, payload),
		"its own key in the header":     signed(t, jose.EdDSA, jose.JSONWebKey{Key: strange, KeyID: id}, header{"typ": "at+jwt", "jwk": jose.JSONWebKey{Key: strange.Public()}}, payload),
		"a critical header":             signed(t, jose.EdDSA, own, header{"typ": "at+jwt", "kid": id, "crit": []string{"new"}, "new": 1}, payload),
		"no claims":                     signed(t, jose.EdDSA, own, header{"typ": "at+jwt", "kid": id}, []byte("{}")),
		"no JSON":                       signed(t, jose.EdDSA, own, header{"typ": "at+jwt", "kid": id}, []byte("claims")),
		"a number as sid":               signed(t, jose.EdDSA, own, header{"typ": "at+jwt", "kid": id}, []byte(`{"sid":1}`)),
		"without its signature":         good[0] + "." + good[1] + ".",
		"two signatures":                login.AccessToken + "." + good[2],
		"the JSON form":                 `{"protected":"` + good[0] + `","payload":"` + good[1] + `","signature":"` + good[2] + `"}`,
		"a space after it":              login.AccessToken + " ",
		"a line end in it":              good[0] + "." + good[1][:8] + "\n" + good[1][8:] + "." + good[2],
		"too long":                      login.AccessToken + strings.Repeat("A", maxAccessToken),
		"a refresh token":               login.RefreshToken,
		"a code":                        l.newCode(nil),
		"a session's id":                l.sessionOf(login.AccessToken),
		"the header of another's token": strings.Split(signed(t, jose.EdDSA, strange, header{"typ": "at+jwt", "kid": id}, payload), ".")[0] + "." + good[1] + "." + good[2][1:] + "A",
	} {
		if who, err := l.servers[0].Verify(t.Context(), token); !errors.Is(err, fault.TokenInvalid) || who != nil {
			t.Errorf("%s: %v", name, err)
		} else if token != "" && len(token) > 5 && strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error quotes it", name)
		}
	}
}

// TestClaims are well signed, and wrong.
func TestClaims(t *testing.T) {
	l := newLab(t, labSettings{})
	s := l.servers[0]
	login := l.login(nil)
	is, err := s.readAccessToken(login.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	now := l.clock().Unix()
	for _, test := range []struct {
		name   string
		change func(*claims)
		want   error
	}{
		{"as issued", func(*claims) {}, nil},
		{"another issuer", func(c *claims) { c.Issuer += "/" }, fault.TokenInvalid},
		{"no issuer", func(c *claims) { c.Issuer = "" }, fault.TokenInvalid},
		{"another audience", func(c *claims) { c.Audience = "https://gw.example" }, fault.TokenInvalid},
		{"the audience with a slash", func(c *claims) { c.Audience += "/" }, fault.TokenInvalid},
		{"no session", func(c *claims) { c.Session = "" }, fault.TokenInvalid},
		{"a session that is none", func(c *claims) { c.Session = newSessionID() }, fault.TokenInvalid},
		{"a session that is no key", func(c *claims) { c.Session = "../code/x" }, fault.Unavailable},
		{"another client", func(c *claims) { c.ClientID = "cursor" }, fault.TokenInvalid},
		{"another subject", func(c *claims) { c.Subject = "ben" }, fault.TokenInvalid},
		{"over, within the leeway", func(c *claims) { c.Expires = now - 29 }, nil},
		{"over", func(c *claims) { c.Expires = now - 30 }, fault.TokenExpired},
		{"no end", func(c *claims) { c.Expires = 0 }, fault.TokenExpired},
		{"a clock that is ahead", func(c *claims) { c.IssuedAt = now + 60 }, nil},
		{"from the future", func(c *claims) { c.IssuedAt = now + 61 }, fault.TokenInvalid},
	} {
		changed := is
		test.change(&changed)
		token, err := s.sign(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context(), token); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestALoginIsLookedUpEveryFiveSeconds at most, and what ends here is seen here at once.
func TestALoginIsLookedUpEveryFiveSeconds(t *testing.T) {
	l := newLab(t, labSettings{servers: 2})
	login := l.login(nil)
	verify := func(server int) error {
		_, err := l.servers[server].Verify(t.Context(), login.AccessToken)
		return err
	}
	before := l.store.gets.Load()
	for range 5 { // 4.9 s
		for range 10 {
			if err := verify(0); err != nil {
				t.Fatal(err)
			}
		}
		l.advance(980 * time.Millisecond)
	}
	if n := l.store.gets.Load() - before; n != 1 {
		t.Errorf("%d look-ups", n)
	}
	if err := verify(1); err != nil {
		t.Fatal(err)
	}
	if err := l.servers[0].tokens.logins.end(t.Context(), l.sessionOf(login.AccessToken), "idp", "test"); err != nil {
		t.Fatal(err)
	}
	if err := verify(0); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("where it ended: %v", err)
	}
	if err := verify(1); err != nil {
		t.Errorf("the other server could know only by looking: %v", err)
	}
	l.advance(standingFor)
	if err := verify(1); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("after 5 s: %v", err)
	}
}

// TestALookUpThatCrossesAnEnd does not bring the session back into memory.
func TestALookUpThatCrossesAnEnd(t *testing.T) {
	c := newStanding(10)
	now := time.Now()
	_, _, ended := c.get("one", now)
	c.drop("one")
	c.put("one", stood{until: now.Add(standingFor)}, ended)
	if _, ok, _ := c.get("one", now); ok {
		t.Error("an ended session stands")
	}
}

func TestVerifyWhileTheStoreIsDown(t *testing.T) {
	l := newLab(t, labSettings{})
	login := l.login(nil)
	l.store.down.Store(true)
	_, err := l.servers[0].Verify(t.Context(), login.AccessToken)
	if f := fault.From(err); f.Code != fault.Unavailable || !f.Retryable || f.RetryAfter <= 0 || strings.Contains(f.Error(), "redis") {
		t.Errorf("%v", err)
	}
	if _, err := l.servers[0].Verify(t.Context(), "forged"); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("what can be judged without the store: %v", err)
	}
	l.store.down.Store(false)
	if _, err := l.servers[0].Verify(t.Context(), login.AccessToken); err != nil {
		t.Error(err)
	}
	// What was just looked up needs no store.
	l.store.down.Store(true)
	if _, err := l.servers[0].Verify(t.Context(), login.AccessToken); err != nil {
		t.Error(err)
	}
}

func TestACancelledCallIsNoBadToken(t *testing.T) {
	l := newLab(t, labSettings{})
	login := l.login(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.servers[0].Verify(ctx, login.AccessToken); !errors.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// FuzzAlteredToken holds that no text but an issued token is taken, whichever characters are changed, cut off or added.
func FuzzAlteredToken(f *testing.F) {
	l := newLab(f, labSettings{config: func(c *config.Config) { c.Auth.OAuth.SessionTTL = config.Duration(time.Hour) }})
	token := l.login(nil).AccessToken
	for i := 0; i < len(token); i += 7 {
		f.Add(uint(i), byte(1<<(i%8)), uint(0), "")
	}
	f.Add(uint(len(token)-1), byte('A'^'B'), uint(0), "") // spare bits of the signature's last character
	f.Add(uint(0), byte(0), uint(0), "\n")
	f.Add(uint(0), byte(0), uint(1), "=")
	f.Add(uint(0), byte(0), uint(86), "")
	f.Fuzz(func(t *testing.T, at uint, mask byte, cut uint, tail string) {
		changed := []byte(token)
		changed[at%uint(len(token))] ^= mask
		altered := string(changed[:len(token)-int(cut%uint(len(token)))]) + tail
		_, err := l.servers[0].Verify(context.Background(), altered)
		switch {
		case altered == token && err != nil:
			t.Fatalf("the token itself: %v", err)
		case altered != token && !errors.Is(err, fault.TokenInvalid):
			t.Fatalf("%q is taken: %v", altered, err)
		}
	})
}

// FuzzClaims holds that what is well signed is read as what it says, or refused, and never more.
func FuzzClaims(f *testing.F) {
	l := newLab(f, labSettings{})
	is, err := l.servers[0].readAccessToken(l.login(nil).AccessToken)
	if err != nil {
		f.Fatal(err)
	}
	whole, err := json.Marshal(is)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"iss":"https://gw.example","aud":["https://gw.example/mcp"]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		object, err := l.servers[0].tokens.keys.signer.Sign(payload)
		if err != nil {
			t.Skip()
		}
		token, err := object.CompactSerialize()
		if err != nil {
			t.Skip()
		}
		who, err := l.servers[0].Verify(context.Background(), token)
		if err == nil && (who.Login != is.Session || who.Subject != is.Subject || who.ClientID != is.ClientID) {
			t.Errorf("%s is %+v", payload, who)
		}
	})
}
