package specs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad reads arbitrary bytes as a document and as its neighbour. Whatever they are, an error names the file, and of
// a document that loads every $ref leads into Defs, every schema is JSON Schema, and every warning has a place.
func FuzzLoad(f *testing.F) {
	stories, err := filepath.Glob("testdata/view/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, story := range stories {
		archive, err := txtar.ParseFile(story)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data, archive.Files[1].Data)
	}
	for _, name := range []string{"nexmo__media.yml", "own__p31.yaml", "own__p32.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata/corpus", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte("{}"))
	}
	f.Add([]byte("openapi: 3.1.0\npaths: {/a: {$ref: n.yaml}}"), []byte("get: {parameters: [{$ref: 'n.yaml#/get/parameters/0'}]}"))
	f.Add([]byte("a: &a {<<: *a}\nswagger: '2.0'"), []byte("&b [*b]"))
	f.Fuzz(func(t *testing.T, document, neighbour []byte) {
		folder := t.TempDir()
		for name, data := range map[string][]byte{"doc.yaml": document, "n.yaml": neighbour} {
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		doc, warnings, err := Loader{Dir: folder, MaxBytes: 1 << 20}.Load(t.Context(), "doc.yaml")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "doc.yaml") && !strings.HasPrefix(err.Error(), "n.yaml") {
				t.Errorf("the error does not begin with a file's name: %v", err)
			}
			return
		}
		for _, w := range warnings {
			if w.Pos.File == "" || w.Pos.Line == 0 {
				t.Errorf("a warning without its place: %s", w)
			}
		}
		checkRefs(t, doc)
		compileAll(t, doc)
		for _, op := range doc.Operations() {
			if op.Method == "" || !strings.HasPrefix(op.Path, "/") {
				t.Errorf("an operation without method or path: %q %q", op.Method, op.Path)
			}
		}
	})
}
