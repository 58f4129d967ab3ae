package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/internal/fault"
)

// leastShare is the share of requests that kin-openapi's validator has to accept. Most of what it refuses it can't judge:
// see its reasons in the report.
const leastShare = 0.985

// TestCorpus plays the corpus, and prints the share that is accepted.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("MCPGATE_CORPUS")
	if folder == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI wants MCPGATE_CORPUS, the folder of published documents")
		}
		t.Skip("skipped: MCPGATE_CORPUS does not name the folder of published documents")
	}
	check(t, folder, leastShare, 3000)
}

// TestShippedCorpus plays the few documents that are copied into this repository.
func TestShippedCorpus(t *testing.T) {
	check(t, filepath.Join("..", "..", "..", "specs", "testdata", "corpus"), 0.97, 150) // few requests: each counts for half a per cent
}

func check(t *testing.T, folder string, share float64, least int) {
	t.Helper()
	outcomes, err := measureAll(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report(&text, outcomes); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	total := sum(outcomes)
	fmt.Println(total) // without -v, too
	if total.loaded != total.documents {
		t.Errorf("%d documents do not load", total.documents-total.loaded)
	}
	if total.lost > 0 {
		t.Errorf("%d operations are lost", total.lost)
	}
	if total.share() < share || total.requests < least {
		t.Errorf("kin-openapi accepts %.2f %% of %d requests; %.0f %% of at least %d are wanted",
			100*total.share(), total.requests, 100*share, least)
	}
}

func TestJudgeRefuses(t *testing.T) {
	folder := t.TempDir()
	document := `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /things/{id}:
    put:
      operationId: put
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}}}}
      responses: {"204": {description: ok}}
`
	name := filepath.Join(folder, "api.yaml")
	if err := os.WriteFile(name, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	upstream := newRecorder()
	defer upstream.Close()
	o := measure(t.Context(), name, upstream)
	if o.accepted != 2 || o.requests != 2 || len(o.rejections) != 0 {
		t.Errorf("a good document: %d of %d, %v", o.accepted, o.requests, o.rejections)
	}
	// The same requests, judged by a document that wants something else.
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(document, "{type: integer}", "{type: boolean}")), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := newJudge(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.check(t.Context(), upstream.last, "/things/{id}", upstream.again); err == nil {
		t.Error("the judge accepts a number for a boolean")
	}
}

// What kin-openapi refuses as a whole is judged all the same.
func TestSoften(t *testing.T) {
	name := filepath.Join(t.TempDir(), "api.yaml")
	document := `openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /things:
    post:
      operationId: post
      requestBody: {content: {application/json: {schema: {type: object, properties: {
        gone: {$ref: '#/components/schemas/Gone'}, away: {$ref: 'https://example.com/x.json'}, pair: {type: array, items: [{type: integer}]}}}}}}
      responses: {"200": {description: ok, headers: {ETag: {$ref: '#/components/parameters/P'}}}}
components: {parameters: {P: {name: p, in: query, schema: {type: string}}}}
`
	if err := os.WriteFile(name, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loader().LoadFromFile(name); err == nil {
		t.Error("kin-openapi takes it as it is: the test says nothing")
	}
	upstream := newRecorder()
	defer upstream.Close()
	if o := measure(t.Context(), name, upstream); o.accepted != 2 || o.unjudged != nil {
		t.Errorf("%d of %d accepted, %v, %v", o.accepted, o.requests, o.unjudged, o.rejections)
	}
}

func TestDraw(t *testing.T) {
	const schema = `{"type": "object", "required": ["id", "tags", "kind"], "$defs": {"Kind": {"anyOf": [{"type": "null"}, {"const": "a"}]}},
"properties": {"id": {"type": "integer", "exclusiveMinimum": 4, "multipleOf": 5}, "kind": {"$ref": "#/$defs/Kind"},
"tags": {"type": "array", "minItems": 2, "uniqueItems": true, "items": {"type": "string", "pattern": "^[a-c]{2,3}\\d+$"}},
"when": {"type": "string", "format": "date-time"}, "short": {"type": "string", "maxLength": 3}, "size": {"type": "number", "maximum": 0.5},
"never": false, "loop": {"type": "object", "properties": {"inner": {"type": "boolean"}}}}}`
	decoder := json.NewDecoder(strings.NewReader(schema))
	decoder.UseNumber()
	var tree map[string]any
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	for all, want := range map[bool]string{
		false: `{"id":5,"kind":"a","tags":["aa1","aa11"]}`,
		true:  `{"id":5,"kind":"a","loop":{"inner":true},"short":"x","size":0.5,"tags":["aa1","aa11"],"when":"2026-01-31T12:30:00Z"}`,
	} {
		got, err := json.Marshal(draw(tree, all))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("all=%t (-want +got):\n%s", all, diff)
		}
	}
}

func TestTextFor(t *testing.T) {
	for _, pattern := range []string{
		`^[a-z0-9]{3,}$`, `^(0|[1-9][0-9]*)$`, `^[^ :]+$`, `(a|b)+c?`, `^\d{4}-\d{2}$`, `[[:upper:]]`, `^$`, `x*`, `\p{Greek}`,
	} {
		re := regexp.MustCompile(pattern)
		for more := range 4 {
			if got, ok := textFor(pattern, more); !ok || !re.MatchString(got) {
				t.Errorf("%s, %d more: %q", pattern, more, got)
			}
		}
	}
	if _, ok := textFor(`(?=a)`, 0); ok {
		t.Error("a lookahead is none of Go's")
	}
}

func TestMend(t *testing.T) {
	drawn := map[string]any{"a": map[string]any{"kind": "x", "odd": "y"}, "list": []any{map[string]any{"n": "x"}}, "gone": "z", "long": "xyz", "digits": "x"}
	changed := mend(drawn, map[string]any{"b": 1, "c": 2}, []fault.Field{
		{Path: "a.kind", Message: `must be one of "text", "image"`},
		{Path: "a.odd", Message: "must be null, not a string"},
		{Path: "list[0].n", Message: "must be 3"},
		{Path: "long", Message: "must have at most 2 characters, and has 3"},
		{Path: "digits", Message: `must match the pattern ^\d{2}$`},
		{Path: "nowhere", Message: "is required"},
		{Path: "arguments", Message: "needs b and gone, or c"},
	})
	want := map[string]any{"b": 1, "long": "xx", "digits": "11", "a": map[string]any{"kind": "text"}, "list": []any{map[string]any{"n": 3.0}}, "gone": "z"}
	if diff := cmp.Diff(want, drawn); diff != "" || !changed {
		t.Errorf("changed=%t (-want +got):\n%s", changed, diff)
	}
	if mend(drawn, nil, []fault.Field{{Path: "nowhere", Message: "is required"}}) {
		t.Error("nothing could be mended, and something was")
	}
}

func TestWithout(t *testing.T) {
	var drawn map[string]any
	if err := json.Unmarshal([]byte(`{"a": {"b": {"c": 1}, "d": 2}, "e": [{"f": 1}, {"g": 2}], "h": 3}`), &drawn); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ path, want string }{
		{"a.b.x", `{"a":{"d":2},"e":[{"f":1},{"g":2}],"h":3}`},
		{"e[1].g", `{"a":{"d":2},"e":[{"f":1},{}],"h":3}`},
		{"e[0].missing", `{"a":{"d":2},"e":[{}],"h":3}`},
		{"h", `{"a":{"d":2},"e":[{}]}`},
		{"nowhere", `{"a":{"d":2},"e":[{}]}`},
	} {
		without(drawn, pathSteps.FindAllString(step.path, -1))
		got, err := json.Marshal(drawn)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.path, diff)
		}
	}
}
