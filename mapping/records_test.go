package mapping

import (
	"os"
	"path/filepath"
	"testing"

	"mcpgate/config"
	"mcpgate/specs"
)

// A name of the document's that is no name of ours is found by the document's pointer.
func TestRecordsFindASchemaByTheDocumentsPointer(t *testing.T) {
	folder := t.TempDir()
	const text = `{openapi: 3.0.3, info: {title: T, version: "1"}, paths: {},
components: {schemas: {"a b": {type: object, description: far}, a_b: {type: string}}}}`
	if err := os.WriteFile(filepath.Join(folder, "doc.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	document, _, err := specs.Loader{Dir: folder}.Load(t.Context(), "doc.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := &record{all: []*candidate{{defs: &definitions{document: document}}}}
	for pointer, want := range map[string]string{"#/components/schemas/a b": "object", "#/components/schemas/a_b": "string", "a_b": "string"} {
		_, schema, ok := r.find(config.Path{"schema"}, pointer)
		if got := document.Resolve(schema)["type"]; !ok || got != want {
			t.Errorf("%s: %v, want %s", pointer, got, want)
		}
	}
}
