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
			document, _, err := specs.Loader{}.Load(t.Context(), location)
			if err != nil {
				t.Fatal(err)
			}
			cfg := &config.Config{Upstreams: map[string]*config.Upstream{
				"api": {Name: "api", BaseURL: "https://api.example", Expose: "all"},
			}}
			tools, problems := Compile(cfg, map[string][]*specs.Document{"api": {document}})
			for _, p := range problems {
				t.Errorf("%s %s", p.Message, p.Hint)
			}
			if len(tools) != len(document.Operations()) {
				t.Errorf("%d of %d operations became tools", len(tools), len(document.Operations()))
			}
			vet(t, tools)
			bytes, largest := 0, 0
			for _, tool := range tools {
				bytes += len(tool.InputSchema)
				largest = max(largest, len(tool.InputSchema))
			}
			t.Logf("%d tools, %d bytes of schemas, the largest %d", len(tools), bytes, largest)
		})
	}
}
