package tokenstore_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
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
