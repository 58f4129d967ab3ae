package mapping

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

func forgiving(t *testing.T) *Tool {
	least := 1.0
	return compileOne(t, &config.Tool{Request: "POST /x", Arguments: map[string]*config.Argument{
		"text":   {In: "query"},
		"count":  {In: "query", Type: "integer", Minimum: &least},
		"ratio":  {In: "query", Type: "number"},
		"flag":   {In: "query", Type: "boolean"},
		"list":   {In: "body", Type: "array", Items: map[string]any{"type": "integer"}},
		"object": {In: "body", Type: "object"},
	}})
}

func TestParseArgumentsForgives(t *testing.T) {
	tool := forgiving(t)
	for raw, want := range map[string]Arguments{
		``:                                 {},
		`null`:                             {},
		` {} `:                             {},
		`{"text": null}`:                   {},
		`{"count": "5"}`:                   {"count": json.Number("5")},
		`{"count": 1e2}`:                   {"count": json.Number("1e2")},
		`{"ratio": "0.50"}`:                {"ratio": json.Number("0.50")},
		`{"flag": "true"}`:                 {"flag": true},
		`{"list": "[1, 2]"}`:               {"list": []any{json.Number("1"), json.Number("2")}},
		`{"object": "{\"a\": null}"}`:      {"object": map[string]any{"a": nil}},
		`{"text": 12345678901234567890.0}`: {"text": "12345678901234567890.0"},
		`{"text": "5"}`:                    {"text": "5"},
	} {
		got, err := tool.ParseArguments(json.RawMessage(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestParseArgumentsRefuses(t *testing.T) {
	tool := forgiving(t)
	for raw, want := range map[string]string{
		`[]`:                                "the arguments must be one JSON object: they begin with [",
		`{} {}`:                             "the arguments must be one JSON object: something follows the object",
		`{"text"`:                           "the arguments must be one JSON object: unexpected EOF",
		`{"count": 0}`:                      "the arguments don't fit: count: must be at least 1",
		`{"count": "five"}`:                 "the arguments don't fit: count: must be an integer, not a string",
		`{"count": 1.5}`:                    "the arguments don't fit: count: must be an integer, not a number",
		`{"list": ["a"]}`:                   "the arguments don't fit: list[0]: must be an integer, not a string",
		`{"text": true}`:                    "the arguments don't fit: text: must be a string, not a boolean",
		`{"flagg": true}`:                   `the arguments don't fit: flagg: there is no such argument; did you mean "flag"?`,
		`{"count": 1e999999999}`:            "the arguments don't fit: count: has a number that is out of all bounds",
		`{"object": {"a": [1e-999999999]}}`: "the arguments don't fit: object: has a number that is out of all bounds",
	} {
		_, err := tool.ParseArguments(json.RawMessage(raw))
		if !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v is no input fault", raw, err)
			continue
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestMisfitNamesAtMostTen(t *testing.T) {
	raw := map[string]any{}
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		raw[name] = 1
	}
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	_, err = forgiving(t).ParseArguments(text)
	if f := fault.From(err); len(f.Fields) != 10 || !strings.HasSuffix(f.Message, "; and 6 more") {
		t.Errorf("%d fields: %s", len(f.Fields), f.Message)
	}
}
