package integration

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/internal/fakeclient"
	"mcpgate/internal/fakeidp"
)

// redisServer is Debian's, which keeps on its disk what it answered.
type redisServer struct {
	t      *testing.T
	folder string
	port   int
	cmd    *exec.Cmd
	ended  <-chan struct{}
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	r := &redisServer{t: t, folder: t.TempDir(), port: freePort(t)}
	r.start()
	return r
}

func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", "--port", fmt.Sprint(r.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
		"--appendfsync", "always", "--dir", r.folder)
	r.ended = start(r.t, r.cmd)
	awaitListener(r.t, r.port, 20*time.Second, r.ended)
}

// kill ends it as a power cut would.
func (r *redisServer) kill() {
	r.t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	<-r.ended
}

// replicas are gateways on one Redis behind a proxy that hands every request to the next one.
type replicas struct {
	t     *testing.T
	url   string // of the proxy
	redis *redisServer
	idp   *fakeidp.IdP
	each  []*replica
	turn  atomic.Int64

	mu   sync.Mutex
	seen []string // "replica path" of every request, in order
}

// replica is one of them.
type replica struct {
	url  string
	cmd  *exec.Cmd
	dead atomic.Bool
}

// yamlOfReplicas is their gateway.yaml. %s: public_url, issuer, Redis, API.
const yamlOfReplicas = `
name: replicas
key: a-key-for-tests-a-key-for-tests-a-key
server: {public_url: %q}
providers:
  idp: {issuer: %q, client_id: mcpgate, scopes: [openid, offline_access]}
auth:
  mode: oauth
  oauth:
    provider: idp
    store: {type: redis, url: "redis://127.0.0.1:%d"}
upstreams:
  api:
    base_url: %q
    credential: {type: login, provider: idp}
    tools:
      who_am_i: {request: GET /me, description: Says who is calling.}
`

func startReplicas(t *testing.T, options fakeidp.Options) *replicas {
	t.Helper()
	r := &replicas{t: t, redis: startRedis(t), idp: fakeidp.Start(t, options)}
	api := httptest.NewServer(r.idp.API())
	t.Cleanup(api.Close)
	proxy := httptest.NewServer(http.HandlerFunc(r.pass))
	t.Cleanup(proxy.Close)
	r.url = proxy.URL
	r.idp.Allow("mcpgate", r.url+"/auth/callback")
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, yamlOfReplicas, r.url, r.idp.Issuer(), r.redis.port, api.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		one := &replica{url: fmt.Sprintf("http://127.0.0.1:%d", freePort(t))}
		one.cmd = exec.Command(program, "serve", "-c", file, "--listen", one.url[len("http://"):])
		ended := start(t, one.cmd)
		await(t, one.url+"/readyz", 30*time.Second, ended)
		r.each = append(r.each, one)
	}
	return r
}

// pass hands a request to the next replica that lives.
func (r *replicas) pass(w http.ResponseWriter, req *http.Request) {
	for range r.each {
		n := int(r.turn.Add(1)) % len(r.each)
		one := r.each[n]
		if one.dead.Load() {
			continue
		}
		r.mu.Lock()
		r.seen = append(r.seen, fmt.Sprintf("%d %s %s", n, req.Method, req.URL.Path))
		r.mu.Unlock()
		to, err := url.Parse(one.url)
		if err != nil {
			r.t.Error(err)
			return
		}
		(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			p.Out.Host = p.In.Host
		}}).ServeHTTP(w, req)
		return
	}
}

// logIn returns a client and its tokens.
func (r *replicas) logIn() (*fakeclient.Client, fakeclient.Tokens) {
	r.t.Helper()
	c, err := fakeclient.Discover(r.t.Context(), r.url+"/mcp")
	if err != nil {
		r.t.Fatal(err)
	}
	tokens, err := c.LogIn(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return c, tokens
}

// served reports whether an answer is a call that was served.
func served(a fakeclient.Answer) bool {
	return a.Status == http.StatusOK && bytes.Contains(a.Body, []byte("alice")) && !bytes.Contains(a.Body, []byte(`"isError":true`))
}

// Every step of a login may be another replica's: registration, the page, the decision, the provider's callback, the code, the calls,
// the refresh.
func TestEveryStepOnAnotherReplica(t *testing.T) {
	r := startReplicas(t, fakeidp.Options{})
	c, tokens := r.logIn()
	for range 3 {
		if a, err := c.Call(t.Context(), tokens.AccessToken, "who_am_i", "{}"); err != nil || !served(a) {
			t.Fatalf("%v %d %s", err, a.Status, a.Body)
		}
	}
	for range 4 {
		renewed, a, err := c.Refresh(t.Context(), tokens.RefreshToken)
		if err != nil || renewed.AccessToken == "" {
			t.Fatalf("%v %d %s", err, a.Status, a.Body)
		}
		tokens = renewed
	}
	for i := 1; i < len(r.seen); i++ {
		if r.seen[i][0] == r.seen[i-1][0] {
			t.Errorf("%q and %q are the same replica's", r.seen[i-1], r.seen[i])
		}
	}
	// What one replica ends, the others end: at once where it is stored, within seconds where it is cached.
	form := url.Values{"token": {tokens.RefreshToken}, "client_id": {c.ID}}
	resp, err := http.PostForm(c.Server.Revocation, form)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", err, resp)
	}
	_ = resp.Body.Close()
	poll(t, "the end of the session", 20*time.Second, nil, func(ctx context.Context) error {
		for range 3 {
			if a, err := c.Call(ctx, tokens.AccessToken, "who_am_i", "{}"); err != nil || a.Status != http.StatusUnauthorized {
				return fmt.Errorf("%w %d", err, a.Status)
			}
		}
		return nil
	})
}

// Fifty calls on three replicas whose token at the API is over ask the provider once.
func TestOneRefreshForAllReplicas(t *testing.T) {
	const life = 3 * time.Second
	r := startReplicas(t, fakeidp.Options{AccessTokenTTL: life})
	c, tokens := r.logIn()
	time.Sleep(life) // until it is over
	before, _ := r.idp.Refreshes()
	r.idp.Change(func(o *fakeidp.Options) { o.AccessTokenTTL = time.Minute })
	r.idp.Fail("token", fakeidp.Failure{Times: 1, Slow: time.Second})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if a, err := c.Call(t.Context(), tokens.AccessToken, "who_am_i", "{}"); err != nil || !served(a) {
				t.Errorf("%v %d %s", err, a.Status, a.Body)
			}
		})
	}
	all.Wait()
	after, reused := r.idp.Refreshes()
	if after-before != 1 || reused != 0 {
		t.Errorf("%d refreshes, %d of a spent token, want one", after-before, reused)
	}
}

// A replica that is killed while it asks the provider, before that answered, is nobody's loss: another one goes on, and the calls of
// the others succeed.
func TestReplicaKilledWhileItRefreshes(t *testing.T) {
	t.Parallel() // it waits most of its time
	const life = 3 * time.Second
	asked := make(chan struct{}, 8)
	r := startReplicas(t, fakeidp.Options{AccessTokenTTL: life})
	c, tokens := r.logIn()
	time.Sleep(life)
	before, _ := r.idp.Refreshes()
	r.idp.Change(func(o *fakeidp.Options) {
		o.AccessTokenTTL = time.Minute
		o.OnRequest = func(endpoint string, _ *http.Request) {
			if endpoint == "token" {
				asked <- struct{}{}
			}
		}
	})
	r.idp.Fail("token", fakeidp.Failure{Times: 1, Hang: true})
	first := *c
	first.MCP = r.each[0].url + "/mcp"
	var all sync.WaitGroup
	all.Go(func() { _, _ = first.Call(t.Context(), tokens.AccessToken, "who_am_i", "{}") }) // its connection breaks
	<-asked
	r.each[0].dead.Store(true)
	for range 20 {
		all.Go(func() {
			if a, err := c.Call(t.Context(), tokens.AccessToken, "who_am_i", "{}"); err != nil || !served(a) {
				t.Errorf("%v %d %s", err, a.Status, a.Body)
			}
		})
	}
	if err := r.each[0].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	after, reused := r.idp.Refreshes()
	if after-before != 1 || reused != 0 {
		t.Errorf("%d refreshes, %d of a spent token, want one", after-before, reused)
	}
}

// A Redis that is killed under load and started again logs nobody out: meanwhile clients are told to come again, and never that their
// token is bad.
func TestRedisKilledUnderLoad(t *testing.T) {
	t.Parallel() // it waits most of its time
	r := startReplicas(t, fakeidp.Options{AccessTokenTTL: 2 * time.Second})
	type person struct {
		client *fakeclient.Client
		tokens fakeclient.Tokens
	}
	people := make([]person, 8)
	for i := range people {
		people[i].client, people[i].tokens = r.logIn()
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var load sync.WaitGroup
	var good, later atomic.Int64
	for i := range people {
		load.Go(func() {
			for ctx.Err() == nil {
				p := &people[i]
				a, err := p.client.Call(ctx, p.tokens.AccessToken, "who_am_i", "{}")
				switch {
				case ctx.Err() != nil:
				case err != nil:
					t.Errorf("a call: %v", err)
				case served(a):
					good.Add(1)
				case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, bytes.Contains(a.Body, []byte("login_required")):
					t.Errorf("logged out: %d %s", a.Status, a.Body)
					return
				default:
					later.Add(1)
				}
				renewed, a, err := p.client.Refresh(ctx, p.tokens.RefreshToken)
				switch {
				case ctx.Err() != nil:
				case err != nil:
					t.Errorf("a refresh: %v", err)
				case renewed.AccessToken != "":
					p.tokens = renewed
				case a.Status != http.StatusServiceUnavailable || !bytes.Contains(a.Body, []byte("temporarily_unavailable")) || a.Header.Get("Retry-After") == "":
					t.Errorf("a refresh: %d %s", a.Status, a.Body)
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
	for range 2 {
		time.Sleep(2 * time.Second)
		r.redis.kill()
		time.Sleep(2 * time.Second)
		r.redis.start()
	}
	time.Sleep(2 * time.Second)
	stop()
	load.Wait()
	t.Logf("%d calls served, %d told to come again", good.Load(), later.Load())
	for i := range people {
		p := &people[i]
		renewed, a, err := p.client.Refresh(t.Context(), p.tokens.RefreshToken)
		if err != nil || renewed.AccessToken == "" {
			t.Errorf("person %d can't refresh afterwards: %v %d %s", i, err, a.Status, a.Body)
			continue
		}
		if a, err := p.client.Call(t.Context(), renewed.AccessToken, "who_am_i", "{}"); err != nil || !served(a) {
			t.Errorf("person %d can't call afterwards: %v %d %s", i, err, a.Status, a.Body)
		}
	}
	if _, reused := r.idp.Refreshes(); reused != 0 {
		t.Errorf("%d refresh tokens were used twice", reused)
	}
	if good.Load() < 50 || later.Load() == 0 {
		t.Errorf("the test did not see enough: %d good, %d later", good.Load(), later.Load())
	}
}
