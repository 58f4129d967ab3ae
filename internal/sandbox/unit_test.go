package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/mapping"
	"mcpgate/specs"
)

func TestIncrement(t *testing.T) {
	for in, want := range map[string]string{
		"104": "105", "INV-0099": "INV-0100", "001Kp009QAC": "001Kp010QAC", "999": "1000",
		"none": "", "": "", "x18446744073709551615": "x1" + "8446744073709551616",
	} {
		got, ok := increment(in)
		if got != want || ok != (want != "") {
			t.Errorf("after %q comes %q, want %q", in, got, want)
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		have, pattern string
		want          bool
	}{
		{"alder lane", "alder%", true}, {"alder lane", "%lane", true}, {"alder lane", "%er%la%", true},
		{"alder", "a_der", true}, {"alder", "a_er", false}, {"", "%", true}, {"", "_", false}, {"ab", "ab%%", true},
		{"aaab", "%ab", true}, {"größe", "gr_ße", true}, {"a%b", "a%b", true}, {"abc", "ab", false},
	} {
		if got := like(c.have, c.pattern); got != c.want {
			t.Errorf("%q LIKE %q is %v", c.have, c.pattern, got)
		}
	}
}

func TestCompares(t *testing.T) {
	for _, c := range []struct {
		have     any
		operator string
		want     any
		holds    bool
	}{
		{json.Number("10"), ">", json.Number("9"), true},
		{json.Number("9007199254740993"), "=", json.Number("9007199254740992"), false},
		{"Open", "=", "OPEN", true},
		{map[string]any{"id": "104", "refName": "x"}, "=", json.Number("104"), true},
		{"2026-03-01T09:00:00Z", "=", mapping.Date("2026-03-01"), true},
		{"2026-03-01", ">=", "2026-02-28", true},
		{nil, "=", nil, true}, {nil, "!=", nil, false}, {"x", "!=", nil, true}, {nil, "=", "x", false},
		{nil, "IS NULL", nil, true}, {"x", "IS NOT NULL", nil, true}, {nil, "<", json.Number("1"), false},
		{"b", "IN", []any{"a", "b"}, true}, {"c", "NOT IN", []any{"a", "b"}, true},
		{true, "=", true, true}, {"abc", "NOT LIKE", "a%", false},
	} {
		if got := compares(c.have, c.operator, c.want); got != c.holds {
			t.Errorf("%v %s %v is %v", c.have, c.operator, c.want, got)
		}
	}
}

func TestSingular(t *testing.T) {
	for in, want := range map[string]string{
		"customers": "customer", "companies": "company", "addresses": "address", "status": "status", "boxes": "box",
		"pet": "pet", "analysis": "analysis", "orders": "order",
	} {
		if got := singular(in); got != want {
			t.Errorf("one of the %s is a %s, want %s", in, got, want)
		}
	}
}

// TestCanceledContext holds the sandbox to what a network would do.
func TestCanceledContext(t *testing.T) {
	u := open(t, petstore)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://x.sandbox/pet/10", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := u.s.RoundTrip(req)
	if !errors.Is(err, context.Canceled) {
		if resp != nil {
			resp.Body.Close()
		}
		t.Errorf("the error is %v", err)
	}
}

// TestManyAtOnce lets the race detector look; no id is given twice.
func TestManyAtOnce(t *testing.T) {
	u := open(t, netsuite)
	const n = 40
	places := make([]string, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			places[i] = u.send("POST /record/v1/customer", fmt.Sprintf(`{"companyName":"C%d"}`, i)).header.Get("Location")
			u.send("GET /record/v1/customer?limit=1000", "")
			u.send("PATCH /record/v1/customer/101", `{"phone":"1"}`)
		})
	}
	wait.Wait()
	seen := map[string]bool{}
	for _, place := range places {
		if place == "" || seen[place] {
			t.Errorf("the place %q came twice", place)
		}
		seen[place] = true
	}
	u.send("GET /record/v1/customer", "").is(200).says("totalResults", "50")
}

// TestSandboxIsBounded fills one up.
func TestSandboxIsBounded(t *testing.T) {
	u := open(t, "../../examples/petstore/petstore.openapi.yaml")
	u.s.count = maxRecords - 1
	u.send("POST /pets", `{"name":"a","species":"cat"}`).is(201)
	full := u.send("POST /pets", `{"name":"b","species":"cat"}`).is(507)
	if !strings.Contains(full.text, "sandbox is full") {
		t.Errorf("a full sandbox says %s", full.text)
	}
	u.send("DELETE /pets/4", "").is(204)
	u.send("POST /pets", `{"name":"b","species":"cat"}`).is(201)
	u.send("POST /pets", `{"name":"`+strings.Repeat("x", maxBody)+`","species":"cat"}`).is(413)
}

// TestPanicLeavesNoLock: the gateway turns a panic into a failed call and goes on.
func TestPanicLeavesNoLock(t *testing.T) {
	s := New(nil, nil)
	defer func() {
		if recover() == nil || !s.mu.TryLock() {
			t.Error("the sandbox is locked for ever")
		}
	}()
	(&call{sandbox: s, endpoint: &endpoint{does: list}}).locked()
}

// TestUpstreamsDoNotShare makes two of one document.
func TestUpstreamsDoNotShare(t *testing.T) {
	one, other := open(t, netsuite), open(t, netsuite)
	one.send("PATCH /record/v1/customer/101", `{"companyName":"Changed"}`).is(204)
	other.send("GET /record/v1/customer/101", "").is(200).says("companyName", "Alder Lane Bakery")
}

// TestWithoutDocument is an upstream that only its tools describe.
func TestWithoutDocument(t *testing.T) {
	tool := func(method, path string) *mapping.Tool {
		return &mapping.Tool{
			Method: method, Path: path, InputSchema: json.RawMessage(`{"properties":{"id":{"type":"integer"}}}`),
		}
	}
	u := upstream{t, New(nil, []*mapping.Tool{
		tool("GET", "/notes"), tool("POST", "/notes"), tool("GET", "/notes/{id}"), tool("PATCH", "/notes/{id}"),
		tool("PUT", "/notes/{id}"),
		tool("DELETE", "/notes/{id}"), tool("POST", "/notes/{id}/send"), tool("GET", "/ping"),
	})}
	u.send("GET /notes", "").is(200).has("", 0)
	u.send("POST /notes", `{"text":"a","tag":"x"}`).is(201).says("id", "1").says("text", "a")
	u.send("POST /notes", `{"text":"b","tag":"y"}`).is(201).says("id", "2")
	u.send("PATCH /notes/2", `{"text":"c"}`).is(200).says("text", "c")
	u.send("GET /notes?tag=y", "").is(200).has("", 1).says("0.text", "c")
	u.send("POST /notes/2/send", `{}`).is(200)
	u.send("DELETE /notes/2", "").is(204)
	u.send("GET /notes/2", "").is(404)
	u.send("POST /notes/2/send", `{}`).is(404)
	u.send("PUT /notes/9", `{"text":"d"}`).is(200).says("id", "9")
	u.send("GET /notes/9", "").is(200).says("text", "d")
	u.send("GET /ping", "").is(200)
}

// TestClock gives new records a time in the manner of the others.
func TestClock(t *testing.T) {
	u := open(t, salesforce)
	u.s.now = func() time.Time { return time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC) }
	u.send("POST /sobjects/Account", `{"Name":"x"}`).is(201)
	u.send("GET /sobjects/Account/001Ab00000Kp013QAC", "").is(200).says("CreatedDate", "2026-05-04T03:02:01.000+0000")
}

// TestRecursiveSchema ends.
func TestRecursiveSchema(t *testing.T) {
	d := definitions{
		"Node": specs.Schema{"type": "object", "required": []any{"child"}, "properties": map[string]any{
			"name": map[string]any{"type": "string"}, "child": map[string]any{"$ref": "#/$defs/Node"},
			"more": map[string]any{"type": "array", "items": map[string]any{"$ref": "#/$defs/Node"}},
		}},
		"Self": specs.Schema{"allOf": []any{map[string]any{"$ref": "#/$defs/Self"}}, "type": "object"},
		"Loop": specs.Schema{"$ref": "#/$defs/Loop"},
	}
	wide := map[string]any{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		wide[name] = map[string]any{"$ref": "#/$defs/Wide"}
	}
	d["Wide"] = specs.Schema{"type": "object", "required": []any{"a", "b", "c", "d", "e"}, "properties": wide}
	for name, most := range map[string]int{"Node": 4096, "Self": 4096, "Loop": 4096, "Wide": 20 * maxMade} {
		if got := d.generate(specs.Schema{"$ref": "#/$defs/" + name}, "", 0, 0); sizeOf(got) > most {
			t.Errorf("%s comes out as %d bytes", name, sizeOf(got))
		}
	}
}

func TestGenerateFitsTheSchema(t *testing.T) {
	d := definitions{}
	for _, c := range []struct {
		schema string
		name   string
		want   any
	}{
		{`{"type":"string","format":"email"}`, "contact", "ada.lindqvist@example.com"},
		{`{"type":"string","enum":["a","b"]}`, "x", "a"},
		{`{"type":"integer","minimum":10,"multipleOf":4}`, "x", json.Number("12")},
		{`{"type":"string","maxLength":3}`, "name", "Exa"},
		{`{"type":"string","maxLength":3}`, "größe", "grö"},
		{`{"type":"string","maxLength":-1}`, "name", "Example 1"},
		{`{"type":"number","multipleOf":5e-324}`, "x", json.Number("19.5")},
		{`{"type":["string","null"],"format":"date"}`, "x", "2026-01-03"},
		{`{"const":7}`, "x", json.Number("7")},
		{`{"type":"array","minItems":2,"items":{"type":"boolean"}}`, "x", []any{true, false}},
		{`{"oneOf":[{"type":"null"},{"type":"integer"}]}`, "id", json.Number("1")},
	} {
		var s specs.Schema
		decoder := json.NewDecoder(strings.NewReader(c.schema))
		decoder.UseNumber()
		if err := decoder.Decode(&s); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, d.generate(s, c.name, 0, 0)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.schema, diff)
		}
	}
}
