package mapping

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/specs"
)

// petSchema has all that an xml object can say.
var petSchema = specs.Schema{"type": "object", "xml": map[string]any{"name": "pet", "prefix": "p", "namespace": "urn:pets"},
	"properties": map[string]any{
		"id":   map[string]any{"type": "integer", "xml": map[string]any{"attribute": true}},
		"name": map[string]any{"type": "string", "xml": map[string]any{"name": "petName"}},
		"good": map[string]any{"type": "boolean"},
		"tags": map[string]any{"type": "array", "xml": map[string]any{"wrapped": true},
			"items": map[string]any{"type": "string", "xml": map[string]any{"name": "tag"}}},
		"toys": map[string]any{"type": "array", "items": map[string]any{"type": "object", "properties": map[string]any{
			"price": map[string]any{"type": "number"}}}},
	}}

func TestXMLThereAndBack(t *testing.T) {
	root := xmlRoot(nil, petSchema, true)
	const text = `{"good":true,"id":7,"name":"Rex & <Co>","tags":["a","b"],"toys":[{"price":1.50},{"price":2}]}`
	args, err := decodeArguments(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := root.write(map[string]any(args))
	if err != nil {
		t.Fatal(err)
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<p:pet xmlns:p="urn:pets" id="7"><good>true</good><petName>Rex &amp; &lt;Co&gt;</petName><tags><tag>a</tag><tag>b</tag></tags><toys><price>1.50</price></toys><toys><price>2</price></toys></p:pet>`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tool := &Tool{xmlAnswers: map[string]*xmlShape{"200": root}}
	data, ok := tool.xmlData(&Page{Status: http.StatusOK}, got)
	if !ok {
		t.Fatal("not read")
	}
	var sorted any
	if err := json.Unmarshal(data, &sorted); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	if diff := cmp.Diff(`{"good":true,"id":7,"name":"Rex & <Co>","tags":["a","b"],"toys":[{"price":1.5},{"price":2}]}`, compactJSON(sorted)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestXMLRefusesNames(t *testing.T) {
	root := &xmlShape{name: "r", kind: "object"}
	for _, key := range []string{"a b", "a><evil", "@x=\"", ""} {
		if got, err := root.write(map[string]any{key: "v"}); err == nil {
			t.Errorf("%q: %s", key, got)
		}
	}
}

func TestXMLWithoutSchema(t *testing.T) {
	for _, test := range []struct{ name, xml, want string }{
		{"text", `<a>x</a>`, `{"a":"x"}`},
		{"attributes, repetition, text between", `<r n="1"> <i>1</i><i><j/></i>k</r>`, `{"r":{"@n":"1","i":["1",{"j":""}],"#text":"k"}}`},
		{"namespaces", `<s:a xmlns:s="urn:x" s:b="1"><s:c/></s:a>`, `{"a":{"@b":"1","c":""}}`},
		{"nil", `<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>`, `{"a":null}`},
		{"CDATA and comments", `<!-- c --><a><![CDATA[<&]]></a>`, `{"a":"<&"}`},
		{"declared entities", `<!DOCTYPE a [<!ENTITY e "eeee">]><a>&e;</a>`, ""},
		{"external entities", `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>`, ""},
		{"depth", strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200), ""},
		{"count", "<a>" + strings.Repeat("<b/>", maxXMLNodes) + "</a>", ""},
		{"two roots", `<a/><b/>`, ""},
		{"not closed", `<a>`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, _ := new(Tool).xmlData(&Page{Status: http.StatusOK}, []byte(test.xml))
			if diff := cmp.Diff(test.want, string(data)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzXML: whatever an upstream sends, what is read of it is valid JSON, under every schema.
func FuzzXML(f *testing.F) {
	f.Add([]byte(`<p:pet id="x"><tags/><petName a="1">n</petName><toys/>t<id>1</id><id>2</id></p:pet>`))
	f.Add([]byte(`<r>1<a_/><a/><a _=""/></r>`))
	f.Add([]byte(`<pet><good>maybe</good><toys><price>1e999</price></toys><toys><price>-</price></toys></pet>`))
	tool := &Tool{xmlAnswers: map[string]*xmlShape{"200": xmlRoot(nil, petSchema, false)}}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, tool := range []*Tool{tool, {}} {
			if data, ok := tool.xmlData(&Page{Status: http.StatusOK}, toUTF8(body, "")); ok && !json.Valid(data) {
				t.Errorf("%s is no JSON", data)
			}
		}
	})
}
