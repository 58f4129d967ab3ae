package grant

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcpgate/auth/provider"
	"mcpgate/auth/tokenstore"
	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// startRedis starts a real server that keeps what it answered, or skips the test where there is none.
func startRedis(t *testing.T, port, dir string) (kill func()) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("there is no redis-server on the PATH")
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, "--port", port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "yes", "--appendfsync", "always", "--dir", dir)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	t.Cleanup(kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "eady to accept connections") {
			go func() {
				for lines.Scan() { // until it ends
				}
			}()
			return kill
		}
	}
	t.Fatal("redis-server did not start")
	return nil
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// A Redis that is killed and started again under the load of three processes loses no login, asks nobody to log in, and makes nobody use a refresh
// token twice.
func TestRedisRestartsUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	t.Parallel()
	port, dir := freePort(t), t.TempDir()
	kill := startRedis(t, port, dir)
	idp, log := newIDP(time.Second), &lines{}
	ring := seal.NewRing("")
	var keepers []*Keeper
	for range 3 {
		store, err := tokenstore.Open(t.Context(), config.Store{Type: "redis", URL: config.NewSecret("redis://127.0.0.1:" + port), Prefix: "m"}, tokenstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		k := New(store, ring, map[string]Refresher{"idp": idp}, Options{CacheSize: 100, Logger: slog.New(slog.NewTextHandler(log, nil))})
		keepers = append(keepers, k)
	}
	for i := range killGrants {
		key := killKey(i)
		if err := keepers[0].Keep(t.Context(), key, provider.Identity{}, idp.login(key.Owner), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var load sync.WaitGroup
	var served, later atomic.Int64
	for i := range 3 * killGrants {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				_, err := keepers[i%3].Tokens(context.Background(), killKey(i/3))
				switch {
				case err == nil:
					served.Add(1)
				case errors.Is(err, fault.Unavailable):
					later.Add(1)
				default:
					t.Errorf("%v: %v", err, fault.From(err).Cause)
					return
				}
			}
		})
	}
	for range 3 {
		time.Sleep(1100 * time.Millisecond)
		kill()
		time.Sleep(500 * time.Millisecond)
		kill = startRedis(t, port, dir)
	}
	time.Sleep(2 * time.Second)
	close(stop)
	load.Wait()
	for i := range killGrants {
		for _, k := range keepers {
			if _, err := k.Tokens(t.Context(), killKey(i)); err != nil {
				t.Errorf("login %d: %v: %v", i, err, fault.From(err).Cause)
			}
		}
	}
	if len(idp.reused) > 0 {
		t.Errorf("used twice: %v", idp.reused)
	}
	for _, k := range keepers {
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.Logf("%s", log)
	}
	t.Logf("%d calls served, %d told to come again, %d refreshes", served.Load(), later.Load(), idp.count())
}
