package specs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

// TestOneBreakCostsLittle breaks one value at a time of real documents. The rest has to stay: a broken schema costs no
// operation, a broken operation no other.
func TestOneBreakCostsLittle(t *testing.T) {
	list, err := documents("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	const each = 60
	broken := 0
	for _, name := range list {
		tree := generic(t, name)
		places := allPlaces(tree, nil)
		intact := operationsOf(t, tree)
		for i := range min(each, len(places)) {
			place := places[i*len(places)/min(each, len(places))]
			if len(place) < 2 { // what makes it a document at all
				continue
			}
			broken++
			undo := breakAt(tree, place)
			left := operationsOf(t, tree)
			for _, op := range intact {
				if !slices.Contains(left, op) && !mayLose(place, op) {
					t.Errorf("%s: with #/%s broken, %s is lost", filepath.Base(name), strings.Join(place, "/"), op)
				}
			}
			undo()
		}
	}
	if broken < 300 {
		t.Errorf("only %d values were broken", broken)
	}
}

func generic(t *testing.T, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if data, err = yaml.YAMLToJSON(data); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// operationsOf loads a tree and lists its operations; what it returns is checked.
func operationsOf(t *testing.T, tree map[string]any) []string {
	t.Helper()
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	put(t, folder, "doc.json", string(data))
	doc, _, err := Loader{Dir: folder}.Load(t.Context(), "doc.json")
	if err != nil {
		t.Errorf("does not load: %v", err)
		return nil
	}
	checkRefs(t, doc)
	compileAll(t, doc)
	var list []string
	for _, op := range doc.Operations() {
		list = append(list, op.Method+" "+op.Path)
	}
	return list
}

// allPlaces are the ways to every value, keys in order.
func allPlaces(v any, at []string) [][]string {
	places := [][]string{slices.Clone(at)}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedNames(v) {
			places = append(places, allPlaces(v[key], append(at, key))...)
		}
	case []any:
		for i, item := range v {
			places = append(places, allPlaces(item, append(at, fmt.Sprint(i)))...)
		}
	}
	return places
}

// breakAt puts a value of another type at a place, and returns what puts the old one back.
func breakAt(tree any, place []string) (undo func()) {
	for _, key := range place[:len(place)-1] {
		switch owner := tree.(type) {
		case map[string]any:
			tree = owner[key]
		case []any:
			var i int
			fmt.Sscan(key, &i)
			tree = owner[i]
		}
	}
	last := place[len(place)-1]
	if owner, ok := tree.(map[string]any); ok {
		old := owner[last]
		owner[last] = otherType(old)
		return func() { owner[last] = old }
	}
	owner := tree.([]any)
	var i int
	fmt.Sscan(last, &i)
	old := owner[i]
	owner[i] = otherType(old)
	return func() { owner[i] = old }
}

func otherType(v any) any {
	switch v.(type) {
	case map[string]any:
		return "broken"
	case []any:
		return 5
	case string:
		return map[string]any{"broken": true}
	}
	return []any{"broken"}
}

// mayLose says whether an operation may be lost by what was broken: the operation itself, or what a parameter or a body
// can't be without, its own or its path's or the components'. Descriptions, schemas, answers cost nothing.
func mayLose(place []string, operation string) bool {
	last := place[len(place)-1]
	vital := slices.Contains([]string{"parameters", "requestBody", "content", "$ref", "name", "in"}, last) || isNumber(last)
	method, path, _ := strings.Cut(operation, " ")
	switch place[0] {
	case "paths":
		if place[1] != path || len(place) > 2 && !slices.Contains([]string{"parameters", "additionalOperations", strings.ToLower(method)}, place[2]) {
			return false
		}
		return len(place) <= 3 || place[2] == "additionalOperations" || vital && !slices.Contains(place, "schema")
	case "components":
		return (place[1] == "parameters" || place[1] == "requestBodies") && (len(place) <= 3 || vital)
	case "parameters": // Swagger 2.0's
		return len(place) <= 2 || vital
	}
	return false
}
