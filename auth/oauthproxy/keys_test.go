package oauthproxy

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

const (
	olderKey = "an older key of 32 bytes or so!!"
	newerKey = "a newer key of 32 bytes or so!!!"
)

func newTestKeys(t testing.TB, ring string) *keys {
	t.Helper()
	k, err := newKeys(seal.NewRing(ring))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// tokenIn reads the refresh token of an answer.
func tokenIn(t testing.TB, body []byte) string {
	t.Helper()
	var answer tokenAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.RefreshToken
}

// jwks is what a server publishes.
func (l *lab) jwks(server int) jose.JSONWebKeySet {
	l.t.Helper()
	w := httptest.NewRecorder()
	l.muxes[server].ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/jwks", nil))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil {
		l.t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w.Header().Get("Cache-Control") != "public, max-age=300" {
		l.t.Error(w.Header())
	}
	return set
}

func TestPublishedKeysVerify(t *testing.T) {
	l := newLab(t, labSettings{rings: []string{newerKey + "," + olderKey}})
	got := l.login(nil)
	set := l.jwks(0)
	if len(set.Keys) != 2 {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for _, key := range set.Keys {
		if !key.Valid() || !key.IsPublic() || key.Algorithm != "EdDSA" || key.Use != "sig" || len(key.KeyID) != 16 {
			t.Errorf("%+v", key)
		}
	}
	signed, err := jose.ParseSignedCompact(got.AccessToken, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	if id := signed.Signatures[0].Protected.KeyID; id != set.Keys[0].KeyID {
		t.Errorf("signed with %s, which is not the first", id)
	}
	payload, err := signed.Verify(set)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any // RFC 9068 section 2.2, and nothing of the person
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti", "sid"} {
		if c[name] == nil {
			t.Errorf("no %s", name)
		}
		delete(c, name)
	}
	if len(c) != 0 {
		t.Errorf("more claims: %v", c)
	}
}

// TestAKeyIsRotatedInTwoSteps: every server knows the new key before one signs with it; all the while every login goes on at every server.
func TestAKeyIsRotatedInTwoSteps(t *testing.T) {
	l := newLab(t, labSettings{rings: []string{olderKey, olderKey + "," + newerKey, newerKey + "," + olderKey, newerKey}, servers: 4})
	const before, known, first, after = 0, 1, 2, 3
	holds := func(server int, token string, want bool) {
		t.Helper()
		if _, err := l.servers[server].Verify(t.Context(), token); (err == nil) != want || err != nil && !errors.Is(err, fault.TokenInvalid) {
			t.Errorf("at %d: %v", server, err)
		}
	}
	one := l.login(nil)
	for _, server := range []int{before, known, first} {
		holds(server, one.AccessToken, true)
	}
	holds(after, one.AccessToken, false) // too early for it
	// The first step: who knows the new key signs with the old one, so that who does not can read it.
	two := l.ask(known, refreshForm(one.RefreshToken))
	for _, server := range []int{before, known, first} {
		holds(server, two.AccessToken, true)
	}
	// The second: known by all the others, it signs.
	three := l.ask(first, refreshForm(two.RefreshToken))
	for _, server := range []int{known, first, after} {
		holds(server, three.AccessToken, true)
	}
	holds(before, three.AccessToken, false) // what leaving out the first step would do
	// The upstream tokens were sealed anew on the way, so that the old key may go.
	four := l.ask(after, refreshForm(three.RefreshToken))
	if four.status != http.StatusOK {
		t.Fatalf("%s %s", four.Error, four.Description)
	}
	holds(after, four.AccessToken, true)
	holds(known, four.AccessToken, true)
	// A token from before the rotation is still known to be an old one.
	l.refused(l.ask(first, refreshForm(one.RefreshToken)), http.StatusBadRequest, "invalid_grant")
	holds(first, four.AccessToken, false)
}

// TestATokenOfAnotherGateway under the same key, on the same store even, is none here: another issuer, or another resource of the same one (RFC 8707).
func TestATokenOfAnotherGateway(t *testing.T) {
	l := newLab(t, labSettings{})
	login := l.login(nil)
	l.add(testKey, func(c *config.Config) { c.Server.PublicURL = "https://gw2.example" })
	l.add(testKey, func(c *config.Config) { c.Server.Path = "/netsuite/mcp" })
	for _, s := range l.servers[1:] {
		if _, err := s.Verify(t.Context(), login.AccessToken); !errors.Is(err, fault.TokenInvalid) {
			t.Errorf("%s: %v", s.resource, err)
		}
	}
	// Nor do its code and its refresh token become tokens here.
	for server := range l.servers[1:] {
		l.refused(l.ask(server+1, with(codeForm(l.newCode(nil)), "resource", "")), http.StatusBadRequest, "invalid_target")
		l.refused(l.ask(server+1, refreshForm(login.RefreshToken)), http.StatusBadRequest, "invalid_target")
	}
	l.stands(login.AccessToken, true)
}
