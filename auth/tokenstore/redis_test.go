package tokenstore_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/auth/tokenstore/tokenstoretest"
	"mcpgate/config"
)

// redisServer is a real server on loopback.
type redisServer struct {
	port    string
	command *exec.Cmd
}

// startRedis starts redis-server, or skips the test where there is none.
func startRedis(t testing.TB, port string, arguments ...string) *redisServer {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("there is no redis-server on the PATH")
	}
	if port == "" {
		port = freePort(t)
	}
	// t.Context would kill it before the stores are closed.
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, append([]string{"--port", port, "--bind", "127.0.0.1",
		"--save", "", "--dir", t.TempDir(), "--cluster-port", freePort(t)}, arguments...)...)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s := &redisServer{port, command}
	t.Cleanup(s.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "eady to accept connections") {
			go func() {
				for lines.Scan() { // until it ends
				}
			}()
			return s
		}
	}
	t.Fatal("redis-server did not start")
	return nil
}

func (s *redisServer) kill() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

func (s *redisServer) url() string { return "redis://127.0.0.1:" + s.port }

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func openRedis(t testing.TB, cfg config.Store) tokenstore.Store {
	t.Helper()
	cfg.Type = "redis"
	store, err := tokenstore.Open(t.Context(), cfg, tokenstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// waitReal lets time pass for a server that has a clock of its own.
func waitReal(d time.Duration) { <-time.After(d + 20*time.Millisecond) }

func TestRedisKeepsTheContract(t *testing.T) {
	server := startRedis(t, "")
	tokenstoretest.Run(t, func(t *testing.T) tokenstoretest.Subject {
		cfg := config.Store{URL: config.NewSecret(server.url()), Prefix: prefix(t)}
		return tokenstoretest.Subject{One: openRedis(t, cfg), Other: openRedis(t, cfg), Advance: waitReal}
	})
}

// prefix has what SCAN would take for a pattern.
func prefix(t testing.TB) string {
	return fmt.Sprintf(`t[*]?\%s`, strings.ReplaceAll(t.Name(), "/", "-"))
}

func TestRedisClusterKeepsTheContract(t *testing.T) {
	server := startRedis(t, "", "--cluster-enabled", "yes")
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Skip("there is no redis-cli on the PATH")
	}
	if out, err := exec.CommandContext(t.Context(), cli, "-p", server.port, "cluster", "addslotsrange", "0", "16383").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cfg := config.Store{URL: config.NewSecret("redis+cluster://127.0.0.1:" + server.port), Prefix: "m"}
	waiting, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for openRedis(t, cfg).Check(waiting) != nil {
		if waiting.Err() != nil {
			t.Fatal("the cluster did not become ready")
		}
		waitReal(0)
	}
	tokenstoretest.Run(t, func(t *testing.T) tokenstoretest.Subject {
		cfg := config.Store{URL: cfg.URL, Prefix: prefix(t)}
		return tokenstoretest.Subject{One: openRedis(t, cfg), Other: openRedis(t, cfg), Advance: waitReal}
	})
}

// TestRedisThatIsDownIsNoEmptyStore stops the server and starts it again: meanwhile every call fails plainly and soon, after it everything is there.
func TestRedisThatIsDownIsNoEmptyStore(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	kept := []string{"--appendonly", "yes", "--appendfsync", "always", "--dir", dir}
	server := startRedis(t, "", kept...)
	store := openRedis(t, config.Store{URL: config.NewSecret(server.url()), Prefix: "m"})
	version, err := store.Swap(ctx, "grant/a", 0, []byte("x"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	server.kill()
	begin := time.Now()
	_, get := store.Get(ctx, "grant/a")
	_, take := store.Take(ctx, "grant/a")
	_, swap := store.Swap(ctx, "grant/a", version, []byte("y"), 0)
	_, create := store.Swap(ctx, "grant/b", 0, []byte("y"), 0)
	var keys error
	for _, err := range store.Keys(ctx, "grant") {
		keys = err
	}
	for _, err := range []error{get, take, swap, create, keys, store.Check(ctx)} {
		wantPlain(t, err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("six calls took %v", took)
	}
	startRedis(t, server.port, kept...)
	record, err := store.Get(ctx, "grant/a")
	if err != nil || string(record.Value) != "x" || record.Version != version {
		t.Fatalf("after the restart: %q, %v", record.Value, err)
	}
	if _, err := store.Swap(ctx, "grant/a", version, []byte("y"), 0); err != nil { // the scripts are loaded anew
		t.Fatal(err)
	}
}

// wantPlain wants an error that says neither that a record is missing nor that it changed: what makes a 503, and logs nobody out.
func wantPlain(t testing.TB, err error) {
	t.Helper()
	if err == nil || errors.Is(err, tokenstore.ErrNotFound) || errors.Is(err, tokenstore.ErrConflict) || errors.Is(err, tokenstore.ErrSealed) {
		t.Fatalf("the error is %v", err)
	}
}

func TestRedisThatEvictsIsRefused(t *testing.T) {
	for _, test := range []struct {
		name      string
		arguments []string
		want      string // of the error; "" is none
	}{
		{"no limit", []string{"--maxmemory-policy", "allkeys-lru"}, ""},
		{"noeviction", []string{"--maxmemory", "50mb", "--maxmemory-policy", "noeviction"}, ""},
		{"evicting", []string{"--maxmemory", "50mb", "--maxmemory-policy", "volatile-lru"}, "volatile-lru"},
		{"evicting, and CONFIG is forbidden", []string{"--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru", "--rename-command", "CONFIG", ""}, "allkeys-lru"},
		{"nothing is told", []string{"--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru", "--rename-command", "CONFIG", "", "--rename-command", "INFO", ""}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := startRedis(t, "", test.arguments...)
			err := openRedis(t, config.Store{URL: config.NewSecret(server.url()), Prefix: "m"}).Check(t.Context())
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestRedisUserNeedsLittle runs under an ACL that allows the records' own keys and the commands that they need.
func TestRedisUserNeedsLittle(t *testing.T) {
	server := startRedis(t, "", strings.Fields("--user default off "+
		"--user gate on >a-password ~m:* +get +set +getrange +evalsha +eval +scan +ping +hello")...)
	login := func(user string) tokenstore.Store {
		return openRedis(t, config.Store{URL: config.NewSecret("redis://" + user + "@127.0.0.1:" + server.port), Prefix: "m"})
	}
	store := login("gate:a-password")
	if err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Swap(t.Context(), "grant/a", 0, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	for key, err := range store.Keys(t.Context(), "grant") {
		if err != nil || key != "grant/a" {
			t.Errorf("%s, %v", key, err)
		}
	}
	for _, user := range []string{"gate:another-password", "nobody:a-password", ""} {
		err := login(user).Check(t.Context())
		wantPlain(t, err)
		if strings.Contains(err.Error(), "a-password") || strings.Contains(err.Error(), "another-password") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestRedisOverTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := selfSigned(t, dir)
	port := freePort(t)
	startRedis(t, freePort(t), "--tls-port", port, "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients", "no")
	url := config.NewSecret("rediss://localhost:" + port)
	if err := openRedis(t, config.Store{URL: url, Prefix: "m", CAFile: certFile}).Check(t.Context()); err != nil {
		t.Error(err)
	}
	wantPlain(t, openRedis(t, config.Store{URL: url, Prefix: "m"}).Check(t.Context())) // nobody the system knows signed it
}

func selfSigned(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestOpenRedisSaysWhatIsWrong(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ url, caFile, want string }{
		{"", "", "url has to be"},
		{"localhost:6379", "", "url has to be"},
		{"http://:a-password@localhost", "", "url has to be"},
		{"redis://user:a-password@local host:1", "", "url has to be"},
		{"redis+cluster://user:a-password@%zz", "", "url has to be"},
		{"redis://localhost/not-a-number", "", "url has to be"},
		{"redis://localhost", noPEM, "rediss://"},
		{"rediss://localhost", noPEM, "no certificate"},
		{"rediss+cluster://localhost", noPEM + "x", "can't be read"},
	} {
		_, err := tokenstore.Open(t.Context(), config.Store{Type: "redis", URL: config.NewSecret(test.url), CAFile: test.caFile}, tokenstore.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "a-password") {
			t.Errorf("%s: %v", test.url, err)
		}
	}
}

// TestALostAnswerIsAskedForAgain cuts the connection after the server got a call and before its answer arrives: the call is done once, and
// its caller is told so.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	server := startRedis(t, "")
	cut := &cutter{server: "127.0.0.1:" + server.port}
	cut.listen(t)
	direct := openRedis(t, config.Store{URL: config.NewSecret(server.url()), Prefix: "m"})
	ctx := t.Context()
	for round := range 3 {
		key := fmt.Sprintf("grant/%d", round)
		store := openRedis(t, config.Store{URL: config.NewSecret("redis://" + cut.address), Prefix: "m"})
		if err := store.Check(ctx); err != nil {
			t.Fatal(err)
		}
		cut.next.Store(true)
		version, err := store.Swap(ctx, key, 0, []byte("x"), time.Hour)
		if err != nil || cut.next.Load() {
			t.Fatalf("creating: %v (cut %v)", err, !cut.next.Load())
		}
		if record, err := direct.Get(ctx, key); err != nil || record.Version != version {
			t.Fatal(record, err)
		}
		cut.next.Store(true)
		if round == 0 {
			if _, err := store.Swap(ctx, key, version, nil, 0); err != nil || cut.next.Load() {
				t.Fatalf("deleting: %v", err)
			}
			continue
		}
		record, err := store.Take(ctx, key)
		if err != nil || string(record.Value) != "x" || cut.next.Load() {
			t.Fatalf("taking: %q, %v", record.Value, err)
		}
		if _, err := direct.Take(ctx, key); !errors.Is(err, tokenstore.ErrNotFound) {
			t.Fatalf("taken twice: %v", err)
		}
	}
}

// cutter is between a client and a server, and cuts a connection before an answer when it is told to.
type cutter struct {
	server, address string
	next            atomic.Bool
}

func (c *cutter) listen(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = listener.Addr().String()
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.serve(&wg, client) })
		}
	})
}

func (c *cutter) serve(wg *sync.WaitGroup, client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		return
	}
	defer server.Close()
	wg.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		if err != nil || c.next.CompareAndSwap(true, false) {
			return
		}
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}
