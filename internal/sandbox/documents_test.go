package sandbox

import (
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestShippedDocumentsAreValid holds the documents that are written here to more than is asked of anybody else's:
// the validator of kin-openapi, which checks every example against its schema too.
func TestShippedDocumentsAreValid(t *testing.T) {
	files, err := filepath.Glob("../../specs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents in specs: %v", err)
	}
	examples, err := filepath.Glob("../../examples/*/*.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, examples...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			doc, err := openapi3.NewLoader().LoadFromFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
				t.Error(err)
			}
		})
	}
}
