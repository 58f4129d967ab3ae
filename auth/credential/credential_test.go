package credential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func secret(text string) config.Secret { return config.NewSecret(text) }

// What each kind puts on a request, as a real server sees it.
func TestCredentialOnTheWire(t *testing.T) {
	tests := []struct {
		name       string
		credential config.Credential
		url        string // of the request, below the server
		cookie     string // on it already
		want       string
	}{
		{"none", config.Credential{}, "/?a=b", "", `/?a=b "" "" ""`},
		{"none said", config.Credential{Type: "none"}, "/", "", `/ "" "" ""`},
		{"bearer", config.Credential{Type: "bearer", Token: secret("a.b-c")}, "/", "", `/ "Bearer a.b-c" "" ""`},
		{"basic", config.Credential{Type: "basic", Username: secret("ada"), Password: secret("p:w ü")}, "/", "",
			`/ "Basic YWRhOnA6dyDDvA==" "" ""`},
		{"basic without a password", config.Credential{Type: "basic", Username: secret("sk_key")}, "/", "", `/ "Basic c2tfa2V5Og==" "" ""`},
		{"header", config.Credential{Type: "api_key", In: "header", Name: "x-api-key", Value: secret("k")}, "/", "", `/ "" "k" ""`},
		{"header by default", config.Credential{Type: "api_key", Name: "X-Api-Key", Value: secret("k")}, "/", "", `/ "" "k" ""`},
		{"query", config.Credential{Type: "api_key", In: "query", Name: "key", Value: secret("k&=+ /")}, "/p", "", `/p?key=k%26%3D%2B+%2F "" "" ""`},
		{"query beside others", config.Credential{Type: "api_key", In: "query", Name: "key", Value: secret("k")},
			"/?b=%2F&a=1,2&c", "", `/?b=%2F&a=1,2&c&key=k "" "" ""`},
		{"query that an argument tried to set", config.Credential{Type: "api_key", In: "query", Name: "key", Value: secret("k")},
			"/?key=mine&ke%79=mine&keys=2", "", `/?keys=2&key=k "" "" ""`},
		{"cookie", config.Credential{Type: "api_key", In: "cookie", Name: "sid", Value: secret("a,b")}, "/", "", `/ "" "" "sid=a,b"`},
		{"cookie beside others", config.Credential{Type: "api_key", In: "cookie", Name: "sid", Value: secret("k")}, "/", "lang=en",
			`/ "" "" "lang=en; sid=k"`},
		{"cookie that an argument tried to set", config.Credential{Type: "api_key", In: "cookie", Name: "sid", Value: secret("k")}, "/",
			"sid=mine;sid =mine; lang=en; sids=1", `/ "" "" "lang=en; sids=1; sid=k"`},
	}
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = fmt.Sprintf("%s %q %q %q", r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("Cookie"))
	}))
	defer server.Close()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			source, err := New(test.credential, Options{})
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.cookie != "" {
				req.Header.Set("Cookie", test.cookie)
			}
			before := fmt.Sprint(req.URL, req.Header)
			for range 2 { // a second attempt with the same request adds nothing
				resp, err := Transport(source, http.DefaultTransport).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.Request != req {
					t.Error("the answer carries the request with the credential")
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
			}
			if after := fmt.Sprint(req.URL, req.Header); after != before {
				t.Errorf("the request was changed: %s", after)
			}
		})
	}
}

func TestNewRefusesWhatCannotBeSent(t *testing.T) {
	tests := map[string]config.Credential{
		"not known":            {Type: "kerberos"},
		"needs a token":        {Type: "bearer"},
		"line break":           {Type: "bearer", Token: secret("hidden-token\n")},
		"username or a":        {Type: "basic"},
		"colon":                {Type: "basic", Username: secret("hidden:token"), Password: secret("x")},
		"needs a name":         {Type: "api_key", In: "query", Value: secret("x")},
		"needs a value":        {Type: "api_key", In: "query", Name: "x"},
		"name of a header":     {Type: "api_key", In: "header", Name: "x y", Value: secret("x")},
		"name of a cookie":     {Type: "api_key", In: "cookie", Name: "x=y", Value: secret("x")},
		"semicolon":            {Type: "api_key", In: "cookie", Name: "x", Value: secret("hidden-token;y")},
		"control character":    {Type: "api_key", In: "header", Name: "x", Value: secret("hidden-token\x00")},
		`not in "path"`:        {Type: "api_key", In: "path", Name: "x", Value: secret("x")},
		"space at an end":      {Type: "bearer", Token: secret(" hidden-token")},
		"value holds a line":   {Type: "api_key", In: "header", Name: "x", Value: secret("hidden-token\r\nHost: evil")},
		"which a cookie can't": {Type: "api_key", In: "cookie", Name: "x", Value: secret("hidden-token\r\nX: y")},
	}
	for want, credential := range tests {
		source, err := New(credential, Options{})
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v %v", want, source, err)
			continue
		}
		if !strings.Contains(strings.ReplaceAll(err.Error(), "the value holds", "value holds"), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

type failing struct{}

func (failing) Authorize(context.Context, *http.Request) error { return errors.New("no token") }

// closeCounter counts how often a body is closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error {
	c.closed++
	return nil
}

func TestTransportWithoutCredentialSendsNothing(t *testing.T) {
	body := &closeCounter{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://up.example", body)
	if err != nil {
		t.Fatal(err)
	}
	next := roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("it was sent")
		return nil, nil
	})
	if _, err := Transport(failing{}, next).RoundTrip(req); err == nil || err.Error() != "no token" || body.closed != 1 {
		t.Errorf("%v, closed %d times", err, body.closed)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func FuzzQueryKeyKeepsTheRest(f *testing.F) {
	f.Add("a=1&b=%2F", "key", "value")
	f.Add("key", "key", "0")
	f.Add("key=x&&=&%zz", "key", "&=")
	f.Fuzz(func(t *testing.T, query, name, value string) {
		source, err := New(config.Credential{Type: "api_key", In: "query", Name: name, Value: secret(value)}, Options{})
		if err != nil {
			return
		}
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.URL.RawQuery = query
		if err := source.Authorize(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		rest, mine := req.URL.RawQuery, ""
		if i := strings.LastIndex(rest, "&"); i >= 0 {
			rest, mine = rest[:i], rest[i+1:]
		} else {
			rest, mine = "", rest
		}
		parsed := req.URL.Query()
		if got := parsed[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%q holds %q %d times", req.URL.RawQuery, name, len(got))
		}
		for pair := range strings.SplitSeq(rest, "&") {
			if pair != "" && !strings.Contains("&"+query+"&", "&"+pair+"&") {
				t.Errorf("%q was not in %q; then came %q", pair, query, mine)
			}
		}
	})
}
