package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/internal/fault"
)

// recorder notes what came, and answers 200.
type recorder struct{ got []string }

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.got = append(r.got, fmt.Sprintf("%s %s auth=%q key=%q lang=%q type=%q %s", req.Method, req.URL, req.Header.Get("Authorization"),
		req.Header.Get("X-Key"), req.Header.Get("Accept-Language"), req.Header.Get("Content-Type"), body))
}

const redirectLines = "headers: {X-Key: k, Accept-Language: en}"

func TestRedirectOnTheSameHost(t *testing.T) {
	tests := []struct {
		tool   string
		status int
		want   string // the second request; "" where it is refused
	}{
		{"read", 301, `GET /moved auth="Bearer t0ken" key="k" lang="en" type="" `},
		{"read", 302, `GET /moved auth="Bearer t0ken" key="k" lang="en" type="" `},
		{"read", 303, `GET /moved auth="Bearer t0ken" key="k" lang="en" type="" `},
		{"read", 307, `GET /moved auth="Bearer t0ken" key="k" lang="en" type="" `},
		{"read", 308, `GET /moved auth="Bearer t0ken" key="k" lang="en" type="" `},
		{"write", 301, ""},
		{"write", 302, ""},
		{"write", 303, `GET /moved auth="Bearer t0ken" key="k" lang="en" type="" `},
		{"write", 307, `POST /moved auth="Bearer t0ken" key="k" lang="en" type="application/json" {"name":"n"}`},
		{"write", 308, `POST /moved auth="Bearer t0ken" key="k" lang="en" type="application/json" {"name":"n"}`},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.tool, test.status), func(t *testing.T) {
			seen := &recorder{}
			mux := http.NewServeMux()
			mux.Handle("/moved", seen)
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/moved")
				w.WriteHeader(test.status)
			})
			l := newLab(t, mux, "credential: {type: bearer, token: t0ken}", redirectLines)
			outcome := l.call(test.tool, arguments[test.tool])
			if test.want == "" {
				e := l.failed(outcome)
				if len(seen.got) != 0 || e.Code != fault.UnexpectedResponse || outcome.StatusCode != test.status ||
					!strings.Contains(e.Message, fmt.Sprintf("answered a POST with redirect %d", test.status)) {
					t.Errorf("%v %+v", seen.got, e)
				}
				return
			}
			if diff := cmp.Diff([]string{test.want}, seen.got); diff != "" || !outcome.OK {
				t.Errorf("%s %s", diff, asJSON(t, outcome))
			}
		})
	}
}

func TestRedirectToAnotherHost(t *testing.T) {
	seen := &recorder{}
	other := httptest.NewServer(seen)
	defer other.Close()
	away := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", other.URL+"/there?session=login-state")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})

	l := newLab(t, away, "credential: {type: bearer, token: t0ken}", redirectLines)
	outcome := l.call("read", arguments["read"])
	e := l.failed(outcome)
	if len(seen.got) != 0 || e.Code != fault.UnexpectedResponse || e.Retryable || !strings.Contains(e.Message, "another host") {
		t.Errorf("%v %+v", seen.got, e)
	}
	if text := asJSON(t, outcome); strings.Contains(text, "127.0.0.1") {
		t.Errorf("a host reaches the client: %s", text)
	}
	if log := l.log.String(); !strings.Contains(log, "/there") || strings.Contains(log, "login-state") {
		t.Errorf("the log is %s", log)
	}

	l = newLab(t, away, "credential: {type: bearer, token: t0ken}", redirectLines,
		"/outbound: {allow: ["+strings.TrimPrefix(other.URL, "http://")+"]}")
	if outcome := l.call("write", arguments["write"]); !outcome.OK {
		t.Error(asJSON(t, outcome))
	}
	want := []string{`POST /there?session=login-state auth="" key="" lang="en" type="application/json" {"name":"n"}`}
	if diff := cmp.Diff(want, seen.got); diff != "" {
		t.Error(diff)
	}
}

// Back on its own host, a request that lost its headers abroad does not get the credential again through a trick.
func TestRedirectAwayAndBack(t *testing.T) {
	var home *httptest.Server
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", home.URL+"/admin/delete-everything")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer back.Close()
	var atHome []string
	home = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		atHome = append(atHome, r.URL.Path+" "+r.Header.Get("Authorization"))
		w.Header().Set("Location", back.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer home.Close()
	l := newLabAt(t, home.URL, "credential: {type: bearer, token: t0ken}",
		"/outbound: {allow: ["+strings.TrimPrefix(back.URL, "http://")+"]}")
	e := l.failed(l.call("read", arguments["read"]))
	if diff := cmp.Diff([]string{"/things/1 Bearer t0ken"}, atHome); diff != "" || !strings.Contains(e.Message, "back") {
		t.Errorf("%s %+v", diff, e)
	}
}

func TestRedirectsThatAreRefused(t *testing.T) {
	tests := map[string]struct{ location, want string }{
		"loop":     {"/things/1", "redirects more than 5 times"},
		"file":     {"file:///etc/passwd", "not an http or https URL"},
		"nonsense": {"http://[::1", "not an http or https URL"},
		"no host":  {"http:///x", "not an http or https URL"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			requests := 0
			l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Location", test.location)
				w.WriteHeader(http.StatusFound)
			}))
			e := l.failed(l.call("read", arguments["read"]))
			if e.Code != fault.UnexpectedResponse || !strings.Contains(e.Message, test.want) || requests > maxRedirects+1 {
				t.Errorf("%d requests: %+v", requests, e)
			}
		})
	}
}

func TestRedirectWithoutLocationIsAnAnswer(t *testing.T) {
	l := newLab(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }))
	if outcome := l.call("read", arguments["read"]); outcome.StatusCode != 302 || outcome.OK {
		t.Error(asJSON(t, outcome))
	}
}

func TestSameHost(t *testing.T) {
	tests := []struct {
		home, target string
		want         bool
	}{
		{"https://api.example/v1", "https://api.example/v2", true},
		{"https://api.example", "https://API.example.:443/", true},
		{"http://api.example", "https://api.example", true},
		{"http://api.example:80", "https://api.example:443", true},
		{"https://api.example", "http://api.example", false},
		{"https://api.example", "https://api.example:8443", false},
		{"http://api.example:8080", "https://api.example", false},
		{"https://api.example", "https://api.example.evil", false},
		{"https://api.example", "https://evil.api.example", false},
		{"https://api.example", "https://api.example@evil", false},
	}
	for _, test := range tests {
		home, _ := url.Parse(test.home)
		target, _ := url.Parse(test.target)
		if got := sameHost(home, target); got != test.want {
			t.Errorf("%s to %s: %v", test.home, test.target, got)
		}
	}
}
