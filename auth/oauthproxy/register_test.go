package oauthproxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/seal"
)

func TestRegistrationsOfRealClients(t *testing.T) {
	tests := []struct {
		name, asked string
		want        map[string]any // besides client_id, client_id_issued_at and the secret
		secret      bool
	}{
		{"claude.ai", `{"client_name":"Claude","redirect_uris":["https://claude.ai/api/mcp/auth_callback"],"grant_types":["authorization_code","refresh_token"],
			"response_types":["code"],"token_endpoint_auth_method":"client_secret_post","scope":"claudeai"}`,
			map[string]any{"client_name": "Claude", "redirect_uris": []any{"https://claude.ai/api/mcp/auth_callback"}, "grant_types": []any{"authorization_code", "refresh_token"},
				"response_types": []any{"code"}, "token_endpoint_auth_method": "client_secret_post", "client_secret_expires_at": json.Number("0"), "scope": "read write"}, true},
		{"Claude Code", `{"client_name":"Claude Code (gw)","redirect_uris":["http://localhost:54212/callback"],"grant_types":["authorization_code","refresh_token"],
			"response_types":["code"],"token_endpoint_auth_method":"none"}`,
			map[string]any{"client_name": "Claude Code (gw)", "redirect_uris": []any{"http://localhost:54212/callback"}, "grant_types": []any{"authorization_code", "refresh_token"},
				"response_types": []any{"code"}, "token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"ChatGPT", `{"client_name":"ChatGPT","redirect_uris":["https://chatgpt.com/connector_platform_oauth_redirect"],"grant_types":["authorization_code","refresh_token"],
			"response_types":["code"],"token_endpoint_auth_method":"none","scope":"read"}`,
			map[string]any{"client_name": "ChatGPT", "redirect_uris": []any{"https://chatgpt.com/connector_platform_oauth_redirect"},
				"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "token_endpoint_auth_method": "none", "scope": "read"}, false},
		{"VS Code", `{"client_name":"Visual Studio Code","client_uri":"https://code.visualstudio.com","grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:device_code"],
			"response_types":["code"],"redirect_uris":["https://insiders.vscode.dev/redirect","https://vscode.dev/redirect","http://127.0.0.1/","http://127.0.0.1:33418/"],
			"token_endpoint_auth_method":"none","application_type":"native"}`,
			map[string]any{"client_name": "Visual Studio Code", "redirect_uris": []any{"https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect", "http://127.0.0.1/", "http://127.0.0.1:33418/"},
				"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "token_endpoint_auth_method": "none", "application_type": "native", "scope": "read write"}, false},
		{"Cursor", `{"client_name":"Cursor","redirect_uris":["cursor://anysphere.cursor-mcp/oauth/callback","https://www.cursor.com/agents/mcp/oauth/callback","http://localhost:8787/callback"],
			"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`,
			map[string]any{"client_name": "Cursor", "redirect_uris": []any{"cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback", "http://localhost:8787/callback"},
				"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"Codex", `{"client_name":"Codex","redirect_uris":["http://127.0.0.1:41243/callback"],"grant_types":["authorization_code","refresh_token"],"token_endpoint_auth_method":"none",
			"response_types":["code"],"scope":"openid profile email offline_access"}`,
			map[string]any{"client_name": "Codex", "redirect_uris": []any{"http://127.0.0.1:41243/callback"}, "grant_types": []any{"authorization_code", "refresh_token"},
				"response_types": []any{"code"}, "token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"Inspector", `{"redirect_uris":["http://localhost:6274/oauth/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],
			"client_name":"MCP Inspector","client_uri":"https://github.com/modelcontextprotocol/inspector","scope":""}`,
			map[string]any{"client_name": "MCP Inspector", "redirect_uris": []any{"http://localhost:6274/oauth/callback"}, "grant_types": []any{"authorization_code", "refresh_token"},
				"response_types": []any{"code"}, "token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"mcp-remote", `{"redirect_uris":["http://localhost:3334/oauth/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],
			"client_name":"MCP CLI Proxy","client_uri":"https://github.com/modelcontextprotocol/mcp-cli","software_id":"2e6dc280-f3c3-4e01-99a7-8181dbd1d23d","software_version":"0.15.1"}`,
			map[string]any{"client_name": "MCP CLI Proxy", "redirect_uris": []any{"http://localhost:3334/oauth/callback"}, "grant_types": []any{"authorization_code", "refresh_token"},
				"response_types": []any{"code"}, "token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"the least", `{"redirect_uris":["https://app.example/cb"]}`,
			map[string]any{"redirect_uris": []any{"https://app.example/cb"}, "grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"},
				"token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"null is nothing", `{"redirect_uris":["https://app.example/cb"],"client_name":null,"grant_types":null,"response_types":null,"token_endpoint_auth_method":null,"application_type":null,"scope":null,"contacts":null}`,
			map[string]any{"redirect_uris": []any{"https://app.example/cb"}, "grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"},
				"token_endpoint_auth_method": "none", "scope": "read write"}, false},
		{"no refresh tokens wanted", `{"redirect_uris":["https://app.example/cb"],"grant_types":["authorization_code"],"token_endpoint_auth_method":"client_secret_basic","application_type":"web"}`,
			map[string]any{"redirect_uris": []any{"https://app.example/cb"}, "grant_types": []any{"authorization_code"}, "response_types": []any{"code"},
				"token_endpoint_auth_method": "client_secret_basic", "client_secret_expires_at": json.Number("0"), "application_type": "web", "scope": "read write"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newDirectoryServer(t, nil)
			r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(test.asked))
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
			r.Header.Set("Origin", "http://localhost:6274")
			w := call(t, s, r)
			if w.Code != http.StatusCreated || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" ||
				w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
			}
			var got map[string]any
			decoder := json.NewDecoder(w.Body)
			decoder.UseNumber()
			if err := decoder.Decode(&got); err != nil {
				t.Fatal(err)
			}
			id := got["client_id"].(string)
			if issued := got["client_id_issued_at"].(json.Number).String(); !regexp.MustCompile(`^\d{10}$`).MatchString(issued) {
				t.Errorf("client_id_issued_at %s", issued)
			}
			secret, ok := got["client_secret"].(string)
			if ok != test.secret {
				t.Errorf("a secret: %v", ok)
			}
			for _, field := range []string{"client_id", "client_id_issued_at", "client_secret"} {
				delete(got, field)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if len(id) > maxClientID || url.QueryEscape(id) != id {
				t.Errorf("an id of %d: %s", len(id), id)
			}
			c, err := s.authenticate(t.Context(), tokenRequest(t, form("client_id", id, "client_secret", secret), "", ""))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want["redirect_uris"], anys(c.RedirectURIs)); diff != "" {
				t.Error(diff)
			}
			for _, uri := range c.RedirectURIs {
				if !s.allowsRedirect(c, uri) {
					t.Errorf("%s is registered and refused", uri)
				}
			}
		})
	}
}

func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			f.Set(pairs[i], pairs[i+1])
		}
	}
	return f
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	uris := func(n int, uri string) string {
		return `{"redirect_uris":["` + strings.TrimSuffix(strings.Repeat(uri+`","`, n), `","`) + `"]}`
	}
	tests := []struct {
		name, asked string
		status      int
		code        string
	}{
		{"nothing", ``, 400, "invalid_client_metadata"},
		{"a list", `[]`, 400, "invalid_client_metadata"},
		{"broken", `{"redirect_uris":["https://app.example/cb"]`, 400, "invalid_client_metadata"},
		{"two values", `{"redirect_uris":["https://app.example/cb"]}{}`, 400, "invalid_client_metadata"},
		{"no redirect URI", `{"client_name":"x"}`, 400, "invalid_redirect_uri"},
		{"an empty list", `{"redirect_uris":[]}`, 400, "invalid_redirect_uri"},
		{"no list", `{"redirect_uris":"https://app.example/cb"}`, 400, "invalid_redirect_uri"},
		{"numbers", `{"redirect_uris":[5]}`, 400, "invalid_redirect_uri"},
		{"one of two is bad", `{"redirect_uris":["https://app.example/cb","http://app.example/cb"]}`, 400, "invalid_redirect_uri"},
		{"a script", `{"redirect_uris":["javascript:alert(1)"]}`, 400, "invalid_redirect_uri"},
		{"a scheme nobody listed", `{"redirect_uris":["myapp://cb"]}`, 400, "invalid_redirect_uri"},
		{"a fragment", `{"redirect_uris":["https://app.example/cb#x"]}`, 400, "invalid_redirect_uri"},
		{"eleven", uris(11, "https://app.example/cb"), 400, "invalid_redirect_uri"},
		{"too long", uris(1, "https://app.example/"+strings.Repeat("a", 2048)), 400, "invalid_redirect_uri"},
		{"too long together", uris(10, "https://app.example/"+strings.Repeat("a", 200)), 400, "invalid_client_metadata"},
		{"a web client on loopback", `{"redirect_uris":["http://localhost/cb"],"application_type":"web"}`, 400, "invalid_redirect_uri"},
		{"an unknown type", `{"redirect_uris":["https://app.example/cb"],"application_type":"service"}`, 400, "invalid_client_metadata"},
		{"an unknown method", `{"redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"tls_client_auth"}`, 400, "invalid_client_metadata"},
		{"private_key_jwt", `{"redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"private_key_jwt"}`, 400, "invalid_client_metadata"},
		{"another response type", `{"redirect_uris":["https://app.example/cb"],"response_types":["token"]}`, 400, "invalid_client_metadata"},
		{"another grant", `{"redirect_uris":["https://app.example/cb"],"grant_types":["client_credentials"]}`, 400, "invalid_client_metadata"},
		{"a name that is a number", `{"redirect_uris":["https://app.example/cb"],"client_name":5}`, 400, "invalid_client_metadata"},
		{"16 KiB and a byte", `{"redirect_uris":["https://app.example/cb"],"x":"` + strings.Repeat("a", maxRegistration) + `"}`, 413, "invalid_client_metadata"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, answer := register(t, newDirectoryServer(t, nil), test.asked)
			if status != test.status || answer["error"] != test.code || answer["error_description"] == "" || answer["client_id"] != nil {
				t.Errorf("%d %v", status, answer)
			}
			if strings.Contains(fmt.Sprint(answer), "app.example") {
				t.Errorf("the answer repeats what was sent: %v", answer)
			}
		})
	}
	r := httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(`{"redirect_uris":["https://app.example/cb"]}`))
	r.Header.Set("Content-Type", "text/plain")
	if w := call(t, newDirectoryServer(t, nil), r); w.Code != http.StatusBadRequest {
		t.Errorf("what a web page can send without asking: %d", w.Code)
	}
}

// The longest registration that is taken makes an id that every server and proxy lets through.
func TestAnIDStaysShort(t *testing.T) {
	s := newDirectoryServer(t, nil)
	longest := 0
	for n := 1300; n < maxMetadata; n++ {
		a := &registration{RedirectURIs: []string{"https://app.example/" + strings.Repeat("a", n)}}
		if err := a.settle(s.directory.redirects); err != nil {
			t.Fatal(err)
		}
		answer, err := s.sealClient(a)
		if err != nil {
			break
		}
		longest = len(answer.ID)
		if _, err := s.openClient(answer.ID); err != nil {
			t.Fatal(n, err)
		}
	}
	if longest < 1900 || longest >= maxClientID {
		t.Errorf("%d", longest)
	}
}

func TestRegistrationCanBeOff(t *testing.T) {
	on := newDirectoryServer(t, nil)
	_, answer := register(t, on, `{"redirect_uris":["https://app.example/cb"]}`)
	off := newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { cfg.Auth.OAuth.Clients.Registration = new(bool) })
	if w := call(t, off, httptest.NewRequest(http.MethodPost, "/register", strings.NewReader(`{}`))); w.Code != http.StatusNotFound {
		t.Errorf("/register answers %d", w.Code)
	}
	if m := off.metadata(); m.Registration != "" || len(m.TokenMethods) != 1 {
		t.Errorf("the metadata says %q, %v", m.Registration, m.TokenMethods)
	}
	if _, err := off.client(t.Context(), answer["client_id"].(string)); err == nil {
		t.Error("who registered before it was off is let in")
	}
}

func TestAnIDIsOfOneGatewayAndOneRing(t *testing.T) {
	s := newDirectoryServer(t, nil)
	_, answer := register(t, s, `{"redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"client_secret_basic"}`)
	id, secret := answer["client_id"].(string), answer["client_secret"].(string)
	_, another := register(t, s, `{"redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"client_secret_basic"}`)
	rotated := newDirectoryServer(t, func(_ *config.Config, parts *Parts) {
		parts.Ring = seal.NewRing("a new key of thirty-two bytes, at last," + testKey)
	})
	if _, err := rotated.authenticate(t.Context(), tokenRequest(t, nil, id, secret)); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	if _, err := s.authenticate(t.Context(), tokenRequest(t, nil, id, another["client_secret"].(string))); err == nil {
		t.Error("another client's secret is taken")
	}
	for name, other := range map[string]*Server{
		"another gateway": newDirectoryServer(t, func(cfg *config.Config, _ *Parts) { cfg.Server.PublicURL = "https://other.example" }),
		"another key":     newDirectoryServer(t, func(_ *config.Config, parts *Parts) { parts.Ring = seal.NewRing("another key of 32 bytes for tests") }),
	} {
		_, err := other.client(t.Context(), id)
		if e := errorOf(t, err); e.Status != http.StatusUnauthorized || e.Code != "invalid_client" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Nine years on it still holds: clients keep their ids.
	later := newDirectoryServer(t, func(_ *config.Config, parts *Parts) {
		parts.Ring = seal.NewRing(testKey)
		parts.Ring.Now = func() time.Time { return time.Now().Add(9 * 365 * 24 * time.Hour) }
	})
	if _, err := later.client(t.Context(), id); err != nil {
		t.Error(err)
	}
}

func FuzzClientID(f *testing.F) {
	s := newDirectoryServer(f, nil)
	_, answer := register(f, s, `{"redirect_uris":["https://app.example/cb"]}`)
	id := answer["client_id"].(string)
	f.Add("", 3, byte(1)) // not the id itself: each process that fuzzes has another one
	f.Add("d.", 0, byte(0))
	f.Add("https://app.example/x", 0, byte(0))
	f.Fuzz(func(t *testing.T, text string, at int, mask byte) {
		altered := []byte(id)
		altered[uint(at)%uint(len(altered))] ^= mask
		for _, each := range []string{text, string(altered)} {
			if c, err := s.client(t.Context(), each); err == nil && each != id {
				t.Fatalf("%q is client %+v", each, c)
			}
		}
	})
}

func TestNamesAreFitToBeShown(t *testing.T) {
	for name, want := range map[string]string{
		"Claude": "Claude", "  Claude \n\t Code ": "Claude Code", "Claude\u202eedoC": "ClaudeedoC", "\u2066x\u2069\u200f": "x", "a\x00b\x1bc\x7f": "abc",
		"a\u2028b": "a b", "a\xffb": "ab", "Ä 漢字 🙂": "Ä 漢字 🙂", "": "", "\u200b": "", "x\u00adx": "xx", strings.Repeat("ä", 200): strings.Repeat("ä", 100),
		strings.Repeat("a", 99) + " b": strings.Repeat("a", 99),
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%q becomes %q", name, got)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("Claude\u202e")
	f.Fuzz(func(t *testing.T, name string) {
		got := cleanName(name)
		if utf8.RuneCountInString(got) > maxName || !utf8.ValidString(got) || strings.TrimSpace(got) != got {
			t.Fatalf("%q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%q holds %U", got, r)
			}
		}
	})
}

// A registration is in the log, and nothing of it that is secret.
func TestRegistrationsAreAudited(t *testing.T) {
	var log bytes.Buffer
	s := newDirectoryServer(t, func(_ *config.Config, parts *Parts) {
		parts.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, answer := register(t, s, `{"client_name":"Claude","redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"client_secret_post"}`)
	_, _ = register(t, s, `{"redirect_uris":["http://app.example/cb"]}`)
	text := log.String()
	for _, want := range []string{`"event":"client.registered"`, `"client_name":"Claude"`, `"event":"client.refused"`, "192.0.2.1"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, answer["client_secret"].(string)) {
		t.Error("the secret is in the log")
	}
}
