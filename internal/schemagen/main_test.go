package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The shipped schema and reference are what go generate makes of the source.
func TestGeneratedFilesAreUpToDate(t *testing.T) {
	dir := t.TempDir()
	schema, page := filepath.Join(dir, "schema.json"), filepath.Join(dir, "reference.md")
	if err := run("../../config", schema, page); err != nil {
		t.Fatal(err)
	}
	for made, shipped := range map[string]string{schema: "../../config/gateway.schema.json", page: "../../docs/reference.md"} {
		want, err := os.ReadFile(made)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(shipped)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is out of date: run go generate ./config\n%s", shipped, diff)
		}
	}
}

func TestProseSpeaksOfKeys(t *testing.T) {
	s := &structure{fields: []field{{name: "Enum", key: "enum"}, {name: "AdminKey", key: "admin_key"}, {name: "Default", key: "default"}}}
	for _, c := range []struct{ name, doc, want string }{
		{"Argument", "Argument lets the model choose among Enum, and only these.", "Lets the model choose among `enum`, and only these."},
		{"Admin", "Admin is the address of\n/debug. AdminKey guards it.", "The address of /debug. `admin_key` guards it."},
		{"Prefix", "Prefix stands before a name. Default: none.", "Stands before a name. Default: none."},
		{"Token", "Token of type bearer.", "Token of type bearer."},
		{"SHA256", "SHA256 is made by `echo $Enum`.", "Made by `echo $Enum`."},
	} {
		if got := s.prose(c.doc, c.name); got != c.want {
			t.Errorf("prose(%q)\n got %q\nwant %q", c.doc, got, c.want)
		}
	}
}

func TestEveryKeyHasADescription(t *testing.T) {
	m, err := readModel("../../config")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range m.structs {
		for _, f := range s.fields {
			if f.doc == "" && (m.structs[f.typ] == nil || m.structs[f.typ].doc == "") {
				t.Errorf("%s.%s has no doc comment", s.name, f.name)
			}
		}
	}
	if page := string(m.reference()); strings.Contains(page, "| `unsafe` | boolean | `false` |") == false {
		t.Error("the reference has no row for retry.unsafe")
	}
}

// Every link of the reference leads to a heading of it.
func TestReferenceLinks(t *testing.T) {
	m, err := readModel("../../config")
	if err != nil {
		t.Fatal(err)
	}
	page, headings := string(m.reference()), map[string]bool{}
	for line := range strings.Lines(page) {
		if title, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			headings[strings.TrimSuffix(strings.TrimPrefix(link("", title), "[](#"), ")")] = true
		}
	}
	for _, part := range strings.Split(page, "](#")[1:] {
		if anchor, _, _ := strings.Cut(part, ")"); !headings[anchor] {
			t.Errorf("there is no heading %q", anchor)
		}
	}
}
