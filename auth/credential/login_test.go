package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth"
	"mcpgate/auth/grant"
	"mcpgate/auth/provider"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

// grants has a token for each person, and counts what is renewed.
type grants struct {
	tokens map[grant.Key]provider.Tokens
	renews []string
	err    error
}

func (g *grants) Tokens(_ context.Context, key grant.Key) (provider.Tokens, error) {
	if g.err != nil {
		return provider.Tokens{}, g.err
	}
	tokens, ok := g.tokens[key]
	if !ok {
		return tokens, fault.New(fault.LoginRequired, "there is no login", nil)
	}
	return tokens, nil
}

func (g *grants) Renew(ctx context.Context, key grant.Key, refused string) (provider.Tokens, error) {
	g.renews = append(g.renews, refused)
	tokens, err := g.Tokens(ctx, key)
	if err == nil && tokens.AccessToken == refused && tokens.RefreshToken != "" {
		tokens.AccessToken = "renewed"
		g.tokens[key] = tokens
	}
	return tokens, err
}

func loginSource(t *testing.T, g *grants) Source {
	t.Helper()
	source, err := New(config.Credential{Type: "login", Provider: "crm"}, Options{Grants: g})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func as(t *testing.T, owner string) context.Context {
	return auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "someone", Login: owner})
}

// Each caller's own token goes out, in the scheme that its type names, and no other way.
func TestLoginOnTheWire(t *testing.T) {
	salesforce := "00D5g00000!AQ.s_2-x/+~|="
	for _, test := range []struct {
		kind, token string
		want        string // "" is a fault
	}{
		{"", "abc", "Bearer abc"},
		{"Bearer", salesforce, "Bearer " + salesforce},
		{"bearer", "abc", "Bearer abc"},
		{"BEARER", "abc", "Bearer abc"},
		{"BearerToken", "abc", "Bearer abc"},
		{"Zoho-oauthtoken", "abc", "Zoho-oauthtoken abc"},
		{"token", "abc", "token abc"},
		{"DPoP", "abc", ""},
		{"mac", "abc", ""},
		{"N_A", "abc", ""},
		{"Basic", "abc", ""},
		{"Bearer x", "abc", ""},
		{"Bearer\r\nX-Evil:", "abc", ""},
		{"Bearer", "", ""},
		{"Bearer", "a\r\nX-Evil: 1", ""},
		{"Bearer", "a b", ""},
		{"Bearer", "a, Basic b", ""},
		{"Bearer", "ä\x00", ""},
	} {
		t.Run(fmt.Sprintf("%q %q", test.kind, test.token), func(t *testing.T) {
			g := &grants{tokens: map[grant.Key]provider.Tokens{
				{Owner: "anne", Provider: "crm"}: {TokenType: test.kind, AccessToken: test.token},
				{Owner: "ben", Provider: "crm"}:  {AccessToken: "of-ben"},
			}}
			var got []string
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = append(got, r.Header.Values("Authorization")...)
			}))
			defer server.Close()
			client := &http.Client{Transport: Transport(loginSource(t, g), http.DefaultTransport)}
			req, err := http.NewRequestWithContext(as(t, "anne"), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer of-the-gateway") // which an argument or a mistake put there
			resp, err := client.Do(req)
			if test.want == "" {
				if err == nil || !errors.Is(err, fault.UnexpectedResponse) || len(got) > 0 || strings.Contains(err.Error(), "Evil") {
					t.Errorf("%v; the upstream saw %q", err, got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
			if resp.Request.Header.Get("Authorization") != "Bearer of-the-gateway" {
				t.Error("the answer's request shows the token")
			}
		})
	}
}

// Who has no login is told what to do about it, where they are.
func TestLoginIsMissing(t *testing.T) {
	source := loginSource(t, &grants{})
	for _, test := range []struct {
		name string
		ctx  context.Context
		hint string
	}{
		{"nobody", t.Context(), "a client that logs in"},
		{"an API key", as(t, ""), "a client that logs in"},
		{"over HTTP", as(t, "session-1"), "disconnect and connect"},
		{"over stdio", auth.WithPrincipal(t.Context(), auth.Local()), "`mcpgate login crm`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := httptest.NewRequest(http.MethodGet, "https://api.example", nil)
			_, variables := source.(Varier).Variables(test.ctx)
			for _, err := range []error{source.Authorize(test.ctx, req), variables} {
				if f := fault.From(err); f.Code != fault.LoginRequired || !strings.Contains(f.Hint, test.hint) {
					t.Errorf("%v: %q", err, f.Hint)
				}
			}
			if len(req.Header) > 0 {
				t.Errorf("%v", req.Header)
			}
		})
	}
}

// Other faults pass as they are, and the fault of one caller is not written to: others have it too.
func TestLoginFaults(t *testing.T) {
	for _, f := range []*fault.Fault{
		fault.New(fault.Unavailable, "down", nil), fault.New(fault.LoginRequired, "over", nil), fault.New(fault.CredentialsInvalid, "refused", nil),
	} {
		before := *f
		err := loginSource(t, &grants{err: f}).Authorize(as(t, "anne"), httptest.NewRequest(http.MethodGet, "https://api.example", nil))
		if fault.CodeOf(err) != f.Code || err.Error() != f.Message {
			t.Errorf("%v became %v", f, err)
		}
		if diff := cmp.Diff(before, *f); diff != "" {
			t.Error(diff)
		}
	}
}

// A request that was refused says which token it carried; what comes of it is another token, or none.
func TestLoginRenews(t *testing.T) {
	anne, ben := grant.Key{Owner: "anne", Provider: "crm"}, grant.Key{Owner: "ben", Provider: "crm"}
	g := &grants{tokens: map[grant.Key]provider.Tokens{
		anne: {TokenType: "bearer", AccessToken: "first", RefreshToken: "r"},
		ben:  {AccessToken: "only"},
	}}
	source := loginSource(t, g)
	var renewed []bool
	refusing := roundTrip(func(req *http.Request) (*http.Response, error) { // below Transport
		ok, err := source.(Renewer).Renew(req.Context(), req)
		if err != nil {
			return nil, err
		}
		renewed = append(renewed, ok)
		return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody}, nil
	})
	for _, owner := range []string{"anne", "ben"} {
		req := httptest.NewRequestWithContext(as(t, owner), http.MethodGet, "https://api.example", nil)
		resp, err := Transport(source, refusing).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if diff := cmp.Diff([]bool{true, false}, renewed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"first", "only"}, g.renews); diff != "" {
		t.Error(diff)
	}
	bare := httptest.NewRequest(http.MethodGet, "https://api.example", nil)
	if ok, err := source.(Renewer).Renew(as(t, "anne"), bare); ok || err != nil || len(g.renews) != 2 {
		t.Errorf("a request without a token: %v, %v", ok, err)
	}
	bare.Header.Set("Authorization", "Bearer x")
	if _, err := source.(Renewer).Renew(as(t, "nobody"), bare); !errors.Is(err, fault.LoginRequired) || fault.From(err).Hint == "" {
		t.Errorf("%v", err)
	}
}

func TestLoginVariables(t *testing.T) {
	key := grant.Key{Owner: "anne", Provider: "crm"}
	g := &grants{tokens: map[grant.Key]provider.Tokens{key: {AccessToken: "a", Kept: map[string]string{"instance_url": "https://eu1.example"}}}}
	got, err := loginSource(t, g).(Varier).Variables(as(t, "anne"))
	if diff := cmp.Diff(map[string]string{"instance_url": "https://eu1.example"}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	got["instance_url"] = "https://evil.example"
	if g.tokens[key].Kept["instance_url"] != "https://eu1.example" {
		t.Error("a caller can write to what all share")
	}
}

// A host that the token answer named is not spoken to in the clear. What the operator wrote is theirs.
func TestLoginKeepsTokensOffTheOpenNetwork(t *testing.T) {
	g := &grants{tokens: map[grant.Key]provider.Tokens{{Owner: "anne", Provider: "crm"}: {AccessToken: "a", Kept: map[string]string{
		"instance_url": "http://eu1.example:8080/path", "host": "eu2.example", "company": "acme", "local": "http://localhost:9999",
	}}}}
	for target, sent := range map[string]bool{
		"http://eu1.example:8080/x": false,
		"http://eu2.example/x":      false,
		"http://eu2.example:81/x":   false,
		"https://eu2.example/x":     true,
		"http://crm.internal/acme":  true,
		"http://localhost:9999/":    true,
		"http://127.0.0.1/":         true,
		"http://[::1]:80/":          true,
	} {
		err := loginSource(t, g).Authorize(as(t, "anne"), httptest.NewRequest(http.MethodGet, target, nil))
		if sent != (err == nil) || err != nil && fault.CodeOf(err) != fault.ConfigurationInvalid {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestLoginNeedsItsParts(t *testing.T) {
	for want, c := range map[string]config.Credential{"needs a provider": {Type: "login"}, "auth.mode oauth": {Type: "login", Provider: "crm"}} {
		if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
