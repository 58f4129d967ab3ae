package specs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// large writes a document of GitHub's size: about 1,100 operations and 10 MB.
func large(b *testing.B, name string) string {
	b.Helper()
	folder := b.TempDir()
	var doc strings.Builder
	doc.WriteString(`{"openapi": "3.0.3", "info": {"title": "large", "version": "1"}, "paths": {`)
	for i := range 1100 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"/things/%d/{id}": {"get": {"operationId": "get%d", "summary": "Gets one", "parameters": [
{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}, {"$ref": "#/components/parameters/page"}],
"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/S%d"},
"examples": {"a": {"$ref": "#/components/examples/e%d"}}}}}}}}`, i, i, i, i)
	}
	doc.WriteString(`}, "components": {"parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"}}}, "schemas": {`)
	for i := range 1100 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"S%d": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/S%d"}`, i, (i+1)%1100)
		for j := range 40 {
			fmt.Fprintf(&doc, `, "p%d": {"type": "string", "nullable": true, "description": "The property of this number.", "example": "one"}`, j)
		}
		doc.WriteString("}}")
	}
	doc.WriteString(`}, "examples": {`)
	for i := range 1100 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"e%d": {"value": {"id": 1, "text": %q}}`, i, strings.Repeat("some text ", 300))
	}
	doc.WriteString("}}}")
	if err := os.WriteFile(filepath.Join(folder, name), []byte(doc.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return filepath.Join(folder, name)
}

// BenchmarkLoad reads a document of GitHub's size; JSON in a file called .yaml is read as JSON all the same.
func BenchmarkLoad(b *testing.B) {
	name := large(b, "openapi.json")
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		doc, _, err := Loader{}.Load(b.Context(), name)
		if err != nil || len(doc.Operations()) != 1100 {
			b.Fatal(err)
		}
	}
}
