package mapping

import (
	"encoding/json"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func TestNewRequest(t *testing.T) {
	tool := &Tool{Upstream: "pets", template: template{
		method: "POST",
		base:   "https://{region}.api.example/v1",
		path:   "/pets/{id}/toys",
		segments: []slot{
			{name: "region", argument: "region", variable: true},
			{name: "id", argument: "pet_id", style: "simple"},
		},
		query: []slot{
			{name: "limit", argument: "limit", style: "form", explode: true},
			{name: "tags", argument: "tags", style: "form", explode: true},
		},
		headers: []slot{{name: "If-Match", argument: "if_match", style: "simple"}},
		cookies: []slot{{name: "session", argument: "session", style: "form"}},
		static:  []staticHeader{{"Accept-Language", config.NewSecret("en")}},
		accept:  "application/json",
		body: &bodyTemplate{mediaType: "application/json", properties: []slot{
			{name: "name", argument: "name"}, {name: "weight", argument: "weight"}, {name: "owner", argument: "owner"},
		}},
	}}
	req, err := tool.NewRequest(t.Context(), Arguments{
		"region": "eu-1", "pet_id": "a/../b c", "tags": []any{"x&y", "z"}, "if_match": `"7"`, "session": "a b",
		"name": "<Rex>", "weight": json.Number("12345678901234567890"), "owner": nil,
	})
	if err == nil {
		t.Fatal("a/../b was taken for a path")
	}
	req, err = tool.NewRequest(t.Context(), Arguments{
		"region": "eu-1", "pet_id": "a/b c", "tags": []any{"x&y", "z"}, "if_match": `"7"`, "session": "a b",
		"name": "<Rex>", "weight": json.Number("12345678901234567890"), "owner": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{req.Method, req.URL.Host, req.URL.RequestURI(), req.Header.Get("If-Match"), req.Header.Get("Cookie"),
		req.Header.Get("Content-Type"), req.Header.Get("Accept-Language"), string(body)}
	want := []string{"POST", "eu-1.api.example", "/v1/pets/a%2Fb%20c/toys?tags=x%26y&tags=z", `"7"`, "session=a%20b",
		"application/json", "en", `{"name":"<Rex>","owner":null,"weight":12345678901234567890}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if req.GetBody == nil || req.ContentLength != int64(len(body)) {
		t.Error("the body can't be rewound")
	}
}
