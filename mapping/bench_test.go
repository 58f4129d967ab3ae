package mapping

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mcpgate/config"
	"mcpgate/specs"
)

// generated is a document with n operations over n/5 record types, which refer to each other.
func generated(t testing.TB, n int) *specs.Document {
	t.Helper()
	paths, schemas := map[string]any{}, map[string]any{}
	for i := range n / 5 {
		ref := map[string]any{"$ref": fmt.Sprintf("#/components/schemas/Thing%d", i)}
		next := map[string]any{"$ref": fmt.Sprintf("#/components/schemas/Thing%d", (i+1)%(n/5))}
		body := map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": ref}}}
		ok := map[string]any{"200": map[string]any{"description": "Fine", "content": map[string]any{
			"application/json": map[string]any{"schema": ref}}}}
		id := map[string]any{"name": "id", "in": "path", "required": true, "schema": map[string]any{"type": "string"}}
		limit := map[string]any{"name": "limit", "in": "query", "description": "How many at most.",
			"schema": map[string]any{"type": "integer", "maximum": 100}}
		operation := func(verb string, more map[string]any) map[string]any {
			more["operationId"] = fmt.Sprintf("%sThing%d", verb, i)
			more["summary"] = fmt.Sprintf("%s a thing of kind %d", verb, i)
			more["responses"] = ok
			return more
		}
		paths[fmt.Sprintf("/things%d", i)] = map[string]any{
			"get":  operation("list", map[string]any{"parameters": []any{limit}}),
			"post": operation("create", map[string]any{"requestBody": body}),
		}
		paths[fmt.Sprintf("/things%d/{id}", i)] = map[string]any{
			"get":    operation("get", map[string]any{"parameters": []any{id}}),
			"put":    operation("replace", map[string]any{"parameters": []any{id}, "requestBody": body}),
			"delete": operation("delete", map[string]any{"parameters": []any{id}}),
		}
		properties := map[string]any{"next": map[string]any{"type": "string", "description": "The one after it."}}
		if i%10 != 0 { // chains of ten
			properties["next"] = next
		}
		for j := range 8 {
			properties[fmt.Sprintf("field%d", j)] = map[string]any{"type": "string", "maxLength": 100 + j,
				"description": fmt.Sprintf("What the **field** %d of a thing says.", j)}
		}
		schemas[fmt.Sprintf("Thing%d", i)] = map[string]any{"type": "object", "required": []any{"field0"},
			"properties": properties}
	}
	text, err := json.Marshal(map[string]any{
		"openapi": "3.0.3", "info": map[string]any{"title": "Things", "version": "1"},
		"servers": []any{map[string]any{"url": "https://things.example"}},
		"paths":   paths, "components": map[string]any{"schemas": schemas},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "things.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	document, _, err := specs.Loader{}.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// everything is a gateway of one upstream that exposes all of its document.
func everything() *config.Config {
	return &config.Config{Upstreams: map[string]*config.Upstream{
		"api": {Name: "api", BaseURL: "https://api.example", Expose: "all"},
	}}
}

func BenchmarkCompile(b *testing.B) {
	document := generated(b, 1000)
	documents := map[string][]*specs.Document{"api": {document}}
	for b.Loop() {
		tools, problems := Compile(everything(), documents)
		if len(tools) != 1000 || len(problems) > 0 {
			b.Fatalf("%d tools, %v", len(tools), problems)
		}
	}
}

func BenchmarkParseArguments(b *testing.B) {
	tools, _ := Compile(everything(), map[string][]*specs.Document{"api": {generated(b, 10)}})
	tool := find(tools, "replaceThing1")
	raw := json.RawMessage(`{"id":"7","field0":"a","field1":"b","next":{"field0":"c"}}`)
	for b.Loop() {
		if _, err := tool.ParseArguments(raw); err != nil {
			b.Fatal(err)
		}
	}
}
