package fakeidp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signed is an assertion by a client's key.
func signed(key signingKey, claims map[string]any) string { return key.sign("JWT", claims) }

func TestMachines(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	es, rs := signingKey{"cert-1", jose.ES256, ec}, signingKey{"cert-2", jose.RS256, rsaKey}
	o := NetSuite()
	o.Clients = []Client{{ID: "m2m", Key: ec.Public(), KeyID: "cert-1"}, {ID: "old", Key: rsaKey.Public()}}
	netsuite := browser{t, Start(t, o)}
	plain := start(t, Options{})
	plain.idp.Register(Client{ID: "svc", Key: ec.Public()}, Client{ID: "app", Secret: "s", AuthMethod: "client_secret_post"}, Client{ID: "mcpgate", RedirectURIs: []string{callback}})
	_, person := plain.redeem(plain.back(nil).Get("code"))
	now := time.Now()
	claims := func(iss, aud string, life time.Duration, more ...any) map[string]any {
		c := map[string]any{"iss": iss, "aud": aud, "iat": now.Unix(), "exp": now.Add(life).Unix()}
		for i := 0; i < len(more); i += 2 {
			c[more[i].(string)] = more[i+1]
		}
		return c
	}
	m2m := func(assertion string) url.Values {
		return url.Values{"grant_type": {grantCredentials}, "client_assertion_type": {assertionType}, "client_assertion": {assertion}}
	}
	bearer := func(assertion string) url.Values {
		return url.Values{"grant_type": {grantAssertion}, "assertion": {assertion}}
	}
	scope, nsToken := []string{"rest_webservices"}, netsuite.idp.URL("token")
	for _, tt := range []struct {
		name string
		at   browser
		form url.Values
		want string // an error; "" for a token
	}{
		{"NetSuite's M2M", netsuite, m2m(signed(es, claims("m2m", nsToken, time.Hour, "scope", scope))), ""},
		{"too long", netsuite, m2m(signed(es, claims("m2m", nsToken, 2*time.Hour, "scope", scope))), "invalid_client"},
		{"RS256", netsuite, m2m(signed(rs, claims("old", nsToken, time.Hour, "scope", scope))), "invalid_client"},
		{"another certificate", netsuite, m2m(signed(signingKey{"cert-9", jose.ES256, ec}, claims("m2m", nsToken, time.Hour, "scope", scope))), "invalid_client"},
		{"for the issuer", netsuite, m2m(signed(es, claims("m2m", netsuite.idp.Issuer(), time.Hour, "scope", scope))), "invalid_client"},
		{"unknown scope", netsuite, m2m(signed(es, claims("m2m", nsToken, time.Hour, "scope", []string{"mcp"}))), "invalid_scope"},

		{"Salesforce's JWT bearer", plain, bearer(signed(es, claims("svc", plain.idp.Issuer(), 3*time.Minute, "sub", "bob"))), ""},
		{"too long", plain, bearer(signed(es, claims("svc", plain.idp.Issuer(), 10*time.Minute, "sub", "bob"))), "invalid_grant"},
		{"for nobody", plain, bearer(signed(es, claims("svc", plain.idp.Issuer(), time.Minute))), "invalid_grant"},
		{"for somebody else", plain, bearer(signed(es, claims("svc", "https://other.example", time.Minute, "sub", "bob"))), "invalid_grant"},
		{"another's key", plain, bearer(signed(rs, claims("svc", plain.idp.Issuer(), time.Minute, "sub", "bob"))), "invalid_grant"},
		{"unknown client", plain, bearer(signed(es, claims("nobody", plain.idp.Issuer(), time.Minute, "sub", "bob"))), "invalid_client"},

		{"on behalf of", plain, url.Values{"grant_type": {grantAssertion}, "requested_token_use": {"on_behalf_of"}, "assertion": {person["access_token"].(string)},
			"client_id": {"app"}, "client_secret": {"s"}, "scope": {"profile"}}, ""},
		{"without scope", plain, url.Values{"grant_type": {grantAssertion}, "requested_token_use": {"on_behalf_of"}, "assertion": {person["access_token"].(string)},
			"client_id": {"app"}, "client_secret": {"s"}}, "invalid_request"},
		{"exchange", plain, url.Values{"grant_type": {grantExchange}, "subject_token": {person["access_token"].(string)}, "subject_token_type": {typeAccessToken},
			"audience": {"api"}, "client_id": {"app"}, "client_secret": {"s"}}, ""},
		{"for no audience", plain, url.Values{"grant_type": {grantExchange}, "subject_token": {person["access_token"].(string)}, "subject_token_type": {typeAccessToken},
			"client_id": {"app"}, "client_secret": {"s"}}, "invalid_target"},
		{"of no token", plain, url.Values{"grant_type": {grantExchange}, "subject_token": {"x"}, "subject_token_type": {typeAccessToken},
			"audience": {"api"}, "client_id": {"app"}, "client_secret": {"s"}}, "invalid_request"},
		{"a public client", plain, url.Values{"grant_type": {grantCredentials}, "client_id": {"mcpgate"}}, "unauthorized_client"},
	} {
		_, answer := tt.at.post("token", tt.form)
		if got, _ := answer["error"].(string); got != tt.want || (answer["access_token"] != nil) != (tt.want == "") || answer["refresh_token"] != nil {
			t.Errorf("%s: %v", tt.name, answer)
		}
	}
}
