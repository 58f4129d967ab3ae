package specs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Some bundlers write {"value": {"$ref": ...}} where the reference should stand in the example's own place.
func TestExampleThatIsAReference(t *testing.T) {
	file := filepath.Join(t.TempDir(), "issues.yaml")
	document := `
openapi: 3.0.3
info: {title: Issues, version: "1"}
paths:
  /issues:
    get:
      responses:
        "200":
          description: Issues
          content:
            application/json:
              schema: {type: object}
              examples:
                bundled: {value: {$ref: "#/components/examples/issue"}}
                nowhere: {value: {$ref: "#/components/examples/gone"}}
                plain: {value: {number: 2}}
components:
  examples:
    issue: {value: {number: 1347}}
`
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	d, _, err := Loader{}.Load(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, example := range d.Operations()[0].Responses[0].Content[0].Examples {
		raw, err := json.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(raw))
	}
	if diff := cmp.Diff([]string{`{"number":1347}`, `{"number":2}`}, got); diff != "" {
		t.Error(diff)
	}
}
