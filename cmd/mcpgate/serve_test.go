package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds everything that a test waits for: long, for a machine that has much else to do.
const patience = 2 * time.Minute

// process is a gateway that runs as a program of its own.
type process struct {
	t       *testing.T
	command *exec.Cmd
	url     string        // of MCP, from the banner
	banner  string        // what it said before it was ready
	log     *bytes.Buffer // what it said afterwards; read it after wait
	drained chan struct{}
}

var bannerURL = regexp.MustCompile(`MCP is at (\S+)`)

// start runs `mcpgate serve` in a folder with the files, until it says where MCP is.
func start(t *testing.T, files map[string]string, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFile("testdata/petstore.yaml", filepath.Join(dir, "petstore.yaml")); err != nil {
		t.Fatal(err)
	}
	return startIn(t, dir, append([]string{"serve"}, args...)...)
}

// startIn runs the program in a folder, until it says where MCP is. It ends with the test.
func startIn(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	p := &process{t: t, log: &bytes.Buffer{}, drained: make(chan struct{})}
	p.command = exec.CommandContext(ctx, "mcpgate", args...)
	p.command.Dir = dir
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	for !strings.Contains(p.banner, "other clients") {
		line, err := lines.ReadString('\n')
		p.banner += line
		if err != nil {
			t.Fatalf("serve ended: %v\n%s", p.command.Wait(), p.banner)
		}
	}
	p.url = bannerURL.FindStringSubmatch(p.banner)[1]
	go func() {
		defer close(p.drained)
		_, _ = io.Copy(p.log, lines) // ends with the process
	}()
	return p
}

// signal sends the process a signal.
func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait returns how the process ended.
func (p *process) wait() (*os.ProcessState, string) {
	p.t.Helper()
	<-p.drained
	if err := p.command.Wait(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			p.t.Fatal(err)
		}
	}
	return p.command.ProcessState, p.log.String()
}

// callTool calls a tool over MCP and returns its structured content.
func callTool(url, key, tool, arguments string) (map[string]any, error) {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments)
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", resp.Status, text)
	}
	if _, data, ok := bytes.Cut(text, []byte("data: ")); ok {
		text = data
	}
	var message struct {
		Result struct {
			StructuredContent map[string]any `json:"structuredContent"`
		} `json:"result"`
		Error any `json:"error"`
	}
	if err := json.Unmarshal(text, &message); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	if message.Error != nil {
		return nil, fmt.Errorf("%s", text)
	}
	return message.Result.StructuredContent, nil
}

func TestServe(t *testing.T) {
	p := start(t, map[string]string{"gateway.yaml": "name: shop\nupstreams: {petstore: {spec: petstore.yaml}}\n"},
		"--sandbox", "--listen", "127.0.0.1:0")
	for _, want := range []string{
		"serves 2 tools from 1 upstream (gateway.yaml)", "petstore.yaml", "SANDBOX",
		"2 operations withheld", "`include:` or `expose: all`",
		"claude mcp add --transport http shop " + p.url,
	} {
		if !strings.Contains(p.banner, want) {
			t.Errorf("the banner lacks %q:\n%s", want, p.banner)
		}
	}
	result, err := callTool(p.url, "", "listPets", `{"limit": 3}`)
	if err != nil {
		t.Fatal(err)
	}
	if result["ok"] != true || result["sandbox"] != true {
		t.Errorf("result %v", result)
	}
	p.signal(syscall.SIGTERM)
	if state, log := p.wait(); state.ExitCode() != exitOK {
		t.Errorf("%s\n%s", state, log)
	}
}

// A platform names the port; callers show a key; the container's own check needs neither.
func TestServeAtPort(t *testing.T) {
	t.Setenv("PORT", "0")
	p := start(t, map[string]string{"gateway.yaml": `
auth: {mode: api_key, api_key: {keys: [{name: ci, sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae}]}}
upstreams: {petstore: {spec: petstore.yaml, base_url: "sandbox:"}}
`})
	if !strings.Contains(p.banner, `--header "Authorization: Bearer $KEY"`) {
		t.Errorf("the banner does not say how to show a key:\n%s", p.banner)
	}
	if _, err := callTool(p.url, "", "listPets", `{}`); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without a key: %v", err)
	}
	if result, err := callTool(p.url, "foo", "listPets", `{}`); err != nil || result["ok"] != true {
		t.Errorf("with the key: %v, %v", result, err)
	}
	if _, err := callTool(p.url, strings.Repeat("k", 100<<10), "listPets", `{}`); err == nil || !strings.Contains(err.Error(), "431") {
		t.Errorf("with 100 KiB of headers: %v", err)
	}
	root := strings.TrimSuffix(p.url, "/mcp")
	if out, err := exec.Command("mcpgate", "health", "--url", root+"/healthz").CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Errorf("health: %s, %v", out, err)
	}
	if out, err := exec.Command("mcpgate", "health", "--url", root+"/nowhere").CombinedOutput(); err == nil || !strings.Contains(string(out), "404") {
		t.Errorf("health at a wrong path: %s, %v", out, err)
	}
}

// slowAPI answers when it is released, and says when it was asked.
func slowAPI(t *testing.T) (url string, asked, release chan struct{}) {
	asked, release = make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id": 7, "name": "Rex"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked, release
}

func slowConfig(url, grace string) map[string]string {
	return map[string]string{"gateway.yaml": fmt.Sprintf(`
server: {listen: "127.0.0.1:0", shutdown_grace: %s}
telemetry: {log: {format: text}}
upstreams: {petstore: {spec: petstore.yaml, base_url: %q}}
`, grace, url)}
}

type callResult struct {
	content map[string]any
	err     error
}

// callInBackground calls getPet and returns once the upstream was asked.
func callInBackground(p *process, asked chan struct{}) chan callResult {
	done := make(chan callResult, 1)
	go func() {
		content, err := callTool(p.url, "", "getPet", `{"petId": 7}`)
		done <- callResult{content, err}
	}()
	select {
	case <-asked:
	case <-p.t.Context().Done():
	case r := <-done:
		p.t.Fatalf("the call ended early: %v, %v", r.content, r.err)
	}
	return done
}

// After the first signal the gateway says that it is not ready, and lets calls under way end.
func TestServeDrains(t *testing.T) {
	api, asked, release := slowAPI(t)
	p := start(t, slowConfig(api, "10m"))
	done := callInBackground(p, asked)
	p.signal(syscall.SIGTERM)
	awaitStatus(t, strings.TrimSuffix(p.url, "/mcp")+"/readyz", http.StatusServiceUnavailable)
	close(release)
	if r := <-done; r.err != nil || r.content["ok"] != true {
		t.Errorf("the call under way: %v, %v", r.content, r.err)
	}
	if state, log := p.wait(); state.ExitCode() != exitOK {
		t.Errorf("%s\n%s", state, log)
	}
}

// awaitStatus asks until the answer has the status.
func awaitStatus(t *testing.T, url string, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s never answered %d: %v", url, want, err)
		}
		resp.Body.Close()
		if resp.StatusCode == want {
			return
		}
	}
}

// What does not end within the grace is cut off, and said.
func TestServeGraceIsOver(t *testing.T) {
	api, asked, _ := slowAPI(t)
	p := start(t, slowConfig(api, "200ms"))
	done := callInBackground(p, asked)
	p.signal(syscall.SIGINT)
	state, log := p.wait()
	if state.ExitCode() != exitFailed || !strings.Contains(log, "calls were still under way after server.shutdown_grace (200ms)") {
		t.Errorf("%s\n%s", state, log)
	}
	<-done
}

// A second signal does not wait for anything.
func TestServeSecondSignal(t *testing.T) {
	api, asked, _ := slowAPI(t)
	p := start(t, slowConfig(api, "10m"))
	done := callInBackground(p, asked)
	p.signal(syscall.SIGTERM)
	awaitStatus(t, strings.TrimSuffix(p.url, "/mcp")+"/readyz", http.StatusServiceUnavailable)
	p.signal(syscall.SIGTERM)
	state, _ := p.wait()
	if status, ok := state.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("ended with %s, want the signal", state)
	}
	<-done
}

// Over stdio a signal ends the program although the client keeps stdin open.
func TestServeStdioSignal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := t.TempDir()
	if err := copyFile("testdata/petstore.yaml", filepath.Join(dir, "petstore.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), []byte("upstreams: {petstore: {spec: petstore.yaml}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, "mcpgate", "serve", "--stdio", "--sandbox")
	command.Dir = dir
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var out bytes.Buffer
	command.Stdout = &out
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "MCP is on stdin and stdout") {
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it ends
	}
	if err := command.Wait(); err != nil || out.Len() > 0 {
		t.Errorf("%v, stdout %q", err, &out)
	}
}
