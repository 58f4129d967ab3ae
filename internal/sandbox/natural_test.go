package sandbox

import (
	"testing"

	"mcpgate/specs"
)

// A path may name a record by something else than its id, as GitHub's do: /repos/{repo}/issues/{issue_number}.
func TestNaturalKeys(t *testing.T) {
	issues := &collection{
		name: "issues", idName: "id", idType: "integer",
		schema: specs.Schema{"required": []any{"id", "number", "state"}},
		records: []*record{
			{id: "1", fields: map[string]any{"id": 1, "number": 1347, "state": "open"}},
			{id: "1347", fields: map[string]any{"id": 1347, "number": 9, "state": "closed"}},
		},
	}
	for name, want := range map[string]string{"1": "1", "1347": "1347", "9": "1347"} {
		if r := issues.find(name, nil); r == nil || r.id != want {
			t.Errorf("find(%s) = %+v, want the record with the id %s", name, r, want)
		}
	}
	if r := issues.find("10", nil); r != nil {
		t.Errorf("find(10) = %+v, want nothing", r)
	}
	made := map[string]any{"id": 2}
	issues.promised(made, "2", issues.records[0])
	if text(made["number"]) != "1348" || made["state"] != "open" {
		t.Errorf("a new issue is %v, want number 1348 and the state of the others", made)
	}
	for path, want := range map[string]bool{"/pets/{petId}": true, "/repos/{owner}/{repo}": false, "/pets": false} {
		if got := parsePattern(path).endsInID(); got != want {
			t.Errorf("%s ends in an id: %v", path, got)
		}
	}
}
