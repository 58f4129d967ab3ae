package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"mcpgate/internal/fakeclient"
)

// loginSeen is what login.mjs printed.
type loginSeen struct {
	Refused    bool         `json:"refused"`
	Asked      bool         `json:"asked"` // the person, a second time
	Tools      []string     `json:"tools"`
	Results    []seenResult `json:"results"`
	Scope      string       `json:"scope"`
	Registered bool         `json:"registered"`
}

// logIn lets a client of an SDK log in and call who_am_i.
func logIn(t *testing.T, sdk, era, url string, more ...string) loginSeen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"login.mjs", sdk, era, url, "who_am_i"}, more...)...)
	cmd.Dir = filepath.Dir(modules)
	out := &log{}
	cmd.Stderr = out
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", sdk, err, tail(out.String(), 4000))
	}
	var seen loginSeen
	if err := json.Unmarshal(printed, &seen); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	return seen
}

// Both TypeScript SDKs log a person in at a gateway in front of a provider that others wrote, call a tool as this person, and
// come by a new token without asking again.
func TestLoginWithSDKs(t *testing.T) {
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{})
	e.run(t, e.yaml(p, "", ""))
	for _, client := range []struct{ sdk, era string }{{"v1", "legacy"}, {"v2", "legacy"}, {"v2", "modern"}} {
		t.Run(client.sdk+" "+client.era, func(t *testing.T) {
			seen := logIn(t, client.sdk, client.era, e.url+"/mcp", "refresh")
			if !seen.Refused || seen.Asked || !seen.Registered || seen.Scope != "me.read" || len(seen.Results) != 2 {
				t.Errorf("%+v", seen)
			}
			for _, result := range seen.Results {
				if o := open(t, result); !o.OK || !strings.Contains(string(o.Data), `"alice"`) {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}

// checkWho calls who_am_i over a session and wants to hear alice.
func checkWho(t *testing.T, ctx context.Context, session *mcp.ClientSession) {
	t.Helper()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "who_am_i"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(result.StructuredContent)
	if err != nil || result.IsError || !strings.Contains(string(text), `"alice"`) {
		t.Errorf("%v %s", err, text)
	}
}

// The official Go client logs a person in, which it does with rules of its own: it wants no iss that the metadata doesn't announce, and
// the other way round.
func TestLoginWithGoClient(t *testing.T) {
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{Client: idpClient{"client_secret": "a secret, with signs: &+%", "token_endpoint_auth_method": "client_secret_basic"}, JWT: true})
	e.run(t, e.yaml(p, "    client_secret: 'a secret, with signs: &+%'", ""))
	const redirect = "http://localhost:47322/callback"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		RedirectURL: redirect,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: "integration", RedirectURIs: []string{redirect}, GrantTypes: []string{"authorization_code", "refresh_token"},
		}},
		RequestRefreshToken: true,
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			back, err := fakeclient.NewBrowser(redirect).Allow(ctx, args.URL)
			if err != nil {
				return nil, err
			}
			q := back.Query()
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "integration", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: e.url + "/mcp", OAuthHandler: handler}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	checkWho(t, ctx, session)
}

// mcp-remote is what people use whose client speaks stdio only: it logs in once and keeps the tokens in its folder, and comes by
// new ones without the person.
func TestLoginWithMCPRemote(t *testing.T) {
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{Client: idpClient{"client_secret": "a-secret", "token_endpoint_auth_method": "client_secret_post"}})
	e.run(t, e.yaml(p, "    client_secret: a-secret\n    token_endpoint_auth_method: client_secret_post", "    access_token_ttl: 1m"))
	folder := t.TempDir()
	authorize := regexp.MustCompile(regexp.QuoteMeta(e.url) + `/authorize\?\S+`)
	for run, want := range []int{1, 1} { // logins, after this run
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, node, filepath.Join(modules, "mcp-remote", "dist", "proxy.js"), e.url+"/mcp", "--allow-http")
		cmd.Env = append(os.Environ(), "MCP_REMOTE_CONFIG_DIR="+folder, "BROWSER=/bin/true", "PATH="+folder)
		out := &log{}
		reader, writer := io.Pipe()
		cmd.Stderr = io.MultiWriter(out, writer)
		go func() {
			for lines := bufio.NewScanner(reader); lines.Scan(); {
				if target := authorize.FindString(lines.Text()); target != "" {
					browser := fakeclient.NewBrowser("never:") // mcp-remote itself listens where the person is sent back to
					page, err := browser.Open(ctx, target)
					if err == nil {
						_, err = browser.Press(ctx, page, "allow")
					}
					if err != nil {
						t.Errorf("the browser: %v", err)
					}
				}
			}
		}()
		client := mcp.NewClient(&mcp.Implementation{Name: "integration", Version: "1"}, nil)
		session, err := client.Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
		if err != nil {
			t.Fatalf("run %d: %v\n%s", run, err, tail(out.String(), 6000))
		}
		checkWho(t, ctx, session)
		_ = session.Close()
		_ = writer.Close()
		if got := p.seen().Codes; got != want {
			t.Errorf("run %d: %d logins, want %d", run, got, want)
		}
	}
}
