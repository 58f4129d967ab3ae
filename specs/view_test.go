package specs

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is there now as what is wanted")

// TestView plays the stories of testdata/view: the files of a document, the neutral view of it, and its warnings. The
// first file is the document.
func TestView(t *testing.T) {
	stories, err := filepath.Glob("testdata/view/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, story := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(story), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(story)
			if err != nil {
				t.Fatal(err)
			}
			folder, main := unpack(t, archive)
			doc, warnings, err := Loader{Dir: folder}.Load(t.Context(), main)
			if err != nil {
				t.Fatal(err)
			}
			compileAll(t, doc)
			checkRefs(t, doc)
			got := map[string]string{"view.json": view(t, doc), "warnings": lines(warnings)}
			if *update {
				write(t, story, archive, got)
				return
			}
			for _, f := range archive.Files {
				if want, ok := got[f.Name]; ok {
					if diff := cmp.Diff(string(f.Data), want); diff != "" {
						t.Errorf("%s (-want +got):\n%s", f.Name, diff)
					}
				}
			}
		})
	}
}

// unpack writes the document's files into a folder and returns the name of the first.
func unpack(t *testing.T, archive *txtar.Archive) (folder, main string) {
	t.Helper()
	folder = t.TempDir()
	for _, f := range archive.Files {
		if f.Name == "view.json" || f.Name == "warnings" {
			continue
		}
		if main == "" {
			main = f.Name
		}
		name := filepath.Join(folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder, main
}

func write(t *testing.T, story string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		if _, ok := got[f.Name]; !ok {
			out.Files = append(out.Files, f)
		}
	}
	for _, name := range []string{"view.json", "warnings"} {
		out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	if err := os.WriteFile(story, txtar.Format(out), 0o600); err != nil {
		t.Fatal(err)
	}
}

func lines(warnings []Warning) string {
	var b strings.Builder
	for _, w := range warnings {
		b.WriteString(w.String() + " (" + w.Pos.Pointer + ")\n")
	}
	return b.String()
}

// view writes a document as indented JSON without what is empty.
func view(t *testing.T, doc *Document) string {
	t.Helper()
	data, err := json.Marshal(struct {
		*Document
		Operations []*Operation
	}{doc, doc.Operations()})
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(withoutEmpty(tree)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// withoutEmpty drops the zero values of Go fields, whose names have capital letters; those of schemas stay.
func withoutEmpty(v any) any {
	switch t := v.(type) {
	case map[string]any:
		for key, item := range t {
			item = withoutEmpty(item)
			t[key] = item
			zero := item == nil || item == "" || item == false || item == json.Number("0")
			if key == "Pos" || zero && key[0] >= 'A' && key[0] <= 'Z' {
				delete(t, key)
			}
		}
	case []any:
		for i, item := range t {
			t[i] = withoutEmpty(item)
		}
	}
	return v
}

// checkRefs checks that every $ref in every schema leads into Defs.
func checkRefs(t testing.TB, doc *Document) {
	t.Helper()
	var check func(v any)
	check = func(v any) {
		switch v := v.(type) {
		case Schema:
			check(map[string]any(v))
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if _, ok := doc.Defs[strings.TrimPrefix(ref, refPrefix)]; !ok {
					t.Errorf("%q leads nowhere", ref)
				}
			}
			for key, item := range v {
				switch key {
				case "enum", "const", "default", "examples": // data
				case "properties", "patternProperties", "dependentSchemas":
					for _, inner := range item.(map[string]any) {
						check(inner)
					}
				default:
					check(item)
				}
			}
		case []any:
			for _, item := range v {
				check(item)
			}
		}
	}
	for _, s := range doc.Defs {
		check(s)
	}
	eachSchema(doc, func(s Schema) { check(s) })
}
