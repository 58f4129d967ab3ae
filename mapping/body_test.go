package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/internal/fault"
	"mcpgate/specs"
)

func TestBody(t *testing.T) {
	whole := func(mediaType string) *bodyTemplate { return &bodyTemplate{mediaType: mediaType, whole: "body"} }
	big := json.Number("12345678901234567890")
	tests := map[string]struct {
		body      *bodyTemplate
		args      Arguments
		want      string
		mediaType string
	}{
		"JSON of any kind": {
			whole("application/json"), Arguments{"body": map[string]any{"b": big, "a": []any{nil, true, "</x>"}}},
			`{"a":[null,true,"</x>"],"b":12345678901234567890}`, "application/json"},
		"an array":       {whole("application/json-patch+json"), Arguments{"body": []any{}}, `[]`, "application/json-patch+json"},
		"a single value": {whole("application/json"), Arguments{"body": "x"}, `"x"`, "application/json"},
		"null as a body": {whole("application/json"), Arguments{"body": nil}, `null`, "application/json"},
		"any type":       {whole("*/*"), Arguments{"body": map[string]any{}}, `{}`, "application/json"},
		"no body":        {whole("application/json"), Arguments{}, "", ""},
		"a null that deletes": {
			&bodyTemplate{mediaType: "application/merge-patch+json", properties: []slot{{name: "phone", argument: "phone"}, {name: "x", argument: "x"}}},
			Arguments{"phone": nil}, `{"phone":null}`, "application/merge-patch+json"},
		"an optional body with nothing in it": {
			&bodyTemplate{mediaType: "application/json", properties: []slot{{name: "x", argument: "x"}}}, Arguments{}, "", ""},
		"a required body with nothing in it": {
			&bodyTemplate{mediaType: "application/json", required: true, properties: []slot{{name: "x", argument: "x"}}},
			Arguments{}, "{}", "application/json"},
		"text":                         {whole("text/plain"), Arguments{"body": "ä\n"}, "ä\n", "text/plain; charset=utf-8"},
		"XML":                          {whole("application/xml"), Arguments{"body": "<a/>"}, "<a/>", "application/xml"},
		"YAML is JSON":                 {whole("application/yaml"), Arguments{"body": map[string]any{"a": big}}, `{"a":12345678901234567890}`, "application/yaml"},
		"a value a line":               {whole("application/x-ndjson"), Arguments{"body": []any{big, map[string]any{"a": "\n"}}}, "12345678901234567890\n{\"a\":\"\\n\"}\n", "application/x-ndjson"},
		"bytes":                        {whole("application/octet-stream"), Arguments{"body": "AAEC/w=="}, "\x00\x01\x02\xff", "application/octet-stream"},
		"bytes, unpadded and for URLs": {whole("application/pdf"), Arguments{"body": "AAEC_w"}, "\x00\x01\x02\xff", "application/pdf"},
		"bytes as a data: URL":         {whole("image/*"), Arguments{"body": "data:image/png;base64,AAEC/w=="}, "\x00\x01\x02\xff", "image/png"},
		"a form": {
			&bodyTemplate{mediaType: "application/x-www-form-urlencoded", properties: []slot{
				{name: "amount", argument: "amount"}, {name: "expand", argument: "expand"}, {name: "gone", argument: "gone"},
				{name: "metadata", argument: "metadata"}, {name: "card", argument: "card"}, {name: "tags", argument: "tags"}},
				encoding: map[string]specs.Encoding{"metadata": {Style: "deepObject", Explode: true}, "tags": {Style: "form"}}},
			Arguments{"amount": big, "expand": []any{"a b", "c&d"}, "metadata": map[string]any{"k": map[string]any{"x": true}},
				"card": map[string]any{"n": json.Number("1")}, "tags": []any{"a", "b"}, "gone": nil},
			"amount=12345678901234567890&card=%7B%22n%22%3A1%7D&expand=a%20b&expand=c%26d&metadata%5Bk%5D%5Bx%5D=true&tags=a,b",
			"application/x-www-form-urlencoded"},
		"a form as a whole": {whole("application/x-www-form-urlencoded"), Arguments{"body": map[string]any{"a": "é"}}, "a=%C3%A9", "application/x-www-form-urlencoded"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, mediaType, err := test.body.encode(test.args)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{test.want, test.mediaType}, []string{string(got), mediaType}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLiteralBody(t *testing.T) {
	b := &bodyTemplate{mediaType: "application/json",
		literal: map[string]any{
			"query":     "query($id: ID!) { pet(id: $id) {name} }",
			"variables": map[string]any{"id": "{id}", "first": "{first}", "note": "for {who}: {id}"},
			"filter":    map[string]any{"kind": "{kind}"},
			"list":      []any{"{kind}", "{id}", json.Number("1"), "a{b"},
			"empty":     map[string]any{},
			"company":   "{company}",
		},
		properties: []slot{{name: "id", argument: "pet_id"}, {name: "first", argument: "first"}, {name: "who", argument: "who"},
			{name: "kind", argument: "kind"}, {name: "company", value: "acme"}},
	}
	tests := []struct {
		args Arguments
		want string
	}{
		{Arguments{"pet_id": json.Number("12345678901234567890"), "first": nil, "who": "a\"b", "kind": []any{"x"}},
			`{"company":"acme","empty":{},"filter":{"kind":["x"]},"list":[["x"],12345678901234567890,1,"a{b"],` +
				`"query":"query($id: ID!) { pet(id: $id) {name} }",` +
				`"variables":{"first":null,"id":12345678901234567890,"note":"for a\"b: 12345678901234567890"}}`},
		{Arguments{}, `{"company":"acme","empty":{},"list":[1,"a{b"],"query":"query($id: ID!) { pet(id: $id) {name} }"}`},
	}
	for _, test := range tests {
		got, _, err := b.encode(test.args)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMultipart(t *testing.T) {
	b := &bodyTemplate{mediaType: "multipart/form-data", properties: []slot{
		{name: "file", argument: "file", binary: true}, {name: "photos", argument: "photos", binary: true},
		{name: "meta", argument: "meta"}, {name: "note", argument: "note"}, {name: "ids", argument: "ids"}, {name: "csv", argument: "csv"},
	}, encoding: map[string]specs.Encoding{"csv": {ContentType: "text/csv"}, "photos": {ContentType: "image/jpeg, image/*"}}}
	tool := &Tool{template: template{method: "POST", base: "https://api.example", path: "/upload", body: b}}
	args := Arguments{
		"file": "data:application/pdf;base64,JVBERi0=", "photos": []any{"AAE=", "AgM="}, "meta": map[string]any{"a": json.Number("1.0")},
		"note": "ä\r\n--x", "ids": []any{json.Number("1"), json.Number("2")}, "csv": "a,b",
	}
	req, err := tool.NewRequest(t.Context(), args)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		`csv "" text/csv: a,b`,
		`file "file.pdf" application/pdf: %PDF-`,
		`ids "" : 1`, `ids "" : 2`,
		`meta "" application/json: {"a":1.0}`,
		"note \"\" : ä\r\n--x",
		"photos \"photos.jpg\" image/jpeg: \x00\x01", "photos \"photos.jpg\" image/jpeg: \x02\x03",
	}, readParts(t, req)); diff != "" {
		t.Error(diff)
	}
	again, err := tool.NewRequest(t.Context(), args)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(req.Header, again.Header); diff != "" {
		t.Error("the same call makes another request: ", diff)
	}
}

// readParts reads a multipart body as a server would.
func readParts(t *testing.T, req *http.Request) []string {
	t.Helper()
	reader, err := req.MultipartReader()
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, fmt.Sprintf("%s %q %s: %s", part.FormName(), part.FileName(), part.Header.Get("Content-Type"), data))
	}
}

func TestBodiesThatCanNotBe(t *testing.T) {
	binary := &bodyTemplate{mediaType: "multipart/form-data", properties: []slot{{name: "f", argument: "upload", binary: true}}}
	tests := map[string]struct {
		body *bodyTemplate
		args Arguments
		want string
	}{
		"no base64":        {&bodyTemplate{mediaType: "image/png", whole: "body"}, Arguments{"body": "not base64!"}, "body must be base64: it stands for bytes"},
		"no base64 either": {&bodyTemplate{mediaType: "image/png", whole: "body"}, Arguments{"body": "data:text/plain,x"}, "body must be base64: it stands for bytes"},
		"a part":           {binary, Arguments{"upload": "*"}, "upload must be base64: it stands for bytes"},
		"parts of a text": {&bodyTemplate{mediaType: "multipart/form-data", whole: "body"}, Arguments{"body": "x"},
			"body must be an object: each property is a part of the body"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := test.body.encode(test.args)
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzMultipart: a value or a name that looks like a boundary or a header does not leave its part.
func FuzzMultipart(f *testing.F) {
	f.Add("a", "b\r\n--x--\r\n")
	f.Add("a\"\r\nX: y", "")
	f.Fuzz(func(t *testing.T, name, value string) {
		body, mediaType, err := (&bodyTemplate{mediaType: "multipart/form-data", whole: "body"}).encode(Arguments{
			"body": map[string]any{name: value, name + "2": "x"}})
		if err != nil {
			t.Fatal(err)
		}
		_, boundary, _ := strings.Cut(mediaType, "boundary=")
		reader := multipart.NewReader(strings.NewReader(string(body)), boundary)
		var values []string
		for {
			part, err := reader.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return // a name with control characters, which no header can hold: refused by readers, never misread
			}
			data, err := io.ReadAll(part)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, string(data))
		}
		if !slices.Equal(values, []string{value, "x"}) {
			t.Errorf("%q came back as %q", value, values)
		}
	})
}
