package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const argumentsSchema = `{
  "type": "object",
  "properties": {
    "text": {"type": "string"},
    "count": {"type": "integer"},
    "ratio": {"type": "number"},
    "flag": {"type": "boolean"},
    "maybe": {"type": ["integer", "null"]},
    "either": {"type": ["integer", "string"]},
    "tags": {"type": "array", "items": {"type": "string"}},
    "ids": {"type": "array", "items": {"$ref": "#/$defs/a~1b"}},
    "one_or_many": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "owner": {"$ref": "#/$defs/Owner"},
    "loop": {"$ref": "#/$defs/Loop"},
    "any": {},
    "yes": true,
    "odd:": {"type": "integer"}
  },
  "$defs": {
    "a/b": {"allOf": [{"type": "integer"}]},
    "Owner": {"type": "object", "properties": {"name": {"type": "string"}}},
    "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}]}
  }
}`

func TestParsePairs(t *testing.T) {
	for pairs, want := range map[string]string{
		"text=7":                      `{"text":"7"}`,
		"text=":                       `{"text":""}`,
		"text=a=b":                    `{"text":"a=b"}`,
		`text:="raw"`:                 `{"text":"raw"}`,
		"count=7":                     `{"count":7}`,
		"count= 7":                    `{"count":7}`,
		"count=9007199254740993":      `{"count":9007199254740993}`,
		"count=seven":                 `{"count":"seven"}`, // the tool's validation says what is allowed
		"count=1.5":                   `{"count":"1.5"}`,
		"ratio=1":                     `{"ratio":1}`,
		"ratio=1e3":                   `{"ratio":1e3}`,
		"flag=true":                   `{"flag":true}`,
		"flag=yes":                    `{"flag":"yes"}`,
		"maybe=null":                  `{"maybe":null}`,
		"either=007":                  `{"either":"007"}`,
		"tags=a":                      `{"tags":["a"]}`,
		"tags=a|tags=b":               `{"tags":["a","b"]}`,
		`tags=["a","b"]`:              `{"tags":["a","b"]}`,
		"tags=[a":                     `{"tags":["[a"]}`,
		"ids=1|ids=2":                 `{"ids":[1,2]}`,
		"one_or_many=a":               `{"one_or_many":"a"}`,
		"one_or_many=a|one_or_many=b": `{"one_or_many":["a","b"]}`,
		`owner={"name": "Ann"}`:       `{"owner":{"name":"Ann"}}`,
		`owner:={"name": "Ann"}`:      `{"owner":{"name":"Ann"}}`,
		"loop=1":                      `{"loop":"1"}`,
		"any=1":                       `{"any":"1"}`,
		"any:=1":                      `{"any":1}`,
		"yes=1":                       `{"yes":"1"}`,
		"odd:=7":                      `{"odd:":7}`, // the argument's own name wins over :=
		"":                            `{}`,
	} {
		var list []string
		if pairs != "" {
			list = strings.Split(pairs, "|")
		}
		got, err := parsePairs(json.RawMessage(argumentsSchema), list)
		if err != nil {
			t.Errorf("%s: %v", pairs, err)
		} else if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s:\n%s", pairs, diff)
		}
	}
}

func TestParsePairsRefuses(t *testing.T) {
	for pair, want := range map[string]string{
		"text":      `"text" is not an argument`,
		"=7":        `"=7" is not an argument`,
		":=7":       `":=7" is not an argument`,
		"txt=7":     `did you mean "text"?`,
		"zebra=7":   `it has: any, count, either,`,
		"count:=7a": `count:= takes JSON, and "7a" is none`,
	} {
		if _, err := parsePairs(json.RawMessage(argumentsSchema), []string{pair}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pair, err, want)
		}
	}
	if _, err := parsePairs(json.RawMessage(`{"type": "object"}`), []string{"a=b"}); err == nil ||
		!strings.Contains(err.Error(), "the tool takes no arguments") {
		t.Errorf("without arguments: %v", err)
	}
}

// Whatever is typed, the result is JSON, with every text in it that was given for a string.
func FuzzParsePairs(f *testing.F) {
	f.Add("text", "a\x00\"b")
	f.Add("count", "1e9999")
	f.Add("tags", "[1,")
	f.Fuzz(func(t *testing.T, key, value string) {
		got, err := parsePairs(json.RawMessage(argumentsSchema), []string{key + "=" + value})
		if err != nil {
			return
		}
		var decoded map[string]any
		if err := json.Unmarshal(got, &decoded); err != nil {
			t.Fatalf("%s=%s became %s: %v", key, value, got, err)
		}
		if text, ok := decoded["text"].(string); key == "text" && (!ok || text != strings.ToValidUTF8(value, "\uFFFD")) && !strings.Contains(value, "\xef\xbf\xbd") {
			// encoding/json writes one U+FFFD for each bad byte, ToValidUTF8 one for each run of them.
			if strings.ReplaceAll(text, "\uFFFD", "") != strings.ToValidUTF8(value, "") {
				t.Fatalf("text=%q became %q", value, text)
			}
		}
	})
}
