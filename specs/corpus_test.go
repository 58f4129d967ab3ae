package specs

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// corpus returns the documents of $MCPGATE_CORPUS, a folder of published API descriptions.
func corpus(t testing.TB) []string {
	t.Helper()
	folder := os.Getenv("MCPGATE_CORPUS")
	if folder == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI wants MCPGATE_CORPUS, the folder of published documents")
		}
		t.Skip("skipped: MCPGATE_CORPUS does not name the folder of published documents")
	}
	list, err := documents(folder)
	if err != nil || len(list) == 0 {
		t.Fatalf("no documents in %s: %v", folder, err)
	}
	return list
}

// documents lists what may be a whole document: files that others refer to are none.
func documents(folder string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(name)) {
			return nil
		}
		if filepath.Dir(name) == filepath.Clean(folder) || strings.HasPrefix(filepath.Base(name), "openapi.") {
			list = append(list, name)
		}
		return nil
	})
	return list, err
}

func TestCorpusLoads(t *testing.T) {
	for _, name := range corpus(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			doc, warnings, err := Loader{}.Load(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d operations, %d schemas, %d warnings", doc.OpenAPI, len(doc.Operations()), len(doc.Defs), len(warnings))
			for _, w := range warnings {
				t.Logf("%s", w)
			}
			compileAll(t, doc)
		})
	}
}

// compileAll checks every schema of a document against JSON Schema 2020-12.
func compileAll(t testing.TB, doc *Document) {
	t.Helper()
	defs := map[string]any{}
	for name, s := range doc.Defs {
		defs[name] = map[string]any(s)
	}
	root := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": defs}
	var all []any
	eachSchema(doc, func(s Schema) { all = append(all, map[string]any(s)) })
	root["prefixItems"] = append(all, map[string]any{})
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(anyPattern)
	if err := c.AddResource("mem:doc", root); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile("mem:doc"); err != nil {
		t.Errorf("the schemas do not compile: %v", err)
	}
}

// eachSchema calls f for every schema that an operation has.
func eachSchema(doc *Document, f func(Schema)) {
	content := func(list []Media) {
		for _, m := range list {
			if m.Schema != nil {
				f(m.Schema)
			}
		}
	}
	for _, op := range doc.Operations() {
		for _, p := range op.Parameters {
			f(p.Schema)
		}
		if op.Body != nil {
			content(op.Body.Content)
		}
		for _, response := range op.Responses {
			content(response.Content)
		}
	}
}
