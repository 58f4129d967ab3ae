package oauthproxy

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"mcpgate/auth/tokenstore"
	"mcpgate/config"
)

func newECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keySet(t testing.TB, keys ...jose.JSONWebKey) string {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sign makes an assertion.
func sign(t testing.TB, algorithm jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func assertionForm(assertion string) url.Values {
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}
}

// jwtClient is a document that wants private_key_jwt, with its key beside it.
func jwtClient(id, keys string) string {
	return fmt.Sprintf(`{"client_id":%q,"client_name":"Signer","redirect_uris":["https://signer.example/cb"],"token_endpoint_auth_method":"private_key_jwt",%s}`, id, keys)
}

const signerID = "https://signer.example/client.json"

func TestAssertions(t *testing.T) {
	key, other := newECKey(t), newECKey(t)
	set := keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"})
	clock := newFakeClock()
	s := newDocumentsServer(t, newDocumentServer(t, document(jwtClient(signerID, `"jwks":`+set))), clock, nil)
	now := clock.now()
	jti := 0
	with := func(changes ...any) map[string]any {
		jti++
		claims := map[string]any{"iss": signerID, "sub": signerID, "aud": "https://gw.example", "jti": fmt.Sprint(jti), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		for i := 0; i+1 < len(changes); i += 2 {
			if changes[i+1] == nil {
				delete(claims, changes[i].(string))
				continue
			}
			claims[changes[i].(string)] = changes[i+1]
		}
		return claims
	}
	es := func(claims map[string]any) string { return sign(t, jose.ES256, key, "k1", claims) }
	shared := []byte("a shared key of thirty-two bytes")
	none := "eyJhbGciOiJub25lIn0." + strings.Split(es(with()), ".")[1] + "."
	tests := []struct {
		name      string
		assertion string
		want      string // "" is let in
	}{
		{"for the issuer", es(with()), ""},
		{"for the token endpoint", es(with("aud", "https://gw.example/token")), ""},
		{"for both", es(with("aud", []string{"https://gw.example", "https://gw.example/token"})), ""},
		{"without kid", sign(t, jose.ES256, key, "", with()), ""},
		{"without iat", es(with("iat", nil)), ""},
		{"a clock that is ahead a little", es(with("iat", now.Add(20*time.Second).Unix(), "nbf", now.Add(20*time.Second).Unix())), ""},
		{"five minutes", es(with("exp", now.Add(5*time.Minute).Unix())), ""},
		{"for the issuer with a slash", es(with("aud", "https://gw.example/")), "aud"},
		{"for the token endpoint with a slash more", es(with("aud", "https://gw.example//token")), "aud"},
		{"for somebody else too", es(with("aud", []string{"https://gw.example", "https://other.example"})), "aud"},
		{"for somebody else", es(with("aud", "https://other.example")), "aud"},
		{"for nobody", es(with("aud", nil)), "aud"},
		{"by somebody else", es(with("iss", "https://other.example/client.json")), "iss and sub"},
		{"about nobody", es(with("sub", nil, "client_id", signerID)), ""}, // refused: see below
		{"over", es(with("exp", now.Add(-31*time.Second).Unix())), "over"},
		{"without end", es(with("exp", nil)), "exp"},
		{"an hour", es(with("exp", now.Add(time.Hour).Unix())), "5 minutes"},
		{"not yet", es(with("nbf", now.Add(2*time.Minute).Unix())), "not come"},
		{"from the future", es(with("iat", now.Add(2*time.Minute).Unix())), "not come"},
		{"without jti", es(with("jti", nil)), "jti"},
		{"another key", sign(t, jose.ES256, other, "k1", with()), "signed"},
		{"another kid", sign(t, jose.ES256, key, "k2", with()), "signed"},
		{"an algorithm of secrets", sign(t, jose.HS256, shared, "k1", with()), "signature"},
		{"no algorithm", none, "signature"},
		{"no JWT", "nonsense", "signature"},
		{"too long", strings.Repeat("a", maxAssertion+1), "signature"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			form := assertionForm(test.assertion)
			if test.name == "about nobody" {
				test.want = "client_id is missing"
			} else {
				form.Set("client_id", signerID)
			}
			c, err := s.authenticate(t.Context(), tokenRequest(t, form, "", ""))
			if test.want == "" {
				if err != nil || c.ID != signerID {
					t.Fatalf("%v %v", c, err)
				}
				// The same again is a replay, whatever else is good about it.
				_, err = s.authenticate(t.Context(), tokenRequest(t, form, "", ""))
				test.want = "jti was used"
			}
			if e := errorOf(t, err); e.Status != http.StatusUnauthorized || !strings.Contains(e.Description, test.want) {
				t.Errorf("%d %v, want %q", e.Status, e, test.want)
			}
		})
	}
	t.Run("the id may come from the assertion alone", func(t *testing.T) {
		if _, err := s.authenticate(t.Context(), tokenRequest(t, assertionForm(es(with())), "", "")); err != nil {
			t.Error(err)
		}
	})
	t.Run("without any", func(t *testing.T) {
		_, err := s.authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {signerID}}, "", ""))
		if e := errorOf(t, err); e.Status != http.StatusUnauthorized || !strings.Contains(e.Description, methodJWT) {
			t.Error(err)
		}
	})
	t.Run("of another type", func(t *testing.T) {
		form := assertionForm(es(with()))
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
		_, err := s.authenticate(t.Context(), tokenRequest(t, form, "", ""))
		if e := errorOf(t, err); e.Code != "invalid_request" {
			t.Error(err)
		}
	})
}

// A replica that shares the store knows what the other one saw.
func TestAnAssertionIsUsedOnceAmongReplicas(t *testing.T) {
	key := newECKey(t)
	d := newDocumentServer(t, document(jwtClient(signerID, `"jwks":`+keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k1"}))))
	store := tokenstore.NewMemory(time.Now)
	replica := func() *Server {
		return newDirectoryServer(t, func(_ *config.Config, parts *Parts) { parts.Store, parts.Fetch = store, d.client() })
	}
	assertion := sign(t, jose.ES256, key, "k1", map[string]any{"iss": signerID, "sub": signerID, "aud": "https://gw.example", "jti": "1", "exp": time.Now().Add(time.Minute).Unix()})
	one, two := replica(), replica()
	if _, err := one.authenticate(t.Context(), tokenRequest(t, assertionForm(assertion), "", "")); err != nil {
		t.Fatal(err)
	}
	if _, err := two.authenticate(t.Context(), tokenRequest(t, assertionForm(assertion), "", "")); err == nil {
		t.Error("the other replica took it again")
	}
}

// ChatGPT may come with an assertion although it needs none; then it has to be good.
func TestAClientMayProveMoreThanItHasTo(t *testing.T) {
	key, wrong := newECKey(t), newECKey(t)
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/jwks.json" {
			document(keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "c1"}))(w, r)
			return
		}
		document(chatGPT)(w, r)
	})
	s := newDocumentsServer(t, d, nil, nil)
	claims := func(jti string) map[string]any {
		return map[string]any{"iss": chatGPTID, "sub": chatGPTID, "aud": "https://gw.example/token", "jti": jti, "exp": time.Now().Add(time.Minute).Unix()}
	}
	if _, err := s.authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {chatGPTID}}, "", "")); err != nil {
		t.Error(err)
	}
	if _, err := s.authenticate(t.Context(), tokenRequest(t, assertionForm(sign(t, jose.ES256, key, "c1", claims("1"))), "", "")); err != nil {
		t.Error(err)
	}
	if _, err := s.authenticate(t.Context(), tokenRequest(t, assertionForm(sign(t, jose.ES256, wrong, "c1", claims("2"))), "", "")); err == nil {
		t.Error("a wrong assertion was taken")
	}
	// A secret that nobody gave it is not ignored.
	if _, err := s.authenticate(t.Context(), tokenRequest(t, url.Values{"client_id": {chatGPTID}, "client_secret": {"x"}}, "", "")); err == nil {
		t.Error("a secret was taken")
	}
}

func TestKeysAreFetchedAnewForOneThatIsMissing(t *testing.T) {
	clock := newFakeClock()
	first, second := newECKey(t), newECKey(t)
	var current atomic.Value
	var fetches atomic.Int32
	current.Store(keySet(t, jose.JSONWebKey{Key: first.Public(), KeyID: "k1"}))
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			fetches.Add(1)
			document(current.Load().(string), "Cache-Control", "max-age=86400")(w, r)
			return
		}
		document(jwtClient(signerID, `"jwks_uri":"https://keys.signer.example/jwks"`), "Cache-Control", "max-age=86400")(w, r)
	})
	s := newDocumentsServer(t, d, clock, nil)
	jti := 0
	try := func(key crypto.Signer, kid string) error {
		jti++
		_, err := s.authenticate(t.Context(), tokenRequest(t, assertionForm(sign(t, jose.ES256, key, kid, map[string]any{
			"iss": signerID, "sub": signerID, "aud": "https://gw.example", "jti": fmt.Sprint(jti), "exp": clock.now().Add(time.Minute).Unix()})), "", ""))
		return err
	}
	if err := try(first, "k1"); err != nil {
		t.Fatal(err)
	}
	current.Store(keySet(t, jose.JSONWebKey{Key: second.Public(), KeyID: "k2"}))
	if err := try(second, "k2"); err == nil || fetches.Load() != 1 {
		t.Errorf("%v, %d fetches: a set of this minute was fetched again", err, fetches.Load())
	}
	clock.advance(time.Minute)
	if err := try(second, "k2"); err != nil || fetches.Load() != 2 {
		t.Errorf("%v, %d fetches", err, fetches.Load())
	}
	for range 5 { // somebody who makes up kids does not make us fetch
		_ = try(first, "k3")
	}
	if fetches.Load() != 2 {
		t.Errorf("%d fetches", fetches.Load())
	}
	// Keys that can't be had are no reason to send the client away for good.
	clock.advance(25 * time.Hour)
	d.become(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		document(jwtClient(signerID, `"jwks_uri":"https://keys.signer.example/jwks"`))(w, r)
	})
	if e := errorOf(t, try(second, "k2")); e.Status != http.StatusServiceUnavailable {
		t.Error(e)
	}
}

func TestWeakAndStrangeKeysAreLeftOut(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	good := newECKey(t)
	set := keySet(t, jose.JSONWebKey{Key: weak.Public(), KeyID: "weak"}, jose.JSONWebKey{Key: good.Public(), KeyID: "enc", Use: "enc"}, jose.JSONWebKey{Key: good.Public(), KeyID: "good"})
	set = strings.Replace(set, `{"keys":[`, `{"keys":[{"kty":"XYZ","x":"1"},`, 1)
	keys, err := parseKeys([]byte(set))
	if err != nil || len(keys) != 1 || keys[0].KeyID != "good" {
		t.Errorf("%v %v", keys, err)
	}
	for name, text := range map[string]string{
		"private": keySet(t, jose.JSONWebKey{Key: good, KeyID: "x"}), "many": `{"keys":[` + strings.TrimSuffix(strings.Repeat("{},", 21), ",") + `]}`, "a list": `[]`,
	} {
		if _, err := parseKeys([]byte(text)); err == nil {
			t.Error(name)
		}
	}
}

// downStore can't be reached.
type downStore struct{ tokenstore.Store }

func (downStore) Swap(context.Context, string, uint64, []byte, time.Duration) (uint64, error) {
	return 0, errors.New("no route to the store")
}

func TestAStoreThatIsDownIsNobodysWrongCredential(t *testing.T) {
	key := newECKey(t)
	d := newDocumentServer(t, document(jwtClient(signerID, `"jwks":`+keySet(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k1"}))))
	s := newDirectoryServer(t, func(_ *config.Config, parts *Parts) {
		parts.Store, parts.Fetch = downStore{tokenstore.NewMemory(time.Now)}, d.client()
	})
	assertion := sign(t, jose.ES256, key, "k1", map[string]any{"iss": signerID, "sub": signerID, "aud": "https://gw.example", "jti": "1", "exp": time.Now().Add(time.Minute).Unix()})
	_, err := s.authenticate(t.Context(), tokenRequest(t, assertionForm(assertion), "", ""))
	if e := errorOf(t, err); e.Status != http.StatusServiceUnavailable || e.Code != "temporarily_unavailable" {
		t.Error(err)
	}
}
