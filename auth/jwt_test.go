package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

const testResource = "https://gate.example/mcp"

// issuer signs tokens, publishes its keys, and answers questions about opaque tokens.
type issuer struct {
	*httptest.Server
	keys    atomic.Pointer[jose.JSONWebKeySet]
	down    atomic.Bool
	fetched atomic.Int32 // how often its keys were
	asked   atomic.Int32
	opaque  sync.Map // token: what is said of it (JSON)
}

func newIssuer(t testing.TB, keys ...jose.JSONWebKey) *issuer {
	t.Helper()
	i := &issuer{}
	i.publish(keys...)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/jwks", "authorization_endpoint": i.URL + "/a", "token_endpoint": i.URL + "/t"})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		i.fetched.Add(1)
		_ = json.NewEncoder(w).Encode(i.keys.Load())
	})
	mux.HandleFunc("POST /introspect", i.introspect)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) introspect(w http.ResponseWriter, r *http.Request) {
	i.asked.Add(1)
	// The id and the secret arrive form-encoded (RFC 6749 section 2.3.1).
	if id, secret, _ := r.BasicAuth(); id != "the%3Agate" || secret != "a+secret%2B" {
		http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
		return
	}
	said, ok := i.opaque.Load(r.PostFormValue("token"))
	if !ok {
		said = `{"active": false}`
	}
	_, _ = w.Write([]byte(said.(string)))
}

func (i *issuer) publish(keys ...jose.JSONWebKey) {
	set := &jose.JSONWebKeySet{}
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Public())
	}
	i.keys.Store(set)
}

func (i *issuer) config() config.JWTAuth {
	return config.JWTAuth{Issuer: i.URL, Leeway: config.Duration(time.Minute)}
}

func (i *issuer) verifier(t testing.TB, cfg config.JWTAuth, now func() time.Time) *JWT {
	t.Helper()
	v, err := NewJWT(cfg, testResource, i.Client(), JWTOptions{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newKey(t testing.TB, kid string) jose.JSONWebKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: "EdDSA", Use: "sig"}
}

// sign makes a JWT; header is put into the protected header besides.
func sign(t testing.TB, key jose.JSONWebKey, claims map[string]any, header map[jose.HeaderKey]any) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"typ": "at+jwt"}}
	maps.Copy(options.ExtraHeaders, header)
	for name, value := range header {
		if value == nil {
			delete(options.ExtraHeaders, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// good are claims that are taken; others are put over them, and nil takes one away.
func (i *issuer) good(now time.Time, others map[string]any) map[string]any {
	claims := map[string]any{"iss": i.URL, "sub": "anne", "aud": testResource, "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(),
		"client_id": "editor", "scope": "read write"}
	maps.Copy(claims, others)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func TestJWT(t *testing.T) {
	key := newKey(t, "one")
	i := newIssuer(t, key)
	now := time.Now().Truncate(time.Second)
	v := i.verifier(t, i.config(), func() time.Time { return now })
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, test := range []struct {
		name   string
		claims map[string]any
		want   error // nil is that it is taken
	}{
		{"as it should be", nil, nil},
		{"several audiences", map[string]any{"aud": []string{"https://other.example", testResource}}, nil},
		{"over, but for a clock that is slow", map[string]any{"exp": in(-59 * time.Second)}, nil},
		{"over", map[string]any{"exp": in(-time.Minute)}, fault.TokenExpired},
		{"without an end", map[string]any{"exp": nil}, fault.TokenInvalid},
		{"an end that is no time", map[string]any{"exp": "tomorrow"}, fault.TokenInvalid},
		{"an end beyond all time", map[string]any{"exp": 1e300}, fault.TokenInvalid},
		{"a fraction of a second", map[string]any{"exp": float64(in(time.Hour)) + 0.5}, nil},
		{"not yet, but for a clock that is fast", map[string]any{"nbf": in(59 * time.Second)}, nil},
		{"not yet", map[string]any{"nbf": in(61 * time.Second)}, fault.TokenInvalid},
		{"of the future, but for a clock that is fast", map[string]any{"iat": in(59 * time.Second)}, nil},
		{"of the future", map[string]any{"iat": in(61 * time.Second)}, fault.TokenInvalid},
		{"without the time of issue", map[string]any{"iat": nil}, nil},
		{"another issuer", map[string]any{"iss": "https://other.example"}, fault.TokenInvalid},
		{"the issuer with a slash", map[string]any{"iss": i.URL + "/"}, fault.TokenInvalid},
		{"no issuer", map[string]any{"iss": nil}, fault.TokenInvalid},
		{"another audience", map[string]any{"aud": "https://other.example"}, fault.TokenInvalid},
		{"the audience as a part of another", map[string]any{"aud": testResource + ".evil.example"}, fault.TokenInvalid},
		{"no audience", map[string]any{"aud": nil}, fault.TokenInvalid},
		{"an empty list of audiences", map[string]any{"aud": []string{}}, fault.TokenInvalid},
		{"an audience that is a number", map[string]any{"aud": 1}, fault.TokenInvalid},
		{"nobody's", map[string]any{"sub": nil, "client_id": nil}, fault.TokenInvalid},
		{"a client's own", map[string]any{"sub": nil}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := v.Verify(t.Context(), sign(t, key, i.good(now, test.claims), nil))
			if test.want == nil && (err != nil || p == nil) || test.want != nil && (p != nil || !errors.Is(err, test.want)) {
				t.Errorf("%+v, %v; want %v", p, err, test.want)
			}
		})
	}
	if n := i.fetched.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestPrincipalOfAJWT(t *testing.T) {
	key := newKey(t, "one")
	i := newIssuer(t, key)
	now := time.Now()
	v := i.verifier(t, i.config(), nil)
	for _, test := range []struct {
		name   string
		claims map[string]any
		want   Principal
	}{
		{"RFC 9068", nil, Principal{Subject: "anne", ClientID: "editor", Scopes: []string{"read", "write"}}},
		{"Entra ID", map[string]any{"scope": nil, "scp": "read all", "client_id": nil, "azp": "app"}, Principal{Subject: "anne", ClientID: "app", Scopes: []string{"read", "all"}}},
		{"Okta", map[string]any{"scope": nil, "scp": []string{"read", "all"}}, Principal{Subject: "anne", ClientID: "editor", Scopes: []string{"read", "all"}}},
		{"both", map[string]any{"scp": []string{"read", "all"}}, Principal{Subject: "anne", ClientID: "editor", Scopes: []string{"read", "write", "all"}}},
		{"none", map[string]any{"scope": ""}, Principal{Subject: "anne", ClientID: "editor"}},
		{"a client's own", map[string]any{"sub": nil}, Principal{Subject: "editor", ClientID: "editor", Scopes: []string{"read", "write"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			groups := map[string]any{"groups": []any{"admins"}}
			maps.Copy(groups, test.claims)
			p, err := v.Verify(t.Context(), sign(t, key, i.good(now, groups), nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]any{"admins"}, p.Claims["groups"]); diff != "" {
				t.Error(diff)
			}
			test.want.Issuer, test.want.Claims = i.URL, p.Claims
			if diff := cmp.Diff(test.want, *p); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissingScopesAreNamedAllAtOnce(t *testing.T) {
	key := newKey(t, "one")
	i := newIssuer(t, key)
	cfg := i.config()
	cfg.RequiredScopes = []string{"read", "invoices", "admin"}
	v := i.verifier(t, cfg, nil)
	p, err := v.Verify(t.Context(), sign(t, key, i.good(time.Now(), nil), nil))
	if p != nil || !errors.Is(err, fault.Permission) || !strings.Contains(err.Error(), "invoices admin") || strings.Contains(err.Error(), "read") {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := v.Verify(t.Context(), sign(t, key, i.good(time.Now(), map[string]any{"scope": "admin read invoices"}), nil)); err != nil {
		t.Error(err)
	}
}

// TestForgedJWTs are tokens that a verifier of other manners would take (RFC 8725 section 2).
func TestForgedJWTs(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	real := jose.JSONWebKey{Key: rsaKey, KeyID: "one", Algorithm: "RS256", Use: "sig"}
	i := newIssuer(t, real)
	v := i.verifier(t, i.config(), nil)
	claims := i.good(time.Now(), nil)
	token := sign(t, real, claims, nil)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	raw := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	der, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	modulus := rsaKey.N.Bytes()

	attacker := newKey(t, "one") // the same kid
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	evil := newIssuer(t, attacker)
	forged := map[string]string{
		"alg none":                          raw(`{"alg":"none","typ":"at+jwt","kid":"one"}`) + "." + parts[1] + ".",
		"alg None":                          raw(`{"alg":"None","kid":"one"}`) + "." + parts[1] + "." + parts[2],
		"no alg":                            raw(`{"kid":"one"}`) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key (PEM)":   sign(t, jose.JSONWebKey{Key: public, KeyID: "one", Algorithm: "HS256"}, claims, nil),
		"HS256 with the public key (DER)":   sign(t, jose.JSONWebKey{Key: der, KeyID: "one", Algorithm: "HS256"}, claims, nil),
		"HS256 with the modulus":            sign(t, jose.JSONWebKey{Key: modulus, KeyID: "one", Algorithm: "HS256"}, claims, nil),
		"another key under the same kid":    sign(t, attacker, claims, nil),
		"another key of the same algorithm": sign(t, jose.JSONWebKey{Key: mustRSA(t), KeyID: "one", Algorithm: "RS256"}, claims, nil),
		"another algorithm of the key":      sign(t, jose.JSONWebKey{Key: rsaKey, KeyID: "one", Algorithm: "PS256"}, claims, nil),
		"ES256 under the RSA key's kid":     sign(t, jose.JSONWebKey{Key: ec, KeyID: "one", Algorithm: "ES256"}, claims, nil),
		"an unknown kid":                    sign(t, jose.JSONWebKey{Key: rsaKey, KeyID: "two", Algorithm: "RS256"}, claims, nil),
		"jku to another issuer":             sign(t, attacker, claims, map[jose.HeaderKey]any{"jku": evil.URL + "/jwks"}),
		"jwk of the attacker's":             sign(t, attacker, claims, map[jose.HeaderKey]any{"jwk": attacker.Public()}),
		"x5u":                               sign(t, attacker, claims, map[jose.HeaderKey]any{"x5u": evil.URL + "/x5u"}),
		"a critical extension":              sign(t, real, claims, map[jose.HeaderKey]any{"crit": []string{"exp"}, "exp": 1}),
		"a logout token":                    sign(t, real, claims, map[jose.HeaderKey]any{"typ": "logout+jwt"}),
		"a DPoP proof":                      sign(t, real, claims, map[jose.HeaderKey]any{"typ": "dpop+jwt"}),
		"a type that is a number":           sign(t, real, claims, map[jose.HeaderKey]any{"typ": 1}),
		"the payload exchanged":             parts[0] + "." + raw(`{"iss":"`+i.URL+`","sub":"root"}`) + "." + parts[2],
		"without a signature":               parts[0] + "." + parts[1] + ".",
		"with a fourth part":                token + ".x",
		"JSON serialization":                `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"9 KiB":                             sign(t, real, i.good(time.Now(), map[string]any{"pad": strings.Repeat("x", 7<<10)}), nil),
		"nothing":                           "",
		"dots":                              "..",
		"no JWT":                            "opaque",
	}
	for name, token := range forged {
		t.Run(name, func(t *testing.T) {
			p, err := v.Verify(t.Context(), token)
			if p != nil || !errors.Is(err, fault.TokenInvalid) {
				t.Errorf("%+v, %v", p, err)
			}
			if err != nil && len(token) > 10 && strings.Contains(err.Error(), token) {
				t.Errorf("the error repeats the token: %v", err)
			}
		})
	}
	for name, typ := range map[string]any{"JWT": "JWT", "none": nil, "with its media type": "application/at+jwt", "in capitals": "AT+JWT"} {
		if _, err := v.Verify(t.Context(), sign(t, real, claims, map[jose.HeaderKey]any{"typ": typ})); err != nil {
			t.Errorf("typ %s: %v", name, err)
		}
	}
	if n := evil.fetched.Load(); n != 0 {
		t.Errorf("the attacker's keys were fetched %d times", n)
	}
	if n := i.fetched.Load(); n != 1 {
		t.Errorf("forged tokens made us fetch the keys %d times", n)
	}
}

func mustRSA(t testing.TB) crypto.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeysRotate(t *testing.T) {
	first, second := newKey(t, "one"), newKey(t, "two")
	i := newIssuer(t, first)
	now := time.Now()
	v := i.verifier(t, i.config(), func() time.Time { return now })
	verify := func(key jose.JSONWebKey) error {
		_, err := v.Verify(t.Context(), sign(t, key, i.good(now, nil), nil))
		return err
	}
	if err := verify(first); err != nil {
		t.Fatal(err)
	}
	i.publish(first, second)
	if err := verify(second); !errors.Is(err, fault.TokenInvalid) || i.fetched.Load() != 1 {
		t.Fatalf("asked again within a minute: %v, %d", err, i.fetched.Load())
	}
	now = now.Add(keysRefetch)
	for range 3 {
		if err := errors.Join(verify(second), verify(first)); err != nil || i.fetched.Load() != 2 {
			t.Fatalf("%v, %d", err, i.fetched.Load())
		}
	}
	// A token without a kid can't say that its key is new.
	third := newKey(t, "")
	i.publish(third)
	now = now.Add(keysRefetch)
	if err := verify(third); err != nil {
		t.Error(err)
	}
	if err := verify(first); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("a key that was taken back: %v", err)
	}
}

// TestAnIssuerThatIsDownMakesNoTokenBad // a 401 would make clients throw good tokens away
func TestAnIssuerThatIsDownMakesNoTokenBad(t *testing.T) {
	key := newKey(t, "one")
	i := newIssuer(t, key)
	now := time.Now()
	v := i.verifier(t, i.config(), func() time.Time { return now })
	token := sign(t, key, i.good(now, nil), nil)
	i.down.Store(true)
	for range 2 {
		_, err := v.Verify(t.Context(), token)
		if !errors.Is(err, fault.Unavailable) || fault.From(err).RetryAfter == 0 || v.Ready() == nil {
			t.Fatalf("%v, ready %v", err, v.Ready())
		}
	}
	i.down.Store(false)
	now = now.Add(keysRetry)
	if _, err := v.Verify(t.Context(), token); err != nil || v.Ready() != nil {
		t.Fatalf("%v, ready %v", err, v.Ready())
	}
	// Down again: known keys go on, and of an unknown one nothing can be said.
	i.down.Store(true)
	now = now.Add(keysRefetch)
	if _, err := v.Verify(t.Context(), sign(t, newKey(t, "two"), i.good(now, nil), nil)); !errors.Is(err, fault.Unavailable) {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := v.Verify(t.Context(), token); err != nil || v.Ready() != nil {
		t.Errorf("a known key: %v, ready %v", err, v.Ready())
	}
}

func TestRunFetchesTheKeys(t *testing.T) {
	key := newKey(t, "one")
	i := newIssuer(t, key)
	v := i.verifier(t, i.config(), nil)
	if err := v.Ready(); !errors.Is(err, fault.Unavailable) {
		t.Errorf("ready at once: %v", err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		v.Run(ctx)
	}()
	for v.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
}

func TestBadKeySets(t *testing.T) {
	key := newKey(t, "one")
	good, err := key.Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body string
		want int // keys; 0 is an error
	}{
		"no JSON":         {`<html>`, 0},
		"no keys":         {`{}`, 0},
		"an empty set":    {`{"keys":[]}`, 0},
		"a symmetric key": {`{"keys":[{"kty":"oct","kid":"one","k":"AAAA"}]}`, 0},
		"one among strange ones": {`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"EC","crv":"secp256k1","alg":"ES256K","x":"AA","y":"AA"},1,` +
			string(good) + `]}`, 1},
	} {
		keys, err := publicKeys([]byte(test.body))
		if len(keys) != test.want || test.want == 0 && err == nil {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
	}
}

func TestNewJWTRefuses(t *testing.T) {
	for name, cfg := range map[string]config.JWTAuth{
		"nothing":     {},
		"HS256":       {Issuer: "https://i.example", Algorithms: []string{"HS256"}},
		"none":        {Issuer: "https://i.example", Algorithms: []string{"none"}},
		"no audience": {Issuer: "https://i.example"},
	} {
		resource := testResource
		if name == "no audience" {
			resource = ""
		}
		if _, err := NewJWT(cfg, resource, nil, JWTOptions{}); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// FuzzAlteredJWT holds that a token in which any byte was changed does not verify.
func FuzzAlteredJWT(f *testing.F) {
	key := newKey(f, "one")
	i := newIssuer(f, key)
	v := i.verifier(f, i.config(), nil)
	token := sign(f, key, i.good(time.Now(), nil), nil)
	if _, err := v.Verify(f.Context(), token); err != nil {
		f.Fatal(err)
	}
	f.Add(uint(0), byte(1), uint(0), "")
	f.Add(uint(len(token)-1), byte(1), uint(0), "")
	f.Add(uint(0), byte(0), uint(1), "A")
	f.Add(uint(0), byte(0), uint(0), "=")
	f.Add(uint(0), byte(0), uint(0), "\n")
	f.Fuzz(func(t *testing.T, at uint, mask byte, cut uint, tail string) {
		changed := []byte(token)
		changed[at%uint(len(changed))] ^= mask
		altered := string(changed[:uint(len(changed))-cut%uint(len(changed))]) + tail
		p, err := v.Verify(t.Context(), altered)
		if altered != token && (p != nil || err == nil) {
			t.Fatalf("%q verified", altered)
		}
	})
}

func BenchmarkJWT(b *testing.B) {
	key := newKey(b, "one")
	i := newIssuer(b, key)
	v := i.verifier(b, i.config(), nil)
	token := sign(b, key, i.good(time.Now(), nil), nil)
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
