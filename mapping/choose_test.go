package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/specs"
)

func TestReadPattern(t *testing.T) {
	op := &specs.Operation{ID: "createCustomer", Method: "POST", Path: "/orders/{orderId}/lines", Tags: []string{"orders"}}
	for text, want := range map[string]bool{
		"createCustomer": true, "create*": true, "*Customer": true, "createcustomer": false, "create": false, "*": true,
		"POST /orders/**": true, "post /orders/{id}/lines": true, "* /orders/**": true, "GET /orders/**": false,
		"POST /orders/*": false, "POST /orders/*/lines": true, "POST /orders/{id}/lines/**": true, "POST /**": true,
		"POST /ord": false, "POST /ord**": true, "tag:orders": true, "tag:ord*": true, "tag:order": false,
	} {
		if pattern, _ := readPattern(text); pattern(op) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestWithheldAndPrefix(t *testing.T) {
	document := generated(t, 10)
	upstream := func(name string) *config.Upstream {
		return &config.Upstream{Name: name, BaseURL: "https://a.example", Include: []string{"createThing0"},
			Exclude: []string{"listThing*"}}
	}
	cfg := &config.Config{Upstreams: map[string]*config.Upstream{"a": upstream("a"), "b c": upstream("b c")}}
	empty := ""
	cfg.Upstreams["a"].Prefix = &empty
	documents := map[string][]*specs.Document{"a": {document}, "b c": {document}}
	tools, problems := Compile(cfg, documents)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var names []string
	for _, tool := range tools {
		names = append(names, tool.Name)
	}
	want := []string{"b_c_createThing0", "b_c_getThing0", "b_c_getThing1", "createThing0", "getThing0", "getThing1"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"a": 7, "b c": 7}, Withheld(cfg, documents)); diff != "" {
		t.Error(diff)
	}
}
