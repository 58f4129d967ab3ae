package provider

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadAnswer(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const form, js = "application/x-www-form-urlencoded", "application/json"
	type read struct {
		Access, Refresh        string
		Expires, RefreshExpire time.Duration
		Scopes                 []string
	}
	for _, tt := range []struct {
		name, media, body string
		want              read
		says              string
	}{
		{"RFC 6749", "application/json;charset=UTF-8", `{"access_token":"a","token_type":"example","x":1}`, read{}, "token_type"},
		{"bearer in any case", js, `{"access_token":"a","token_type":"bEARER","expires_in":3600,"refresh_token":"r","scope":"x  y"}`,
			read{"a", "r", time.Hour, 0, []string{"x", "y"}}, ""},
		{"no type", "", `{"access_token":"a"}`, read{Access: "a"}, ""},
		{"JSON called text", "text/plain; charset=utf-8", ` {"access_token":"a"}`, read{Access: "a"}, ""},
		{"GitHub's form", form + "; charset=utf-8", "access_token=gho_x&scope=repo%2Cgist&token_type=bearer", read{Access: "gho_x", Scopes: []string{"repo", "gist"}}, ""},
		{"GitHub's app", js, `{"access_token":"a","expires_in":28800,"refresh_token":"r","refresh_token_expires_in":15897600,"scope":""}`,
			read{"a", "r", 8 * time.Hour, 184 * 24 * time.Hour, []string{}}, ""},
		{"Salesforce", js, `{"access_token":"00D!x","issued_at":"1763852400000","id":"https://x","signature":"s="}`, read{Access: "00D!x"}, ""},
		{"expires_in as text", js, `{"access_token":"a","expires_in":"3600"}`, read{Access: "a", Expires: time.Hour}, ""},
		{"expires_in with a point", js, `{"access_token":"a","expires_in":3599.5}`, read{Access: "a", Expires: 3599500 * time.Millisecond}, ""},
		{"expires_in 0 says nothing", js, `{"access_token":"a","expires_in":0}`, read{Access: "a"}, ""},
		{"expires_in below 0", js, `{"access_token":"a","expires_in":-5}`, read{Access: "a"}, ""},
		{"expires_in beyond measure", js, `{"access_token":"a","expires_in":1e300}`, read{Access: "a", Expires: maxLife}, ""},
		{"expires_in null", js, `{"access_token":"a","expires_in":null,"scope":null,"refresh_token":null}`, read{Access: "a"}, ""},
		{"expires_in of words", js, `{"access_token":"a","expires_in":"soon"}`, read{Access: "a"}, ""},
		{"Keycloak, offline", js, `{"access_token":"a","refresh_expires_in":0,"not-before-policy":0}`, read{Access: "a"}, ""},
		{"scopes as a list", js, `{"access_token":"a","scope":["x","y",7]}`, read{Access: "a", Scopes: []string{"x", "y"}}, ""},
		{"no token", js, `{"token_type":"Bearer"}`, read{}, "no access_token"},
		{"a token of another type", js, `{"access_token":7}`, read{}, "no access_token"},
		{"a list", js, `["a"]`, read{}, "not a JSON object"},
		{"null", js, `null`, read{}, "not a JSON object"},
		{"two objects", js, `{"access_token":"a"}{"access_token":"b"}`, read{}, "goes on"},
		{"half an object", js, `{"access_token":"a"`, read{}, "no JSON object"},
		{"a page", "text/html", `{"access_token":"a"}`, read{}, "page"},
		{"a form called JSON", js, "access_token=a", read{}, "not a JSON object"},
		{"a bad form", form, "access_token=%zz", read{}, "no form"},
		{"a line break in a token", js, `{"access_token":"a\nb"}`, read{}, "characters"},
		{"a line break in a refresh token", js, `{"access_token":"a","refresh_token":"a\r\nb"}`, read{}, "characters"},
		{"a token that is too long", js, `{"access_token":"` + strings.Repeat("a", maxToken+1) + `"}`, read{}, "too many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fields, err := readAnswer(tt.media, []byte(tt.body))
			var tokens Tokens
			if err == nil {
				tokens, err = fields.tokens(now)
			}
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) || tokens.AccessToken != "" {
					t.Errorf("%v, want %s", err, tt.says)
				}
				return
			}
			got := read{tokens.AccessToken, tokens.RefreshToken, since(tokens.Expires, now), since(tokens.RefreshExpires, now), tokens.Scopes}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func since(end, now time.Time) time.Duration {
	if end.IsZero() {
		return 0
	}
	return end.Sub(now)
}

// FuzzAnswer: no answer panics, and tokens that come out of one are fit for a header, last no shorter than not at all, and keep what is bounded.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","token_type":"Bearer","expires_in":"60","scope":"x y","id":{"a":"b"},"instance_url":"https://x"}`,
		"access_token=a&scope=x%2Cy&token_type=bearer&instance_url=https%3A%2F%2Fx", `{"access_token":"a.eyJzdWIiOjd9.b"}`, "", "{}", "null", "[", `{"expires_in":1e999}`,
	} {
		f.Add("application/json", []byte(seed))
		f.Add("application/x-www-form-urlencoded", []byte(seed))
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		fields, err := readAnswer(media, body)
		if err != nil {
			if fields != nil {
				t.Fatal("an error, and an answer")
			}
			return
		}
		for _, name := range []string{"id.a", "access_token.sub", "instance_url", "..", ""} {
			lookup(fields, name)
		}
		kept, _ := keep([]string{"instance_url", "id.a", "scope"}, fields, url.Values{}, nil)
		for name, value := range kept {
			if len(value) > maxKept || strings.ContainsAny(value, "\r\n\x00") {
				t.Fatalf("%s is kept as %q", name, value)
			}
		}
		tokens, err := fields.tokens(now)
		if err != nil {
			if tokens.AccessToken != "" {
				t.Fatal("an error, and a token")
			}
			return
		}
		if tokens.AccessToken == "" || strings.ContainsAny(tokens.AccessToken+tokens.RefreshToken, "\r\n\x00") {
			t.Fatalf("a token that is none: %q", tokens.AccessToken)
		}
		if said, _ := fields["access_token"].(string); said != tokens.AccessToken {
			t.Fatal("another token than the answer's")
		}
		if !tokens.Expires.IsZero() && (tokens.Expires.Before(now) || tokens.Expires.After(now.Add(maxLife))) {
			t.Fatalf("it ends at %v", tokens.Expires)
		}
	})
}
