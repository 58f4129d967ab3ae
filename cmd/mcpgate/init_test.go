package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func TestUpstreamName(t *testing.T) {
	for title, want := range map[string]string{
		"Swagger Petstore - OpenAPI 3.0":         "petstore",
		"The Weather REST API v2":                "weather",
		"API":                                    "file",
		"":                                       "file",
		"Straße & Söhne":                         "stra_e_s_hne",
		"Docusign Click API":                     "docusign_click",
		"A very long title of a very long API":   "a_very_long_title_of_a",
		"Donaudampfschifffahrtsgesellschaftsamt": "donaudampfschifffahrtsge",
		"Null":                                   "file",
		"日本":                                     "file",
	} {
		if got := upstreamName(title, "specs/file.openapi.yaml"); got != want {
			t.Errorf("upstreamName(%q) = %q, want %q", title, got, want)
		}
	}
	if got := upstreamName("", "https://x.example/123"); got != "api" {
		t.Errorf("without any words: %q", got)
	}
}

// What quoted writes is read back as it was, through YAML and the expansion of variables.
func FuzzQuoted(f *testing.F) {
	for _, s := range []string{"plain", "true", "", "a: b #c", "${HOME}", "$$", "\"\n", "-", "0x1", "~", "é\u2028"} {
		f.Add(s)
	}
	dir := f.TempDir()
	file := filepath.Join(dir, "gateway.yaml")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range s {
			if r == '\uFFFD' || r < ' ' || r == 0x7f || r == '\u0085' || r >= 0xFFFE && r <= 0xFFFF {
				return // YAML can't hold them, and no title or path of a document does
			}
		}
		if s == "" {
			return // an empty instruction is none
		}
		text := "instructions: " + quoted(s) + "\nupstreams: {a: {tools: {ping: {request: GET /}}, base_url: 'http://localhost'}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(file, nil)
		if err != nil {
			t.Fatalf("%q was written as %s:\n%v", s, text, err)
		}
		if cfg.Instructions != s {
			t.Fatalf("%q was read as %q", s, cfg.Instructions)
		}
	})
}

func TestBuildVersion(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for want, info := range map[string]*debug.BuildInfo{
		"v1.2.3":             {Main: debug.Module{Version: "v1.2.3"}},
		"devel":              {Main: debug.Module{Version: "(devel)"}},
		"devel-0123456789ab": {Settings: []debug.BuildSetting{setting("vcs.revision", "0123456789abcdef"), setting("vcs.modified", "false")}},
		"devel-0123-dirty":   {Settings: []debug.BuildSetting{setting("vcs.revision", "0123"), setting("vcs.modified", "true")}},
	} {
		if diff := cmp.Diff(want, buildVersion(info)); diff != "" {
			t.Error(diff)
		}
	}
}

// What init writes for a document in the wild loads.
func TestInitCorpus(t *testing.T) {
	corpus := os.Getenv("MCPGATE_CORPUS")
	if corpus == "" {
		t.Skip("MCPGATE_CORPUS does not name a folder with documents")
	}
	entries, err := os.ReadDir(corpus)
	if err != nil {
		t.Fatal(err)
	}
	dir, written := t.TempDir(), 0
	for _, entry := range entries {
		if entry.IsDir() || filepath.Ext(entry.Name()) == ".md" {
			continue
		}
		terminal := &terminal{stderr: io.Discard, env: func(string) (string, bool) { return "", false }}
		plan, err := terminal.planGateway(t.Context(), []string{filepath.Join(corpus, entry.Name())}, dir)
		if err != nil {
			t.Logf("%s: %v", entry.Name(), err) // specs has tests of what can't be read
			continue
		}
		written++
		var text bytes.Buffer
		if err := initTemplate.Execute(&text, plan); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "gateway.yaml")
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(file, terminal.env); err != nil {
			t.Errorf("%s: %v", entry.Name(), err)
		}
	}
	if written < len(entries)*3/4 {
		t.Errorf("only %d of %d documents could be written for", written, len(entries))
	}
}
