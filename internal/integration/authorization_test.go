package integration

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mcpgate/internal/fakeclient"
)

// TestConformanceOfAuthorization runs the suite's scenarios for an authorization server: metadata and the code grant. It prints
// the URL that a person has to open; the scripted browser does. Nothing is expected to fail.
func TestConformanceOfAuthorization(t *testing.T) {
	e := newEntrance(t)
	p := startIDP(t, e.url, idpOptions{})
	port := freePort(t)
	callback := fmt.Sprintf("http://127.0.0.1:%d/callback", port)
	e.run(t, e.yaml(p, "", fmt.Sprintf("    clients: {known: [{client_id: conformance, redirect_uris: [%q]}]}", callback)))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	suite := filepath.Join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js")
	cmd := exec.CommandContext(ctx, node, suite, "authorization", "--url", e.url, "--client-id", "conformance",
		"--resource", e.url+"/mcp", "--port", fmt.Sprint(port), "--output-dir", t.TempDir())
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &log{}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	authorize := regexp.MustCompile(`http://127\.0\.0\.1:\d+/authorize\?\S+`)
	for lines := bufio.NewScanner(io.TeeReader(stdout, out)); lines.Scan(); {
		target := authorize.FindString(lines.Text())
		if target == "" {
			continue
		}
		back, err := fakeclient.NewBrowser(callback).Allow(ctx, target)
		if err != nil {
			t.Fatal(err)
		}
		if err := answers(ctx, back.String()); err != nil {
			t.Errorf("the suite's callback: %v", err)
		}
	}
	err = cmd.Wait()
	fmt.Printf("conformance authorization:\n%s\n", summary(out.String()))
	if err != nil || strings.Contains(out.String(), "FAILURE") {
		t.Fatalf("%v\n%s", err, tail(out.String(), 8000))
	}
}
