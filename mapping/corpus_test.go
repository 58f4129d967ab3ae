package mapping

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcpgate/config"
	"mcpgate/specs"
)

// TestCorpus compiles every operation of real documents.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("MCPGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI wants MCPGATE_CORPUS, the folder of published documents")
		}
		t.Skip("MCPGATE_CORPUS names no folder of OpenAPI documents, so none are compiled here")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		location := filepath.Join(dir, entry.Name())
		switch {
		case entry.Name() == "licenses" || strings.HasSuffix(entry.Name(), ".md"):
			continue
		case entry.IsDir():
			continue
		}
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			document, _, err := specs.Loader{}.Load(t.Context(), location)
			if err != nil {
				t.Fatal(err)
			}
			cfg := &config.Config{Upstreams: map[string]*config.Upstream{
				"api": {Name: "api", BaseURL: "https://api.example", Expose: "all", Response: config.Response{OutputSchema: new(true)}},
			}}
			tools, problems := Compile(cfg, map[string][]*specs.Document{"api": {document}})
			for _, p := range problems {
				t.Errorf("%s %s", p.Message, p.Hint)
			}
			if len(tools) != len(document.Operations()) {
				t.Errorf("%d of %d operations became tools", len(tools), len(document.Operations()))
			}
			vet(t, tools)
			size, largest := 0, 0
			for _, tool := range tools {
				if len(tool.InputSchema) > maxSchema {
					t.Errorf("%s: %d bytes of schema, want at most %d", tool.Name, len(tool.InputSchema), maxSchema)
				}
				if err := VetSchema(tool.OutputSchema); err != nil || len(tool.OutputSchema) > 2*maxSchema {
					t.Errorf("%s: the output schema has %d bytes, %v", tool.Name, len(tool.OutputSchema), err)
				}
				size += len(tool.InputSchema)
				largest = max(largest, len(tool.InputSchema))
			}
			t.Logf("%d tools, %d bytes of schemas, the largest %d", len(tools), size, largest)
		})
	}
}

// FuzzCompile holds that whatever can be read as a document compiles: every operation becomes a tool that clients take.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"../specs/*.yaml", "../specs/testdata/corpus/*.y*ml", "../examples/petstore/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && len(text) < 20_000 {
				f.Add(text)
			}
		}
	}
	f.Add([]byte(`{"openapi": "3.1.0", "info": {}, "paths": {"/{a}/{": {"post": {"parameters": [{"name": "[]", "in": "query",
		"schema": true}, {"name": "a", "in": "path", "schema": {"$ref": "#/components/schemas/A"}}], "requestBody": {"content":
		{"a": {}, "*/*": {"schema": {"allOf": [{"$ref": "#/components/schemas/A"}]}}}}}}},
		"components": {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}], "properties": {"a": 1}}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		name := filepath.Join(t.TempDir(), "openapi.yaml")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		document, _, err := specs.Loader{}.Load(t.Context(), name)
		if err != nil {
			t.Skip("it is no document")
		}
		tools, problems := Compile(everything(), map[string][]*specs.Document{"api": {document}})
		for _, p := range problems {
			t.Error(p.Message)
		}
		if len(tools) != len(document.Operations()) {
			t.Errorf("%d of %d operations became tools", len(tools), len(document.Operations()))
		}
		vet(t, tools)
		for _, tool := range tools {
			_, _ = tool.ParseArguments([]byte(`{"id": 1, "body": {}}`)) // a fault or not, but no panic
		}
	})
}
