package specs

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestCorpus loads every document of the corpus; TestShippedCorpus does so for the few that are copied here.
func TestCorpus(t *testing.T) {
	for _, name := range corpus(t) {
		t.Run(filepath.Base(name), func(t *testing.T) { checkDocument(t, name) })
	}
}

func TestShippedCorpus(t *testing.T) {
	list, err := documents("testdata/corpus")
	if err != nil || len(list) < 10 {
		t.Fatalf("%d documents: %v", len(list), err)
	}
	for _, name := range list {
		t.Run(filepath.Base(name), func(t *testing.T) { checkDocument(t, name) })
	}
}

// broken are the documents of the corpus that kin-openapi refuses.
var broken = []string{"slackapi", "intercom", "apache__iceberg", "ga4gh", "own__p31"}

// checkDocument loads a document, checks its schemas, and compares it with what kin-openapi, which shares no code with
// us, reads of it.
func checkDocument(t *testing.T, name string) {
	doc, warnings, err := Loader{}.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d operations, %d schemas, %d warnings", doc.OpenAPI, len(doc.Operations()), len(doc.Defs), len(warnings))
	for _, w := range warnings {
		t.Logf("%s", w)
		if strings.Contains(w.Message, "is left out: ") {
			t.Errorf("lost: %s", w)
		}
		if w.Pos.Line == 0 || w.Pos.File == "" || w.Pos.Pointer == "" {
			t.Errorf("a warning without its place: %s", w)
		}
	}
	compileAll(t, doc)
	checkRefs(t, doc)
	theirs, err := kin(name)
	if err != nil {
		if !slices.ContainsFunc(broken, func(b string) bool { return strings.HasPrefix(filepath.Base(name), b) }) {
			t.Errorf("kin-openapi refuses it: %v", err)
		}
		return
	}
	if diff := cmp.Diff(theirs, outline(doc)); diff != "" {
		t.Errorf("not what kin-openapi reads (-kin +ours):\n%s", diff)
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
