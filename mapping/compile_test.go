package mapping

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// shop is a gateway of one upstream whose tools need no document.
func shop(tools map[string]*config.Tool) *config.Config {
	return &config.Config{Upstreams: map[string]*config.Upstream{
		"shop": {Name: "shop", BaseURL: "https://shop.example/v1", Tools: tools},
	}}
}

func yes() *bool { b := true; return &b }

func compileOne(t *testing.T, tool *config.Tool) *Tool {
	t.Helper()
	tools, problems := Compile(shop(map[string]*config.Tool{"it": tool}), nil)
	for _, p := range problems {
		t.Errorf("%s: %s (%s)", p.Path, p.Message, p.Hint)
	}
	if len(tools) != 1 {
		t.Fatalf("%d tools", len(tools))
	}
	return tools[0]
}

func TestCompileRequest(t *testing.T) {
	maximum := 50.0
	tool := compileOne(t, &config.Tool{
		Request: "POST /orders/{id}/items", Description: "Adds items.",
		Arguments: map[string]*config.Argument{
			"id":        {Type: "integer", Description: "The order."},
			"filter[q]": {In: "query", Name: "query", Default: "x"},
			"limit":     {In: "query", Type: "integer", Maximum: &maximum},
			"tenant":    {In: "header", Value: "acme"},
			"sku":       {In: "body", Required: yes(), Pattern: "^[A-Z]+$"},
		},
	})
	want := `{"type":"object","properties":{"id":{"description":"The order.","type":"integer"},` +
		`"query":{"default":"x","type":"string"},"limit":{"maximum":50,"type":"integer"},` +
		`"sku":{"pattern":"^[A-Z]+$","type":"string"}},"required":["id","sku"],"additionalProperties":false}`
	if diff := cmp.Diff(want, string(tool.InputSchema)); diff != "" {
		t.Error(diff)
	}
	args, err := tool.ParseArguments(json.RawMessage(`{"id":"9007199254740993","sku":"AB","limit":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Arguments{"id": json.Number("9007199254740993"), "sku": "AB", "query": "x"}, args); diff != "" {
		t.Error(diff)
	}
	req, err := tool.NewRequest(t.Context(), args)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := req.URL.String(), "https://shop.example/v1/orders/9007199254740993/items?query=x"; got != strings.Replace(want, "query", "filter%5Bq%5D", 1) {
		t.Errorf("URL %s", got)
	}
	if got := req.Header.Get("Tenant"); got != "acme" {
		t.Errorf("tenant %q", got)
	}

	_, err = tool.ParseArguments(json.RawMessage(`{"id":true,"limit":51,"skuu":"x"}`))
	fields := fault.From(err).Fields
	wantFields := []fault.Field{
		{Path: "skuu", Message: `there is no such argument; did you mean "sku"?`},
		{Path: "id", Message: "must be an integer, not a boolean"},
		{Path: "limit", Message: "must be at most 50"},
		{Path: "sku", Message: "is required"},
	}
	if diff := cmp.Diff(wantFields, fields); diff != "" {
		t.Error(diff)
	}
}

func TestConstraintsOfAListAreItsItems(t *testing.T) {
	tool := compileOne(t, &config.Tool{Request: "GET /x", Arguments: map[string]*config.Argument{
		"fields": {In: "query", Type: "array", Items: map[string]any{"type": "string"}, Enum: []any{"id", "name"},
			Default: []any{"id"}},
	}})
	if _, err := tool.ParseArguments(json.RawMessage(`{"fields": ["name"]}`)); err != nil {
		t.Error(err)
	}
	_, err := tool.ParseArguments(json.RawMessage(`{"fields": ["name", "age"]}`))
	if got := fault.From(err).Fields; len(got) != 1 || got[0].Path != "fields[1]" {
		t.Error(err)
	}
	args, err := tool.ParseArguments(nil)
	if diff := cmp.Diff(Arguments{"fields": []any{"id"}}, args); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestTokens(t *testing.T) {
	tool := &Tool{Name: "ab", Title: "A b", Description: "Does", InputSchema: json.RawMessage(`{"type":"object"}`)}
	if got := tool.Tokens(); got != 51 { // 172 + 2 + 2*3 + 4 + 17 bytes
		t.Error(got)
	}
	tool.Description = `a<b "c"`
	if got := tool.Tokens(); got != 53 { // a\u003cb \"c\" has 10 bytes more
		t.Error(got)
	}
}
