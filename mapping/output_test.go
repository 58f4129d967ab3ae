package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcpgate/config"
	"mcpgate/specs"
)

// compiledOutput compiles a tool's output schema as a strict client would.
func compiledOutput(t *testing.T, tool *Tool) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(tool.OutputSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("mem:///o.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("mem:///o.json")
	if err != nil {
		t.Fatalf("%v in %s", err, tool.OutputSchema)
	}
	return schema
}

// outputTool is a tool with an output schema, whose answers the document describes with schema.
func outputTool(t *testing.T, schema specs.Schema, defs map[string]specs.Schema) *Tool {
	t.Helper()
	yes := true
	tool := &Tool{Upstream: "shop", MaxTokens: 100, responses: []specs.Response{{Status: "200",
		Content: []specs.Media{{Type: "application/json", Schema: schema}}}}}
	tool.compileOutput(&plan{entry: &config.Tool{Response: config.Response{OutputSchema: &yes}}, upstream: &config.Upstream{},
		defs: newDefinitions(&specs.Document{Defs: defs})})
	if err := VetSchema(tool.OutputSchema); err != nil {
		t.Fatal(err)
	}
	return tool
}

// Whatever an upstream answers, whatever was promised, and however much of it is cut: what the model gets fits the
// schema that the client was shown.
func TestOutputIsAsPromised(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	promised := 0
	for range 800 {
		defs := map[string]specs.Schema{"A": randomSchema(random, 3), "B": randomSchema(random, 3)}
		tool := outputTool(t, randomSchema(random, 4), defs)
		schema := compiledOutput(t, tool)
		body := []byte(compactJSON(randomValue(random, 4)))
		tool.MaxTokens = 15 + random.IntN(100)
		result, err := tool.Shape(t.Context(), []Page{{Status: 200, Header: http.Header{}, MediaType: "application/json", Body: body}})
		if err != nil {
			t.Fatal(err)
		}
		if result.Note == "" {
			promised++
		}
		outcome := fmt.Sprintf(`{"ok":true,"status_code":200,"data":%s}`, result.Data)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(outcome)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%s\ndoes not fit %s\n%v", outcome, tool.OutputSchema, err)
		}
		if len(result.Data) > tool.MaxTokens*bytesPerToken {
			t.Fatalf("%d bytes of %d tokens", len(result.Data), tool.MaxTokens)
		}
	}
	if promised < 250 {
		t.Errorf("only %d of 800 answers kept their shape", promised)
	}
}

func randomSchema(random *rand.Rand, depth int) specs.Schema {
	kinds := []string{"object", "array", "string", "integer", "number", "boolean"}
	kind := kinds[random.IntN(len(kinds))]
	if depth <= 0 {
		kind = kinds[2+random.IntN(4)]
	}
	inner := func() map[string]any { return map[string]any(randomSchema(random, depth-1)) }
	switch random.IntN(8) {
	case 0:
		return specs.Schema{"$ref": "#/$defs/" + string(rune('A'+random.IntN(2)))}
	case 1:
		return specs.Schema{[]string{"oneOf", "anyOf", "allOf"}[random.IntN(3)]: []any{inner(), inner()}}
	}
	switch out := (specs.Schema{"type": kind}); kind {
	case "object":
		out["properties"] = map[string]any{"a": inner(), "b": inner()}
		out["required"] = []any{"a", "z"}
		out["additionalProperties"] = random.IntN(2) == 0
		return out
	case "array":
		out["items"], out["maxItems"] = inner(), json.Number("1")
		return out
	case "string":
		out["enum"], out["format"], out["maxLength"] = []any{"x", "y"}, "email", json.Number("1")
		return out
	default:
		out["maximum"] = json.Number("1")
		return out
	}
}

func randomValue(random *rand.Rand, depth int) any {
	switch kind := random.IntN(8); {
	case kind < 3 && depth > 0:
		out := map[string]any{}
		for _, key := range []string{"a", "b", "c"}[:random.IntN(4)] {
			out[key] = randomValue(random, depth-1)
		}
		return out
	case kind == 3 && depth > 0:
		out := make([]any, random.IntN(8))
		for i := range out {
			out[i] = randomValue(random, depth-1)
		}
		return out
	case kind == 4:
		return random.IntN(100)
	case kind == 5:
		return random.IntN(2) == 0
	case kind == 6:
		return nil
	}
	return string(bytes.Repeat([]byte("word "), random.IntN(40)))
}

// A schema that takes too much room is shown without its depths, and then without its data.
func TestOutputSchemaIsBounded(t *testing.T) {
	defs := map[string]specs.Schema{}
	for i := range 100 {
		properties := map[string]any{}
		for j := range 30 {
			properties[fmt.Sprintf("property%d", j)] = map[string]any{"$ref": fmt.Sprintf("#/$defs/D%d", (i*7+j)%100)}
		}
		defs[fmt.Sprintf("D%d", i)] = specs.Schema{"type": "object", "properties": properties}
	}
	tool := outputTool(t, specs.Schema{"$ref": "#/$defs/D0"}, defs)
	if len(tool.OutputSchema) > 2*maxSchema {
		t.Errorf("%d bytes", len(tool.OutputSchema))
	}
	compiledOutput(t, tool)
}

// The schema is that of the success that a call asks for: JSON before XML, a status of 2xx before the default.
func TestAnswerSchema(t *testing.T) {
	content := func(title string, types ...string) []specs.Media {
		var out []specs.Media
		for _, mediaType := range types {
			out = append(out, specs.Media{Type: mediaType, Schema: specs.Schema{"title": title + " " + mediaType}})
		}
		return out
	}
	tests := []struct {
		name      string
		responses []specs.Response
		want      any
	}{
		{"JSON after XML", []specs.Response{{Status: "200", Content: content("ok", "application/xml", "application/json")}}, "ok application/json"},
		{"XML alone", []specs.Response{{Status: "200", Content: content("ok", "text/xml")}}, "ok text/xml"},
		{"the default", []specs.Response{{Status: "404", Content: content("no", "application/json")}, {Status: "default", Content: content("any", "application/json")}}, "any application/json"},
		{"a class before the default", []specs.Response{{Status: "default", Content: content("any", "application/json")}, {Status: "2XX", Content: content("ok", "application/json")}}, "ok application/json"},
		{"a text", []specs.Response{{Status: "200", Content: content("ok", "text/plain")}}, nil},
		{"nothing", nil, nil},
	}
	for _, test := range tests {
		got := (&Tool{responses: test.responses}).answerSchema()
		if got["title"] != test.want {
			t.Errorf("%s: %v, want %v", test.name, got["title"], test.want)
		}
	}
}
