package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"mcpgate/config"
	"mcpgate/gateway"
	"mcpgate/mapping"
	"mcpgate/specs"
)

const repository = "../.."

// pages are the Markdown files of the project, by their name from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(repository, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		name, err = filepath.Rel(repository, name)
		found[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %d pages found", len(found))
	}
	return found
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	fence   = regexp.MustCompile("(?ms)^( *)```([^\n]*)\n(.*?)^ *```$")
)

// anchors are what links may name behind a #, by GitHub's rule.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		anchor := strings.ToLower(strings.ReplaceAll(m[1], " ", "-"))
		found[regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(anchor, "")] = true
	}
	return found
}

func TestDocsLinks(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			if file == "" {
				target = name
			}
			if _, err := os.Stat(filepath.Join(repository, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s links to %s, which has no such heading", name, m[1])
			}
		}
	}
}

// Every block that is marked as a gateway.yaml is one.
func TestDocsConfigurations(t *testing.T) {
	blocks := 0
	for name, text := range pages(t) {
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			if m[2] != "yaml gateway.yaml" {
				continue
			}
			blocks++
			dir := t.TempDir()
			file := filepath.Join(dir, "gateway.yaml")
			if err := os.WriteFile(file, []byte(m[3]), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, document := range []string{"petstore.yaml", "tasks.yaml"} {
				if err := copyFile("testdata/petstore.yaml", filepath.Join(dir, document)); err != nil {
					t.Fatal(err)
				}
			}
			env := func(key string) (string, bool) {
				value, ok := map[string]string{"PETSTORE_TOKEN": "x", "CRM_TOKEN": "x", "MCPGATE_KEY": "bm90IGEgc2VjcmV0OiB0aGlzIGlzIGEgdGVzdCwgeWVz"}[key]
				return value, ok
			}
			cfg, err := config.Load(file, env)
			if err != nil {
				t.Errorf("%s:\n%s\n%v", name, m[3], err)
				continue
			}
			if strings.Contains(m[3], "select:") || strings.Contains(m[3], "errors:") {
				compileBlock(t, name, cfg)
			}
		}
	}
	if blocks < 5 {
		t.Errorf("only %d blocks found", blocks)
	}
}

// compileBlock makes the tools of a page's gateway.yaml.
func compileBlock(t *testing.T, page string, cfg *config.Config) {
	t.Helper()
	documents := map[string][]*specs.Document{}
	for name, upstream := range cfg.Upstreams {
		for _, location := range upstream.Spec {
			document, _, err := specs.Loader{}.Load(t.Context(), location)
			if err != nil {
				t.Fatal(err)
			}
			documents[name] = append(documents[name], document)
		}
	}
	tools, problems := mapping.Compile(cfg, documents)
	if len(tools) == 0 || len(problems) > 0 {
		t.Errorf("%s: %d tools, %v", page, len(tools), problems)
	}
}

// cutText finds a text in a flow mapping that a comma of its own cut in two: the second half is a key without a value.
var cutText = regexp.MustCompile(`^\S+ \S+ \S`)

func TestBlocksParse(t *testing.T) {
	blocks := 0
	for page, text := range pages(t) {
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			language, name, _ := strings.Cut(m[2], " ")
			if language != "yaml" && language != "json" || name == "wrong.yaml" {
				continue
			}
			blocks++
			var node yaml.Node
			if err := yaml.Unmarshal([]byte(m[3]), &node); err != nil { // JSON is YAML
				t.Errorf("%s: %v in\n%s", page, err, m[3])
			}
			for _, key := range valueless(&node) {
				if cutText.MatchString(key) {
					t.Errorf("%s: %q is a key; put quotes around the text that it ends", page, key)
				}
			}
		}
	}
	if blocks < 10 {
		t.Errorf("only %d blocks found", blocks)
	}
}

// valueless returns the keys of all mappings that have no value.
func valueless(n *yaml.Node) []string {
	var keys []string
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && n.Content[i+1].Tag == "!!null" {
			keys = append(keys, child.Value)
		}
		keys = append(keys, valueless(child)...)
	}
	return keys
}

// schemaComment names the schema that editors check a YAML file with.
var schemaComment = regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=(\S+)$`)

func TestShippedFilesNameTheSchema(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, "examples", "*", "gateway.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, filepath.Join(repository, "gateway.yaml")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range schemaComment.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), string(m[1]))); err != nil {
				t.Errorf("%s: there is no %s", file, m[1])
			}
		}
	}
}

// TestTutorial plays docs/tutorial.md from top to bottom: blocks with a file's name are written, sh blocks are run, and
// each line of the text block after one must be in what it printed.
func TestTutorial(t *testing.T) {
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the tutorial needs %s, which this machine does not have", program)
		}
	}
	text, err := os.ReadFile(filepath.Join(repository, "docs", "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	reader := &tutorialReader{t: t, dir: t.TempDir()}
	for _, block := range fence.FindAllStringSubmatch(string(text), -1) {
		reader.play(strings.TrimSpace(block[2]), block[3])
	}
	if reader.commands < 12 {
		t.Errorf("only %d commands were played", reader.commands)
	}
}

// tutorialReader does what the tutorial says.
type tutorialReader struct {
	t        *testing.T
	dir      string
	served   string // where the gateway of the tutorial really is, http://localhost:PORT
	output   string // of the last block of commands
	commands int
}

const tutorialURL = "http://localhost:8080"

func (r *tutorialReader) play(info, text string) {
	r.t.Helper()
	kind, argument, _ := strings.Cut(info, " ")
	switch {
	case kind == "sh" && argument == "not-played":
	case kind == "sh" && argument == "background":
		r.serve(strings.Fields(text))
	case kind == "sh":
		r.run(text, argument == "fails")
	case argument != "":
		if err := os.WriteFile(filepath.Join(r.dir, argument), []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	default:
		for want := range strings.Lines(text) {
			if want = strings.TrimSuffix(want, "\n"); !strings.Contains(r.output, want) {
				r.t.Errorf("the tutorial promises %q, and got:\n%s", want, r.output)
			}
		}
	}
}

// run runs commands one by one; every one of them has to succeed, or to fail.
func (r *tutorialReader) run(text string, fails bool) {
	r.t.Helper()
	r.output = ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if folder, ok := strings.CutPrefix(line, "cd "); ok {
			r.dir = filepath.Join(r.dir, folder)
			continue
		}
		r.commands++
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		defer cancel()
		command := exec.CommandContext(ctx, "sh", "-c", strings.ReplaceAll(line, tutorialURL, cmp.Or(r.served, tutorialURL)))
		command.Dir = r.dir
		out, err := command.CombinedOutput()
		r.output += strings.ReplaceAll(string(out), cmp.Or(r.served, tutorialURL), tutorialURL)
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited || fails != exited {
			r.t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// serve starts the gateway of the tutorial, at a port that is free on this machine.
func (r *tutorialReader) serve(words []string) {
	r.t.Helper()
	r.commands++
	p := startIn(r.t, r.dir, append(words[1:], "--listen", "127.0.0.1:0")...)
	r.served = strings.TrimSuffix(p.url, "/mcp")
	r.output = strings.ReplaceAll(p.banner, r.served, tutorialURL)
}

var codeConstant = regexp.MustCompile(`(?m)^\s+[A-Z]\w+\s+Code = "([a-z_.]+)"`)

// Whoever meets a code finds it in the page.
func TestDocsFaults(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(repository, "internal", "fault", "fault.go"))
	if err != nil {
		t.Fatal(err)
	}
	page := pages(t)["docs/faults.md"]
	codes := codeConstant.FindAllSubmatch(source, -1)
	if len(codes) < 25 {
		t.Fatalf("only %d codes found", len(codes))
	}
	for _, m := range codes {
		code := string(m[1])
		if code == "gateway" {
			continue // the root, which no failure has as its code
		}
		last := code[strings.LastIndexByte(code, '.')+1:]
		if !strings.Contains(page, "`"+code+"`") && !strings.Contains(page, "`."+last+"`") && !strings.Contains(page, "`"+code+".") {
			t.Errorf("docs/faults.md says nothing of %s", code)
		}
	}
}

// Every command and every flag has its line.
func TestDocsCommands(t *testing.T) {
	page := pages(t)["docs/commands.md"]
	for _, command := range (&terminal{}).rootCommand().Commands() {
		_, section, ok := strings.Cut(page, "\n## "+command.Name()+"\n")
		if !ok {
			t.Errorf("docs/commands.md says nothing of %s", command.Name())
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		command.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
			if flag.Name != "help" && !strings.Contains(section, "`--"+flag.Name) {
				t.Errorf("docs/commands.md says nothing of %s --%s", command.Name(), flag.Name)
			}
		})
	}
}

// What docs/oauth.md quotes of messages is what the program says: the first cell of each row of "What to do about a message".
func TestDocsQuoteMessages(t *testing.T) {
	page := pages(t)["docs/oauth.md"]
	_, section, found := strings.Cut(page, "\n## What to do about a message\n")
	if section, _, _ = strings.Cut(section, "\n## "); !found {
		t.Fatal("the section is gone")
	}
	var source strings.Builder
	for _, room := range []string{"auth", "gateway", "config", "internal/fault"} {
		err := filepath.WalkDir(filepath.Join(repository, room), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			text, err := os.ReadFile(name)
			source.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	quoted := 0
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(section, -1) {
		for _, text := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			quoted++
			if !strings.Contains(source.String(), text[1]) {
				t.Errorf("nothing says %q", text[1])
			}
		}
	}
	if quoted < 20 {
		t.Errorf("only %d messages found: the test looks at the wrong place", quoted)
	}
}

// Each provider's walkthrough in docs/oauth.md loads in the place of the smallest file's providers and upstreams.
func TestDocsProviders(t *testing.T) {
	walkthroughs := 0
	for _, m := range fence.FindAllStringSubmatch(pages(t)["docs/oauth.md"], -1) {
		if m[2] != "yaml" {
			continue
		}
		walkthroughs++
		name := regexp.MustCompile("(?m)^  ([a-z]+):").FindStringSubmatch(m[3])[1]
		text := "server: {public_url: \"https://mcp.example.com\"}\nkey: bm90IGEgc2VjcmV0OiB0aGlzIGlzIGEgdGVzdCwgeWVz\nauth: {mode: oauth, oauth: {provider: " + name + "}}\n" + m[3]
		if !strings.Contains(m[3], "upstreams:") {
			text += "upstreams: {crm: {spec: petstore.yaml, base_url: \"https://crm.example\", credential: {type: login, provider: " + name + "}}}\n"
		}
		dir := t.TempDir()
		if err := copyFile("testdata/petstore.yaml", filepath.Join(dir, "petstore.yaml")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "gateway.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(file, func(key string) (string, bool) {
			return "x", strings.HasSuffix(key, "_SECRET") || strings.HasSuffix(key, "_CLIENT_ID")
		})
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		if _, report, err := gateway.Load(t.Context(), cfg); err != nil || len(report.Problems) > 0 {
			t.Errorf("%s\n%v %v", text, err, report.Problems)
		}
	}
	if walkthroughs != 5 {
		t.Errorf("%d walkthroughs, want 5", walkthroughs)
	}
}
