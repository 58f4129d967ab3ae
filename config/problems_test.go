package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files")

// Each story is a configuration that is wrong on purpose, and what its author reads. Lines of the comment that begin with
// env set variables.
func TestProblems(t *testing.T) {
	stories, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatal("no stories", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range stories {
		story = filepath.Join(here, story)
		t.Run(strings.TrimSuffix(filepath.Base(story), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(story)
			if err != nil {
				t.Fatal(err)
			}
			files, want := map[string]string{}, ""
			var inputs []txtar.File
			for _, f := range archive.Files {
				if f.Name == "problems" {
					want = string(f.Data)
					continue
				}
				files[f.Name] = string(f.Data)
				inputs = append(inputs, f)
			}
			var env []string
			for line := range strings.Lines(string(archive.Comment)) {
				if pair, ok := strings.CutPrefix(strings.TrimSpace(line), "env "); ok {
					env = append(env, pair)
				}
			}
			t.Chdir(filepath.Dir(write(t, files)))
			cfg, err := Load("gateway.yaml", variables(env...))
			if cfg != nil || err == nil {
				t.Fatal("the file was taken")
			}
			got := err.Error() + "\n"
			if *update {
				archive.Files = append(inputs, txtar.File{Name: "problems", Data: []byte(got)})
				if err := os.WriteFile(story, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			for _, secret := range []string{"s3cr3t", "sup3r", "hunter2", "abc123secret", "this-is-the-key-itself", "0123456789abcdef"} {
				if strings.Contains(got, secret) {
					t.Errorf("%q shows", secret)
				}
			}
		})
	}
}
