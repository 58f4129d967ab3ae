package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// aLogin is a whole login that holds, with everything that one may write.
const aLogin = `
server: {public_url: https://gateway.example.com/acme/}
key: ${KEY},${OLD_KEY:-}
auth:
  mode: oauth
  oauth:
    provider: keycloak
    scopes: [crm.read, crm.write]
    trusted_clients: [cli]
    access_token_ttl: 1m
    refresh_grace: 0s
    clients:
      redirect_uris: [https://claude.ai/api/mcp/auth_callback, "http://localhost:*/*", "http://127.0.0.1:*/callback", "http://[::1]:*/*", "https://*.example.com/oauth/*", cursor://anysphere.cursor-mcp/oauth/callback, "com.example.app:/cb"]
      documents: {https://claude.ai/oauth/mcp-oauth-client-metadata: claude.json}
      hosts: [claude.ai, "*.example.com"]
      known: [{client_id: cli, client_secret: "${KEY}", redirect_uris: [http://localhost/callback, "http://127.0.0.1:8080/cb", "cursor://a/b", "https://a.example/cb?x=1", "com.example.app:/cb"]}]
    store: {type: redis, url: "rediss://user:pass@redis.example:6379/0", prefix: acme}
  roles: {admin: '"admins" in claims.groups'}
  implies: {crm.write: [crm.read]}
providers:
  keycloak: {issuer: https://id.example/realms/acme/, client_id: mcp, scope_map: {crm.read: api://crm/read api://crm/list}, keep: [instance_url, company]}
  entra:
    authorization_url: https://login.example/authorize?tenant=1
    token_url: https://login.example/token
    client_id: mcp
    private_key: {key_file: key.pem, key_id: one}
upstreams:
  crm:
    base_url: "{token.instance_url}/services/data/v62.0"
    allow_hosts: ["*.my.salesforce.com", login.salesforce.com:8443]
    credential: {type: login, provider: keycloak}
    tools: {one: {request: GET /one, scopes: [crm.read], allow: [admin]}}
  erp:
    base_url: https://{token.company}.example.com
    allow_hosts: ["*.example.com"]
    credential: {type: login, provider: keycloak}
    tools: {two: {request: GET /two}}
`

const aKey = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="

func loadLogin(t *testing.T, text string) *Config {
	t.Helper()
	name := write(t, map[string]string{"gateway.yaml": text, "claude.json": "{}", "key.pem": ""})
	cfg, err := Load(name, variables("KEY="+aKey))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestLoginIsTaken(t *testing.T) {
	cfg := loadLogin(t, aLogin)
	if got := cfg.Server.PublicURL; got != "https://gateway.example.com/acme" {
		t.Errorf("the issuer is %s: a slash at its end is taken away once, at load", got)
	}
	if got := cfg.Providers["keycloak"].Issuer; got != "https://id.example/realms/acme/" {
		t.Errorf("the provider's issuer became %s: it is compared byte for byte", got)
	}
	if diff := cmp.Diff([]string{"openid"}, cfg.Providers["keycloak"].Scopes); diff != "" {
		t.Error(diff)
	}
	document := cfg.Auth.OAuth.Clients.Documents["https://claude.ai/oauth/mcp-oauth-client-metadata"]
	if document != filepath.Join(cfg.Dir, "claude.json") {
		t.Errorf("a pinned document is looked for at %s", document)
	}
	if got, want := cfg.Auth.OAuth.Store.Path, filepath.Join(cfg.Dir, "data"); got != want {
		t.Errorf("logins are kept in %s: the default is beside the file, wherever the program is started", got)
	}
	if cfg.Server.Listen != ":8080" || cfg.Open() {
		t.Errorf("listens at %s, open %t: whoever comes has to log in", cfg.Server.Listen, cfg.Open())
	}
	if problems := cfg.HTTPProblems(); len(problems) > 0 {
		t.Error(problems)
	}
}

// What is good for stdio alone is told apart from what is wrong.
func TestLoginOverStdioAlone(t *testing.T) {
	const upstream = `
providers:
  crm: {issuer: https://id.example, client_id: mcp}
  other: {issuer: https://other.example, client_id: mcp}
upstreams:
  a: {base_url: https://a.example, credential: {type: login, provider: crm}, tools: {one: {request: GET /one}}}
  b: {base_url: "sandbox:", credential: {type: login, provider: crm}, tools: {two: {request: GET /two}}}
`
	for auth, want := range map[string]string{
		"":                                     "upstreams.a.credential.type: over HTTP nobody logs in",
		"auth: {oauth: {store: {path: kept}}}": "upstreams.a.credential.type: over HTTP nobody logs in",
		"auth: {mode: oauth, oauth: {provider: other}}": `upstreams.a.credential.provider: over HTTP people log in at "other" alone`,
		"auth: {mode: oauth, oauth: {provider: crm}}":   "",
	} {
		got := loadLogin(t, auth+upstream).HTTPProblems()
		if len(got) > 1 || (want == "") != (len(got) == 0) || want != "" && !strings.Contains(got.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", auth, got, want)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for _, host := range []string{"localhost", "LOCALHOST", "localhost.", "app.localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"} {
		if !IsLoopback(host) {
			t.Errorf("%s is this machine", host)
		}
	}
	for _, host := range []string{"", "localhost.evil.com", "notlocalhost", "128.0.0.1", "127.0.0.1.evil.com", "0.0.0.0", "::", "10.0.0.1"} {
		if IsLoopback(host) {
			t.Errorf("%s is another machine", host)
		}
	}
}

func TestKeySize(t *testing.T) {
	for text, want := range map[string]int{
		"0123456789abcdef0123456789abcdef":                                 16, // hexadecimal
		"0123456789ABCDEF0123456789abcdef0123456789ABCDEF0123456789abcdef": 32,
		aKey:                               32,
		"q83vEjRWeJq83vEjRWeJq83vEjRWeJq8": 24, // `openssl rand -base64 24`
		"a phrase that is long enough to be a good key": 45,
		"correct-horse-battery-staple-and-more":         37,
	} {
		if got, _ := keySize(text); got != want {
			t.Errorf("%s: %d bytes, want %d", text, got, want)
		}
	}
}

// A key of one repeated character is 32 bytes long and can be guessed.
func TestKeyOfFewLetters(t *testing.T) {
	name := write(t, map[string]string{"gateway.yaml": "key: " + strings.Repeat("x", 64) + "\nupstreams: {a: {spec: a.yaml}}\n"})
	if _, err := Load(name, nil); err == nil || !strings.Contains(err.Error(), "can be guessed") {
		t.Error(err)
	}
}

// A replica without the others' key could open nothing of theirs.
func TestLocalLoginNeedsNoKey(t *testing.T) {
	const login = `
auth: {mode: oauth, oauth: {provider: crm, store: %s}}
providers: {crm: {issuer: http://localhost:1234, client_id: mcp}}
upstreams: {a: {spec: a.yaml}}
`
	for store, taken := range map[string]bool{"{type: file}": true, "{type: memory}": true, `{type: redis, url: "redis://localhost"}`: false} {
		name := write(t, map[string]string{"gateway.yaml": strings.ReplaceAll(login, "%s", store)})
		if _, err := Load(name, nil); (err == nil) != taken {
			t.Errorf("%s: %v", store, err)
		}
	}
}
