package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A strict client holds every result against the schema that tools/list showed it: after a success, a failure, an answer
// that was cut, one that is not as promised, and one with nothing in it.
func TestResultsFitTheirOutputSchema(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/pets/1":
			_, _ = io.WriteString(w, `{"id":1,"name":"Rex"}`)
		case "/pets/2":
			_, _ = io.WriteString(w, `["`+strings.Repeat("many words ", 2000)+`"]`)
		case "/pets/3":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors":[{"field":"id","message":"no such pet"}]}`)
		case "/pets/4":
			_, _ = io.WriteString(w, `12`)
		case "/pets/5":
			w.Header().Set("Location", "/pets/6")
			w.WriteHeader(http.StatusNoContent)
		case "/pets/6":
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "\x89PNG\r\n\x1a\n\x00")
		}
	})
	_, server := serve(t, setup{upstream: upstream, yaml: "defaults: {response: {output_schema: true, max_tokens: 100}}\n"})
	schemas := map[string]*jsonschema.Schema{}
	for _, message := range []answer{post(t, server, listings[0].message), postModern(t, server, "tools/list", "",
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modern+`}}`)} {
		var list struct {
			Tools []struct {
				Name         string
				OutputSchema json.RawMessage
			}
		}
		if err := json.Unmarshal(message.result(t), &list); err != nil || len(list.Tools) != 3 {
			t.Fatalf("%v %s", err, message.body)
		}
		for _, tool := range list.Tools {
			schemas[tool.Name] = compileStrictly(t, tool.OutputSchema)
		}
	}
	ctx := t.Context()
	c := client.NewClient(overHTTP(server.URL)(t), client.WithProtocolVersion(mcp.ProtocolVersion20251125))
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{ClientInfo: mcp.Implementation{Name: "test", Version: "1"}}}); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, arguments := range []map[string]any{{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}, {"id": 5}, {"id": 6}, {"id": "x"}, {}} {
		seen = append(seen, callStrictly(ctx, t, c, schemas["getPet"], arguments))
	}
	want := []string{"data", "data truncated", "api.not_found", "data note", "data", "data", "input", "input"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func compileStrictly(t *testing.T, text json.RawMessage) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("mem:///schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("mem:///schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// callStrictly returns in a word what came.
func callStrictly(ctx context.Context, t *testing.T, c *client.Client, schema *jsonschema.Schema, arguments map[string]any) string {
	t.Helper()
	result, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "getPet", Arguments: arguments}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	outcome, _ := value.(map[string]any)
	var words []string
	for _, key := range []string{"data", "truncated", "note"} {
		if _, ok := outcome[key]; ok {
			words = append(words, key)
		}
	}
	if list, ok := outcome["errors"].([]any); ok {
		first, _ := list[0].(map[string]any)
		code, _ := first["code"].(string)
		words = append(words, code)
	}
	return strings.Join(words, " ")
}

// Whoever does not ask for schemas of results gets none.
func TestNoOutputSchemaByDefault(t *testing.T) {
	_, server := serve(t, setup{})
	if body := post(t, server, listings[0].message).body; strings.Contains(body, "outputSchema") {
		t.Error(body)
	}
}
