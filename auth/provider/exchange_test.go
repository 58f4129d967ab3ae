package provider

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fakeidp"
	"mcpgate/internal/fault"
)

// TestIDTokenIsChecked is OpenID Connect Core section 3.1.3.7, with a minute for clocks that differ.
func TestIDTokenIsChecked(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name   string
		change func(claims map[string]any)
		says   string // "" where it is taken
	}{
		{"as it is", func(map[string]any) {}, ""},
		{"another issuer", func(c map[string]any) { c["iss"] = "https://evil.example" }, "different provider"},
		{"the issuer with a slash", func(c map[string]any) { c["iss"] = "https://id.example/" }, "different provider"},
		{"another audience", func(c map[string]any) { c["aud"] = "other" }, "audience"},
		{"no audience", func(c map[string]any) { delete(c, "aud") }, "audience"},
		{"several audiences", func(c map[string]any) { c["aud"], c["azp"] = []string{"other", "mcpgate"}, "mcpgate" }, ""},
		{"authorized for another", func(c map[string]any) { c["aud"], c["azp"] = []string{"other", "mcpgate"}, "other" }, "azp"},
		{"azp is no text", func(c map[string]any) { c["azp"] = []string{"mcpgate"} }, "azp"},
		{"over for 59 s", func(c map[string]any) { c["exp"] = now.Add(-55 * time.Second).Unix() }, ""},
		{"over for a minute and more", func(c map[string]any) { c["exp"] = now.Add(-65 * time.Second).Unix() }, "expired"},
		{"no end", func(c map[string]any) { delete(c, "exp") }, "expired"},
		{"issued in 55 s", func(c map[string]any) { c["iat"] = now.Add(55 * time.Second).Unix() }, ""},
		{"issued in more than a minute", func(c map[string]any) { c["iat"] = now.Add(70 * time.Second).Unix() }, "iat"},
		{"another nonce", func(c map[string]any) { c["nonce"] = "other" }, "nonce"},
		{"no nonce", func(c map[string]any) { delete(c, "nonce") }, "nonce"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, fakeidp.Options{ChangeIDToken: tt.change, Now: func() time.Time { return now }}, nil)
			_, who, err := l.Exchange(t.Context(), l.browse())
			if tt.says == "" {
				if err != nil || who.Subject != "alice" {
					t.Errorf("%v, %v: %s", who, err, cause(err))
				}
				return
			}
			if !errors.Is(err, fault.TokenInvalid) || !strings.Contains(cause(err), tt.says) {
				t.Errorf("%v: %s", err, cause(err))
			}
		})
	}
}

// TestForgedIDTokens: no signature, one by the client's secret, one by another key under the provider's kid.
func TestForgedIDTokens(t *testing.T) {
	secret := "a-client-secret-of-thirty-two-bytes-or-more"
	unsigned := func(claims map[string]any) string {
		body, _ := json.Marshal(claims)
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
	}
	bySecret := func(claims map[string]any) string {
		body, _ := json.Marshal(claims)
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(body)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := signed.CompactSerialize()
		return text
	}
	altered := func(claims map[string]any) string {
		text := bySecret(claims)
		return "eyJhbGciOiJFUzI1NiJ9" + text[strings.Index(text, "."):] // {"alg":"ES256"}
	}
	for name, forge := range map[string]func(map[string]any) string{
		"none": unsigned, "HS256": bySecret, "altered": altered, "no JWT": func(map[string]any) string { return "x.y" },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, fakeidp.Options{ForgeIDToken: forge, Clients: []fakeidp.Client{{ID: "mcpgate", Secret: secret}}},
				func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.ClientSecret = config.NewSecret(secret) })
			if _, _, err := l.Exchange(t.Context(), l.browse()); !errors.Is(err, fault.TokenInvalid) {
				t.Errorf("%v: %s", err, cause(err))
			}
		})
	}
}

func TestKeysRotate(t *testing.T) {
	for _, algorithm := range []string{"ES256", "RS256", "PS256"} {
		l := newLab(t, fakeidp.Options{Algorithm: algorithm}, nil)
		l.login()
		l.idp.RotateKeys(false)
		l.login()
		l.login()
		if got := l.idp.Requests()["jwks"]; got != 2 {
			t.Errorf("%s: the keys were fetched %d times", algorithm, got)
		}
	}
}

// Keys that can't be had are no bad id_token: the person may try again.
func TestKeysThatCannotBeHad(t *testing.T) {
	l := newLab(t, fakeidp.Options{}, nil)
	l.idp.Fail("jwks", fakeidp.Status(503, ""))
	if _, _, err := l.Exchange(t.Context(), l.browse()); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v: %s", err, cause(err))
	}
}

// TestIssOfTheCallback is RFC 9207 section 2.4.
func TestIssOfTheCallback(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options fakeidp.Options
		change  func(url.Values)
		taken   bool
	}{
		{"promised and there", fakeidp.Options{IssParameter: true}, func(url.Values) {}, true},
		{"promised and not there", fakeidp.Options{IssParameter: true}, func(q url.Values) { q.Del("iss") }, false},
		{"not promised and not there", fakeidp.Options{}, func(url.Values) {}, true},
		{"not promised and right", fakeidp.Options{}, func(q url.Values) { q.Set("iss", "https://id.example") }, true},
		{"not promised and wrong", fakeidp.Options{}, func(q url.Values) { q.Set("iss", "https://evil.example") }, false},
		{"with a slash", fakeidp.Options{}, func(q url.Values) { q.Set("iss", "https://id.example/") }, false},
		{"empty", fakeidp.Options{}, func(q url.Values) { q.Set("iss", "") }, false},
		{"twice", fakeidp.Options{}, func(q url.Values) { q["iss"] = []string{"https://id.example", "https://evil.example"} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, tt.options, nil)
			back := l.browse()
			tt.change(back.Query)
			_, _, err := l.Exchange(t.Context(), back)
			if (err == nil) != tt.taken {
				t.Errorf("%v: %s", err, cause(err))
			}
			if got := l.idp.Requests()["token"]; (got == 1) != tt.taken {
				t.Errorf("%d token requests", got)
			}
		})
	}
}

func TestCallbackErrors(t *testing.T) {
	l := newLab(t, fakeidp.Options{}, nil)
	for code, want := range map[string]fault.Code{
		"access_denied": fault.LoginRequired, "interaction_required": fault.LoginRequired, "temporarily_unavailable": fault.Unavailable,
		"server_error": fault.Unavailable, "unauthorized_client": fault.CredentialsInvalid, "invalid_scope": fault.ConfigurationInvalid,
		"<script>": fault.ConfigurationInvalid, "": fault.ConfigurationInvalid,
	} {
		_, _, err := l.Exchange(t.Context(), Callback{Query: url.Values{"error": {code}, "error_description": {"<b>\r\nsaid</b>"}}})
		e, ok := errors.AsType[*Error](err)
		if fault.CodeOf(err) != want || !ok || strings.ContainsAny(e.Error(), "\r\n") || strings.Contains(e.Code, "<") || strings.Contains(err.Error(), "said") {
			t.Errorf("%s: %v: %s", code, err, cause(err))
		}
	}
	if _, _, err := l.Exchange(t.Context(), Callback{Query: url.Values{"state": {"x"}}}); !errors.Is(err, fault.ConfigurationInvalid) {
		t.Error(err)
	}
	if got := l.idp.Requests()["token"]; got != 0 {
		t.Errorf("%d token requests", got)
	}
}

func TestExchangeFaults(t *testing.T) {
	for _, tt := range []struct {
		failure fakeidp.Failure
		want    fault.Code
	}{
		{fakeidp.Refuse("invalid_grant"), fault.LoginRequired},
		{fakeidp.Refuse("bad_verification_code"), fault.LoginRequired},
		{fakeidp.Refuse("invalid_client"), fault.CredentialsInvalid},
		{fakeidp.Refuse("unauthorized_client"), fault.CredentialsInvalid},
		{fakeidp.Refuse("invalid_request"), fault.ConfigurationInvalid},
		{fakeidp.Refuse("temporarily_unavailable"), fault.Unavailable},
		{fakeidp.Status(503, "3"), fault.Unavailable},
		{fakeidp.BadGateway(), fault.Unavailable},
		{fakeidp.Failure{}, fault.Unavailable},
		{fakeidp.Failure{Status: 200, ContentType: "application/json", Body: `{"access_token":"x","token_type":"DPoP"}`}, fault.ConfigurationInvalid},
		{fakeidp.Failure{Status: 200, ContentType: "application/json", Body: `{"access_token":"x"}`}, fault.ConfigurationInvalid}, // and userinfo does not know it
	} {
		l := newLab(t, fakeidp.Options{}, nil)
		back := l.browse()
		l.idp.Fail("token", tt.failure)
		_, _, err := l.Exchange(t.Context(), back)
		if fault.CodeOf(err) != tt.want {
			t.Errorf("%v: %v: %s", tt.failure, err, cause(err))
		}
		l.quiet()
	}
}

// TestResourceAtEntra: what the provider wrote of it is for the log alone.
func TestResourceAtEntra(t *testing.T) {
	l := newLab(t, fakeidp.Entra(), func(cfg *config.Provider, _ *fakeidp.IdP) {
		cfg.TokenParams = map[string]string{"resource": "https://api.example"}
	})
	_, _, err := l.Exchange(t.Context(), l.browse())
	if !errors.Is(err, fault.ConfigurationInvalid) || !strings.Contains(cause(err), "AADSTS9010010") || strings.Contains(err.Error(), "AADSTS") {
		t.Errorf("%v: %s", err, cause(err))
	}
}

func TestTenantOfTheIDToken(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"another tenant's":  func(c map[string]any) { c["tid"] = "other" },
		"no tenant":         func(c map[string]any) { delete(c, "tid") },
		"another host":      func(c map[string]any) { c["iss"] = "https://evil.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0" },
		"a path for tenant": func(c map[string]any) { c["tid"], c["iss"] = "a/b", "https://id.example/a/b/v2.0" },
	} {
		o := fakeidp.Entra()
		o.ChangeIDToken = change
		l := newLab(t, o, nil)
		if _, _, err := l.Exchange(t.Context(), l.browse()); !errors.Is(err, fault.TokenInvalid) {
			t.Errorf("%s: %v: %s", name, err, cause(err))
		}
	}
}

func TestSubject(t *testing.T) {
	user := fakeidp.User{Subject: "alice", Claims: map[string]any{"org": map[string]any{"id": 7}, "https://acme.example/id": "a.b", "empty": "", "list": []string{"x"}}}
	drop := func(names ...string) func(map[string]any) {
		return func(c map[string]any) {
			maps.DeleteFunc(c, func(name string, _ any) bool { return slices.Contains(names, name) })
		}
	}
	for _, tt := range []struct {
		name, subject string
		options       fakeidp.Options
		want          string // "" where nobody says
		userinfo      int
	}{
		{"of the id_token", "sub", fakeidp.Options{}, "alice", 0},
		{"below another", "org.id", fakeidp.Options{}, "7", 0},
		{"a name with dots", "https://acme.example/id", fakeidp.Options{}, "a.b", 0},
		{"of the userinfo answer", "org.id", fakeidp.Options{ChangeIDToken: drop("org")}, "7", 1},
		{"without an id_token", "sub", fakeidp.Options{ForgeIDToken: func(map[string]any) string { return "" }}, "alice", 1},
		{"of the token answer", "user_id", fakeidp.Options{Extra: map[string]any{"user_id": json64}}, "9007199254740993", 1},
		{"of a JWT in the token answer", "access_token.client_id", fakeidp.Options{JWTAccessTokens: true}, "mcpgate", 1},
		{"empty", "empty", fakeidp.Options{}, "", 1},
		{"a list", "list", fakeidp.Options{}, "", 1},
		{"nowhere", "nobody", fakeidp.Options{}, "", 1},
		{"never of the callback", "company", fakeidp.Options{Callback: map[string]string{"company": "1"}}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.User = user
			l := newLab(t, tt.options, func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Subject = tt.subject })
			_, who, err := l.Exchange(t.Context(), l.browse())
			if who.Subject != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, fault.ConfigurationInvalid) {
				t.Errorf("%q, %v: %s", who.Subject, err, cause(err))
			}
			if got := l.idp.Requests()["userinfo"]; got != tt.userinfo {
				t.Errorf("userinfo was asked %d times", got)
			}
		})
	}
}

func TestUserinfoOfSomebodyElse(t *testing.T) {
	l := newLab(t, fakeidp.Options{ChangeIDToken: func(c map[string]any) { c["sub"] = "bob" }},
		func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Subject = "email" })
	l.idp.Change(func(o *fakeidp.Options) { o.User.Claims = map[string]any{"department": "x"} })
	if _, _, err := l.Exchange(t.Context(), l.browse()); !errors.Is(err, fault.TokenInvalid) {
		t.Errorf("%v: %s", err, cause(err))
	}
}

func TestClaimsAreThoseOfBoth(t *testing.T) {
	l := newLab(t, fakeidp.Options{ChangeIDToken: func(c map[string]any) { delete(c, "groups"); c["level"] = 2 }},
		func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Subject = "groups.admin" })
	l.idp.Change(func(o *fakeidp.Options) {
		o.User.Claims = map[string]any{"groups": map[string]any{"admin": "a1"}, "level": 1}
	})
	_, who := l.login()
	want := map[string]any{"iss": "https://id.example", "sub": "alice", "aud": "mcpgate", "level": 2.0, "groups": map[string]any{"admin": "a1"}}
	if diff := cmp.Diff(want, who.Claims); diff != "" {
		t.Error(diff)
	}
}

func TestKeptFieldsAreBounded(t *testing.T) {
	for name, value := range map[string]any{"long": strings.Repeat("x", maxKept+1), "control": "a\x00b", "an object": map[string]any{"a": 1}} {
		l := newLab(t, fakeidp.Options{Extra: map[string]any{"instance_url": value}},
			func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Keep = []string{"instance_url"} })
		if _, _, err := l.Exchange(t.Context(), l.browse()); !errors.Is(err, fault.ConfigurationInvalid) || !strings.Contains(cause(err), "instance_url") {
			t.Errorf("%s: %v: %s", name, err, cause(err))
		}
	}
	// The token answer wins over the callback, which the person's browser could have changed.
	l := newLab(t, fakeidp.Options{Extra: map[string]any{"company": "1"}, Callback: map[string]string{"company": "2", "role": "3"}},
		func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Keep = []string{"company", "role", "other"} })
	tokens, _ := l.login()
	if diff := cmp.Diff(map[string]string{"company": "1", "role": "3"}, tokens.Kept); diff != "" {
		t.Error(diff)
	}
}

func TestTokenLifetime(t *testing.T) {
	l := newLab(t, fakeidp.Options{NoExpiresIn: true}, func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.TokenLifetime = config.Duration(2 * time.Hour) })
	tokens, _ := l.login()
	if got := life(tokens); got != 2*time.Hour {
		t.Errorf("it lives %v", got)
	}
}

// TestIDTokenWithoutAnIssuer: with endpoints by hand there are no keys, but who it is for, when, and in which login is checked all the same.
func TestIDTokenWithoutAnIssuer(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"":               func(map[string]any) {},
		"other audience": func(c map[string]any) { c["aud"] = []string{"other"} },
		"no audience":    func(c map[string]any) { delete(c, "aud") },
		"other nonce":    func(c map[string]any) { c["nonce"] = "x" },
		"over":           func(c map[string]any) { c["exp"] = 1 },
		"no end":         func(c map[string]any) { delete(c, "exp") },
	} {
		l := newLab(t, fakeidp.Options{NoMetadata: true, ChangeIDToken: change},
			func(cfg *config.Provider, _ *fakeidp.IdP) { cfg.Scopes = []string{"openid"} })
		_, who, err := l.Exchange(t.Context(), l.browse())
		if (err == nil) != (name == "") || err != nil && !errors.Is(err, fault.TokenInvalid) || err == nil && (who.Issuer != "idp" || who.Subject != "alice") {
			t.Errorf("%s: %v, %v: %s", name, who, err, cause(err))
		}
	}
}
