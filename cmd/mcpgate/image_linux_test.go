package main

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// instruction is a line of a Dockerfile.
type instruction struct {
	name string
	args []string
}

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var found []instruction
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			found = append(found, instruction{words[0], words[1:]})
		}
	}
	return found
}

// There is no Docker engine where the tests run, so they look at what can go wrong without one.
func TestDockerfile(t *testing.T) {
	ignored, err := os.ReadFile(filepath.Join(repository, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, i := range dockerfile(t) {
		seen[i.name] = strings.Join(i.args, " ")
		if i.name != "COPY" || strings.HasPrefix(i.args[0], "--from=") {
			continue
		}
		for _, source := range i.args[:len(i.args)-1] {
			if matches, err := filepath.Glob(filepath.Join(repository, source)); err != nil || len(matches) == 0 {
				t.Errorf("COPY %s: there is nothing of that name", source)
			}
			if slices.Contains(strings.Fields(string(ignored)), source) {
				t.Errorf("COPY %s: .dockerignore keeps it out", source)
			}
		}
	}
	for name, want := range map[string]string{
		"FROM": "scratch", "USER": "65532:65532", "ENTRYPOINT": `["/mcpgate"]`, "CMD": `["serve"]`, "ENV": "PORT=8080", "EXPOSE": "8080",
	} {
		if seen[name] != want {
			t.Errorf("the last %s is %q, want %q", name, seen[name], want)
		}
	}
	if !regexp.MustCompile(`CMD \["/mcpgate", "health"\]$`).MatchString(seen["HEALTHCHECK"]) {
		t.Errorf("HEALTHCHECK %s needs a shell, or is not the program", seen["HEALTHCHECK"])
	}
}

// buildImage does what the Dockerfile does, and returns the folder that stands for the image's root.
func buildImage(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil { //nolint:gosec // another user has to read it
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=v0.0.0-test", "-o", filepath.Join(root, "mcpgate"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	conf := filepath.Join(root, "etc", "mcpgate")
	documents, err := filepath.Glob(filepath.Join(repository, "specs", "*.yaml"))
	if err != nil || len(documents) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(conf, "specs"), 0o755); err != nil { //nolint:gosec // as above
		t.Fatal(err)
	}
	for _, file := range append(documents, filepath.Join(repository, "gateway.yaml")) {
		name, err := filepath.Rel(repository, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := copyFile(file, filepath.Join(conf, name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(conf, name), 0o444); err != nil { //nolint:gosec // as above
			t.Fatal(err)
		}
	}
	return root
}

// TestImage builds the program as the image has it, and runs it as the image does: static, with the image's folder as
// its whole file system, as a user who owns nothing, and with no environment but PORT.
func TestImage(t *testing.T) {
	if os.Getenv("CI") == "" {
		t.Skip("builds everything anew, which takes a minute or two: CI does, and so does CI=1 go test ./cmd/mcpgate -run TestImage")
	}
	root := buildImage(t)
	program, err := elf.Open(filepath.Join(root, "mcpgate"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the program is not static: it needs %v (%v)", libraries, err)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can change the root folder and the user")
	}
	inImage := func(env []string, args ...string) *exec.Cmd {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		t.Cleanup(cancel)
		command := exec.CommandContext(ctx, "/mcpgate", args...)
		command.Env, command.Dir = env, "/etc/mcpgate"
		command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return command
	}
	// Without a key and without --insecure it says why it doesn't start.
	out, err := inImage([]string{"PORT=8080"}, "serve").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitUsage || !strings.Contains(string(out), "--insecure") {
		t.Errorf("serve: %v\n%s", err, out)
	}
	out, err = inImage(nil, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "mcpgate v0.0.0-test go") {
		t.Errorf("version: %v\n%s", err, out)
	}
	serveImage(t, inImage)
}

// serveImage starts the gateway of the image, asks it as HEALTHCHECK does, and stops it as `docker stop` does.
func serveImage(t *testing.T, inImage func(env []string, args ...string) *exec.Cmd) {
	t.Helper()
	port := freePort(t)
	env := []string{"PORT=" + port}
	var log bytes.Buffer
	server := inImage(env, "serve", "--insecure")
	stderr, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	seen := make([]byte, 1)
	for !strings.Contains(log.String(), "MCP is at http://localhost:"+port+"/mcp") {
		if _, err := stderr.Read(seen); err != nil {
			t.Fatalf("serve ended: %v\n%s", server.Wait(), &log)
		}
		log.Write(seen)
	}
	if out, err := inImage(env, "health").CombinedOutput(); err != nil || string(out) != "ok\n" {
		t.Errorf("health: %v\n%s", err, out)
	}
	if result, err := callTool("http://localhost:"+port+"/mcp", "", "list_customer", `{}`); err != nil || result["ok"] != true {
		t.Errorf("a call: %v, %v", result, err)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&log, stderr); err != nil {
		t.Error(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("stopping: %v\n%s", err, &log)
	}
	if out, err := inImage(env, "health").CombinedOutput(); err == nil || !strings.Contains(string(out), "the gateway does not answer") {
		t.Errorf("health of a stopped gateway: %v\n%s", err, out)
	}
}
