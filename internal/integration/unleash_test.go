package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnleash reads and writes a feature-flag server through the gateway. Neither the server nor its document, which
// is loaded from the server's own URL, was written here.
func TestUnleash(t *testing.T) {
	socket := startPostgres(t)
	port := freePort(t)
	unleash := exec.Command(node, "unleash.mjs", strconv.Itoa(port), socket)
	unleash.Dir = filepath.Dir(modules)
	ended := start(t, unleash)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	await(t, base+"/health", 2*time.Minute, ended)

	session := connect(t, serve(t, fmt.Sprintf(
		"discovery: {mode: direct}\nupstreams:\n  flags:\n    spec: %s/docs/openapi.json\n    base_url: %s\n    expose: all\n", base, base)))
	tools := 0
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if tool.InputSchema == nil {
			t.Errorf("%s has no schema", tool.Name)
		}
		tools++
	}
	fmt.Printf("unleash: %d tools from its own document\n", tools)
	if tools < 200 {
		t.Errorf("%d tools, want one for each of some 211 operations", tools)
	}

	do := func(name string, arguments map[string]any) outcome {
		t.Helper()
		o := callTool(t, session, call{name, arguments})
		if !o.OK {
			t.Errorf("%s: %d %v", name, o.StatusCode, o.Errors)
		}
		return o
	}
	project := map[string]any{"projectId": "default"}
	flag := map[string]any{"projectId": "default", "featureName": "night-tours"}
	with := func(base map[string]any, more map[string]any) map[string]any {
		all := map[string]any{}
		for _, m := range []map[string]any{base, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	do("createFeature", with(project, map[string]any{"name": "night-tours", "type": "release", "description": "Tours after dark"}))
	do("addTag", map[string]any{"featureName": "night-tours", "type": "simple", "value": "museum/évening"})
	do("toggleFeatureEnvironmentOn", with(flag, map[string]any{"environment": "development"}))
	do("patchFeature", with(flag, map[string]any{"body": []any{map[string]any{"op": "replace", "path": "/description", "value": "Lanterns"}}}))

	var feature struct {
		Description  string
		Environments []struct {
			Name    string
			Enabled bool
		}
	}
	decode(t, do("getFeature", flag), &feature)
	if feature.Description != "Lanterns" {
		t.Errorf("description %q after the patch", feature.Description)
	}
	enabled := false
	for _, e := range feature.Environments {
		enabled = enabled || e.Name == "development" && e.Enabled
	}
	if !enabled {
		t.Errorf("the flag is not on in development: %+v", feature.Environments)
	}
	var tags struct {
		Tags []struct{ Value string }
	}
	decode(t, do("listTags", map[string]any{"featureName": "night-tours"}), &tags)
	if len(tags.Tags) != 1 || tags.Tags[0].Value != "museum/évening" {
		t.Errorf("tags: %+v", tags)
	}
	// A path value with a slash and a letter that isn't ASCII reaches the server as one segment.
	do("removeTag", map[string]any{"featureName": "night-tours", "type": "simple", "value": "museum/évening"})
	do("archiveFeature", flag)

	missing := callTool(t, session, call{"getFeature", map[string]any{"projectId": "default", "featureName": "no-such-flag"}})
	if missing.OK || missing.Errors[0].Code != "api.not_found" {
		t.Errorf("a flag that isn't there: %+v", missing)
	}
	twice := callTool(t, session, call{"createTagType", map[string]any{"name": "simple"}})
	if twice.OK || twice.Errors[0].Code != "api.conflict" {
		t.Errorf("a tag type that is there already: %+v", twice)
	}
}

func decode(t *testing.T, o outcome, into any) {
	t.Helper()
	if err := json.Unmarshal(o.Data, into); err != nil {
		t.Fatalf("%v: %s", err, o.Data)
	}
}

// startPostgres starts Debian's PostgreSQL on a socket in a folder of its own, which it returns.
func startPostgres(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		t.Fatal("no PostgreSQL; Debian's package is postgresql")
	}
	bin := found[len(found)-1]
	folder, err := os.MkdirTemp("", "pg") // not t.TempDir: a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	who := unprivileged(t, folder)
	data := filepath.Join(folder, "data")
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = folder
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
		return cmd
	}
	if out, err := run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	start(t, run("postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"))
	deadline := time.Now().Add(30 * time.Second)
	for {
		out, err := run("pg_isready", "-h", folder).CombinedOutput()
		if err == nil {
			return folder
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL is not ready: %s", strings.TrimSpace(string(out)))
		}
		<-time.After(100 * time.Millisecond)
	}
}

// unprivileged returns whom to run PostgreSQL as, which refuses root, and gives that one the folder.
func unprivileged(t *testing.T, folder string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	if err := os.Chown(folder, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}
