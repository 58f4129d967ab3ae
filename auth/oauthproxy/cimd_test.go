package oauthproxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

// fakeClock stands still until it is moved.
type fakeClock struct{ at atomic.Int64 }

func newFakeClock() *fakeClock {
	c := &fakeClock{}
	c.at.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *fakeClock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *fakeClock) advance(d time.Duration) { c.at.Add(int64(d)) }

// documentServer is every https host of the Internet at once: what it answers is decided by the test.
type documentServer struct {
	*httptest.Server
	requests atomic.Int32
	mu       sync.Mutex
	answer   http.HandlerFunc
}

func newDocumentServer(t testing.TB, answer http.HandlerFunc) *documentServer {
	t.Helper()
	d := &documentServer{answer: answer}
	d.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.requests.Add(1)
		d.mu.Lock()
		answer := d.answer
		d.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *documentServer) become(answer http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

// client reaches the server whatever the URL's host is.
func (d *documentServer) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, d.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the names are the test's own
	}}
}

const (
	claudeCodeID = "https://claude.ai/oauth/claude-code-client-metadata"
	claudeCode   = `{"client_id":"https://claude.ai/oauth/claude-code-client-metadata","client_name":"Claude Code","client_uri":"https://claude.ai",
		"redirect_uris":["http://localhost/callback","http://127.0.0.1/callback"],"grant_types":["authorization_code","refresh_token"],
		"response_types":["code"],"token_endpoint_auth_method":"none"}`
	chatGPTID = "https://chatgpt.com/oauth/abc123/client.json"
	chatGPT   = `{"client_id":"https://chatgpt.com/oauth/abc123/client.json","client_name":"ChatGPT","redirect_uris":["https://chatgpt.com/connector/oauth/abc123"],
		"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["none","private_key_jwt"],
		"jwks_uri":"https://chatgpt.com/oauth/jwks.json"}`
)

func document(text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		_, _ = w.Write([]byte(text))
	}
}

// newDocumentsServer is a server that fetches its documents from d.
func newDocumentsServer(t testing.TB, d *documentServer, clock *fakeClock, change func(*config.Config)) *Server {
	t.Helper()
	return newDirectoryServer(t, func(cfg *config.Config, parts *Parts) {
		if d != nil {
			parts.Fetch = d.client()
		}
		if clock != nil {
			parts.Now = clock.now
		}
		if change != nil {
			change(cfg)
		}
	})
}

func errorOf(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%v (%T) is no *Error", err, err)
	}
	for _, r := range e.Description {
		if r > '~' || r < ' ' {
			t.Errorf("the description is not ASCII: %q", e.Description)
		}
	}
	return e
}

func TestDocumentsOfRealClients(t *testing.T) {
	tests := []struct {
		name, id, text string
		want           client
		redirects      []string
	}{
		{"Claude Code", claudeCodeID, claudeCode,
			client{ID: claudeCodeID, Kind: kindDocument, Name: "Claude Code", Host: "claude.ai", RedirectURIs: []string{"http://localhost/callback", "http://127.0.0.1/callback"},
				GrantTypes: grants, AuthMethod: methodNone},
			[]string{"http://localhost:49152/callback"}},
		// It prefers private_key_jwt and takes none: what we prefer of both is what holds.
		{"ChatGPT", chatGPTID, chatGPT,
			client{ID: chatGPTID, Kind: kindDocument, Name: "ChatGPT", Host: "chatgpt.com", RedirectURIs: []string{"https://chatgpt.com/connector/oauth/abc123"},
				GrantTypes: grants, AuthMethod: methodNone},
			[]string{"https://chatgpt.com/connector/oauth/abc123"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDocumentServer(t, document(test.text))
			s := newDocumentsServer(t, d, nil, nil)
			got, err := s.client(t.Context(), test.id)
			if err != nil {
				t.Fatal(err)
			}
			shown := *got
			shown.methods, shown.keys = nil, clientKeys{}
			if diff := cmp.Diff(test.want, shown, cmp.AllowUnexported(client{}, clientKeys{}, config.Secret{})); diff != "" {
				t.Error(diff)
			}
			for _, uri := range test.redirects {
				if !s.allowsRedirect(got, uri) {
					t.Error(uri)
				}
			}
			if _, err := s.authenticate(t.Context(), tokenRequest(t, map[string][]string{"client_id": {test.id}}, "", "")); err != nil {
				t.Errorf("at /token: %v", err)
			}
		})
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	const id = "https://app.example/client.json"
	with := func(change string) string {
		return strings.Replace(claudeCode, claudeCodeID, id, 1)[:1] + change + "," + strings.Replace(claudeCode, claudeCodeID, id, 1)[1:]
	}
	good := strings.Replace(claudeCode, claudeCodeID, id, 1)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"another client_id", document(strings.Replace(good, id, id+"/", 1)), "client_id"},
		{"a client_id in other case", document(strings.Replace(good, id, "https://APP.example/client.json", 1)), "client_id"},
		{"no client_id", document(`{"client_name":"x","redirect_uris":["https://app.example/cb"]}`), "client_id"},
		{"no name", document(strings.Replace(good, `"client_name"`, `"x"`, 1)), "client_name"},
		{"no redirect URIs", document(strings.Replace(good, `"redirect_uris"`, `"x"`, 1)), "redirect_uris"},
		{"redirect URIs that are none", document(strings.NewReplacer("http://localhost/callback", "javascript:1", "http://127.0.0.1/callback", "http://app.example/cb").Replace(good)), "redirect_uris"},
		{"a secret", document(with(`"client_secret":"s"`)), "client_secret"},
		{"a secret's time", document(with(`"client_secret_expires_at":0`)), "client_secret"},
		{"a method with a secret", document(strings.Replace(good, `"none"`, `"client_secret_post"`, 1)), "prove itself"},
		{"private_key_jwt without keys", document(strings.Replace(good, `"none"`, `"private_key_jwt"`, 1)), "prove itself"},
		{"both kinds of keys", document(with(`"jwks":{"keys":[]},"jwks_uri":"https://app.example/jwks"`)), "jwks"},
		{"keys at a place that is none", document(with(`"jwks_uri":"http://169.254.169.254/keys"`)), "jwks_uri"},
		{"a shared key", document(with(`"jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}`)), "private or shared"},
		{"another grant", document(strings.Replace(good, `"authorization_code","refresh_token"`, `"client_credentials"`, 1)), "grant_types"},
		{"another type", document(with(`"application_type":"service"`)), "application_type"},
		{"a list", document(`[]`), "JSON"},
		{"wrong types", document(with(`"response_types":5,"client_name":7`)), "JSON"},
		{"not JSON", document(`<html>`), "JSON"},
		{"HTML", document(good, "Content-Type", "text/html"), "application/json"},
		{"no type", document(good, "Content-Type", ""), "application/json"},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://app.example/other", http.StatusFound)
		}, "redirects"},
		{"5121 bytes", document(good + strings.Repeat(" ", maxDocument+1-len(good))), "larger"},
		{"a gigabyte, as it seems", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "larger"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDocumentServer(t, test.answer)
			_, err := newDocumentsServer(t, d, nil, nil).client(t.Context(), id)
			if e := errorOf(t, err); e.Status != http.StatusUnauthorized || e.Code != "invalid_client" || !strings.Contains(e.Description, test.want) {
				t.Errorf("%d %s", e.Status, e)
			}
		})
	}
	d := newDocumentServer(t, document(good+strings.Repeat(" ", maxDocument-len(good))))
	if _, err := newDocumentsServer(t, d, nil, nil).client(t.Context(), id); err != nil {
		t.Errorf("5120 bytes: %v", err)
	}
}

// What is no URL of a document is never asked for.
func TestDocumentURLs(t *testing.T) {
	d := newDocumentServer(t, document(`{}`))
	s := newDocumentsServer(t, d, nil, nil)
	for _, id := range []string{
		"https://app.example", "https://app.example/", "https://app.example/x#y", "https://u:p@app.example/x", "https://app.example/a/../b", "https://app.example/%2e%2e/b",
		"https://app.example:8443/x", "https://app.example:80/x", "https://127.0.0.1/x", "https://127.1/x", "https://2130706433/x", "https://0x7f.1/x", "https://[::1]/x",
		"https://[::ffff:7f00:1]/x", "https://[64:ff9b::7f00:1]/x", "https://8.8.8.8/x", "https://localhost/x", "https://a.localhost/x", "https://metadata/x",
		"https://app.example./x", `https://app.example\@evil.example/x`, "https://app.example/x y", "https://app.exämple/x", "https:///x", "https://",
		"https://app.example/" + strings.Repeat("x", 2048),
	} {
		_, err := s.client(t.Context(), id)
		if e := errorOf(t, err); e.Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", id, e)
		}
	}
	for _, id := range []string{"http://app.example/x", "ftp://app.example/x", "app.example/x", "urn:x"} {
		_, err := s.client(t.Context(), id)
		if e := errorOf(t, err); e.Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", id, e)
		}
	}
	if n := d.requests.Load(); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// FuzzDocumentURL holds that a client id which is asked for is, to net/url, an https URL of a name on port 443, the same name that
// people are shown, with a path that nothing resolves.
func FuzzDocumentURL(f *testing.F) {
	f.Add(claudeCodeID)
	f.Add("https://claude.ai:443/x?y=z")
	for _, trick := range tricks {
		f.Add(trick.uri)
	}
	f.Fuzz(func(t *testing.T, id string) {
		own, err := parseDocumentURL(id, nil)
		if err != nil {
			return
		}
		u, err := url.Parse(id)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Hostname() != own.host || (u.Port() != "" && u.Port() != "443") || u.EscapedPath() != own.path {
			t.Fatalf("%q is %+v here and %+v to net/url: %v", id, own, u, err)
		}
		if _, err := netip.ParseAddr(u.Hostname()); err == nil || u.Path == "" || u.Path == "/" || path.Clean(u.Path) != strings.TrimRight(u.Path, "/") && !strings.Contains(u.Path, "//") {
			t.Fatalf("%q is asked for", id)
		}
	})
}

func TestDocumentsOfOtherHostsAreNotAskedFor(t *testing.T) {
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		document(fmt.Sprintf(`{"client_id":"https://%s%s","client_name":"x","redirect_uris":["https://app.example/cb"]}`, r.Host, r.URL.Path))(w, r)
	})
	s := newDocumentsServer(t, d, nil, func(cfg *config.Config) {
		cfg.Auth.OAuth.Clients.Hosts = []string{"claude.ai", "*.example.com", "dev.example:8443"}
	})
	for id, want := range map[string]bool{
		"https://claude.ai/x": true, "https://a.example.com/x": true, "https://a.b.example.com/x": true, "https://dev.example:8443/x": true,
		"https://example.com/x": false, "https://chatgpt.com/x": false, "https://claude.ai.evil.example/x": false, "https://badexample.com/x": false,
		"https://dev.example/x": false, "https://dev.example:8444/x": false, "https://claude.ai:8443/x": false,
	} {
		before := d.requests.Load()
		_, err := s.client(t.Context(), id)
		if (err == nil) != want || (d.requests.Load() > before) != want {
			t.Errorf("%s: %v, %d requests", id, err, d.requests.Load()-before)
		}
	}
}

// Whoever sends made-up ids to /token does not make the gateway ask the whole Internet.
func TestFetchesThatATokenRequestCausesAreLimited(t *testing.T) {
	d := newDocumentServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth/claude-code-client-metadata" {
			document(claudeCode)(w, r)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	s := newDocumentsServer(t, d, newFakeClock(), nil)
	for i := range fetchesPerCaller + 5 {
		id := claudeCodeID
		if i > 0 {
			id = fmt.Sprintf("https://a%d.example/x", i)
		}
		_, err := s.authenticate(t.Context(), tokenRequest(t, form("client_id", id), "", ""))
		want := http.StatusUnauthorized
		switch {
		case i == 0:
			if err != nil {
				t.Fatal(err)
			}
			continue
		case i >= fetchesPerCaller:
			want = http.StatusTooManyRequests
		}
		if e := errorOf(t, err); e.Status != want {
			t.Errorf("%d: %d %v", i, e.Status, e)
		}
	}
	if n := d.requests.Load(); n != fetchesPerCaller {
		t.Errorf("%d requests were made", n)
	}
	for range 50 { // what is known costs nothing
		if _, err := s.authenticate(t.Context(), tokenRequest(t, form("client_id", claudeCodeID), "", "")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPinnedDocumentsNeedNoNetwork(t *testing.T) {
	file := filepath.Join(t.TempDir(), "claude.json")
	if err := os.WriteFile(file, []byte(claudeCode), 0o600); err != nil {
		t.Fatal(err)
	}
	pin := func(cfg *config.Config) {
		cfg.Auth.OAuth.Clients.Documents = map[string]string{claudeCodeID: file}
		cfg.Auth.OAuth.Clients.Hosts = []string{"nowhere.example"}
	}
	s := newDocumentsServer(t, nil, nil, pin)
	c, err := s.client(t.Context(), claudeCodeID)
	if err != nil || c.Name != "Claude Code" || c.Host != "claude.ai" {
		t.Fatalf("%+v %v", c, err)
	}
	if _, err := s.client(t.Context(), chatGPTID); errorOf(t, err).Status != http.StatusUnauthorized {
		t.Error(err)
	}
	if !s.metadata().Documents {
		t.Error("clients are not told")
	}
	// A file that is wrong is the author's.
	cfg := &config.Config{}
	cfg.Auth.OAuth.Clients.Documents = map[string]string{chatGPTID: file}
	if _, err := New(Parts{Config: cfg}); err == nil || !strings.Contains(err.Error(), chatGPTID) || !strings.Contains(err.Error(), "client_id") {
		t.Error(err)
	}
}

func TestWithoutAWayToFetchDocumentsNobodyIsToldOfThem(t *testing.T) {
	off := false
	for name, s := range map[string]*Server{
		"no client": newDocumentsServer(t, nil, nil, nil),
		"off":       newDocumentsServer(t, newDocumentServer(t, document(claudeCode)), nil, func(cfg *config.Config) { cfg.Auth.OAuth.Clients.MetadataDocuments = &off }),
	} {
		if _, err := s.client(t.Context(), claudeCodeID); errorOf(t, err).Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
		if s.metadata().Documents {
			t.Errorf("%s: it is in the metadata", name)
		}
	}
}
