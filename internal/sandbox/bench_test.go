package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"mcpgate/specs"
)

// BenchmarkNew understands and seeds the largest document of the corpus, or else of the project.
func BenchmarkNew(b *testing.B) {
	file := petstore
	if corpus := os.Getenv("MCPGATE_CORPUS"); corpus != "" {
		file = filepath.Join(corpus, "box__openapi.json")
	}
	path, err := filepath.Abs(file)
	if err != nil {
		b.Fatal(err)
	}
	document, _, err := specs.Loader{}.Load(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(document.Operations())), "operations")
	for b.Loop() {
		New([]*specs.Document{document}, nil)
	}
}
