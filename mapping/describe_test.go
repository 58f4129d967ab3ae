package mapping

import (
	"strings"
	"testing"

	"mcpgate/config"
	"mcpgate/specs"
)

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		op   specs.Operation
		want string
	}{
		{specs.Operation{Method: "GET", Path: "/pets", Responses: []specs.Response{{Status: "200", Description: "All *pets*"}}},
			"GET /pets: All *pets*"},
		{specs.Operation{Summary: "Lists pets"}, "Lists pets"},
		{specs.Operation{Summary: "List pets", Description: "Lists all the pets."}, "Lists all the pets."},
		{specs.Operation{Summary: "List pets", Description: "A page at a time."}, "List pets. A page at a time."},
		{specs.Operation{Summary: "Old", Deprecated: true}, "Deprecated. Old"},
		{specs.Operation{Description: "# Pets\n\nAll **pets** <br/>&amp; [toys](http://x.example/y).\n\n> [!NOTE]\n> Not `cats`.\n"},
			"All pets & toys. Note: Not `cats`."},
		{specs.Operation{Description: "Send `Authorization: Bearer <token>`, 1 < 2.\x00"}, "Send `Authorization: Bearer <token>`, 1 < 2."},
		{specs.Operation{Description: "One.\n## Errors\nNone. ![logo](data:x) <img src=x>"}, "One. Errors: None."},
	} {
		if got := describe(&test.op); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

func TestCutText(t *testing.T) {
	for _, test := range []struct {
		in    string
		limit int
		want  string
	}{
		{"short", 10, "short"},
		{"One sentence here. And another one", 24, "One sentence here."},
		{"no sentence ends anywhere here", 16, "no sentence…"},
		{strings.Repeat("é", 10), 12, "éééé…"},
		{"long", 0, ""},
	} {
		if got := cut(test.in, test.limit); got != test.want || len(got) > test.limit {
			t.Errorf("cut(%q, %d) = %q", test.in, test.limit, got)
		}
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"listPets": "List pets", "SensorService_CreateSensor": "Sensor service create sensor", "get_HTTP_log": "Get HTTP log",
		"repos/get-content": "Repos get content", "": "", "v2Items": "V2 items",
	} {
		if got := words(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestAnnotations(t *testing.T) {
	no := false
	for _, test := range []struct {
		method string
		entry  config.Annotations
		want   Annotations
	}{
		{"GET", config.Annotations{}, Annotations{ReadOnly: true, Idempotent: true, OpenWorld: true}},
		{"POST", config.Annotations{}, Annotations{OpenWorld: true}},
		{"PUT", config.Annotations{}, Annotations{Destructive: true, Idempotent: true, OpenWorld: true}},
		{"PATCH", config.Annotations{}, Annotations{Destructive: true, OpenWorld: true}},
		{"DELETE", config.Annotations{Idempotent: &no}, Annotations{Destructive: true, OpenWorld: true}},
		{"PUT", config.Annotations{ReadOnly: yes(), OpenWorld: &no}, Annotations{ReadOnly: true, Idempotent: true}},
	} {
		if got := annotations(test.method, test.entry); got != test.want {
			t.Errorf("%s: %+v", test.method, got)
		}
	}
}
