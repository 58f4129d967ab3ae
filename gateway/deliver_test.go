package gateway

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// Row: GetArguments() loses integers above 2^53; so would a decoded result.
func TestLargeIntegersSurviveBothWays(t *testing.T) {
	path := make(chan string, 1)
	upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path <- r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":9007199254740995}`)
	})
	_, server := serve(t, setup{upstream: upstream})
	call := strings.Replace(callGetPet, `"id":1}}`, `"id":9007199254740993}}`, 1)
	got := post(t, server, call)
	if diff := cmp.Diff("/pets/9007199254740993", <-path); diff != "" {
		t.Error(diff)
	}
	if strings.Count(got.body, "9007199254740995") != 2 {
		t.Errorf("the answer lost digits: %s", got.body)
	}
}

func TestArgumentsOfNull(t *testing.T) {
	_, server := serve(t, setup{})
	for _, arguments := range []string{`,"arguments":null`, `,"arguments":{}`, ``} {
		call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"listPets"` + arguments + `}}`
		if got := outcomeOf(t, post(t, server, call).result(t)); !got.OK {
			t.Errorf("%s: %+v", arguments, got)
		}
	}
}

// mcp-go's own validation is off: a wrong argument has the shape of every other fault.
func TestWrongArgumentIsAFault(t *testing.T) {
	_, server := serve(t, setup{})
	for name, message := range map[string]string{
		"a text for an integer": strings.Replace(callGetPet, `"id":1}}`, `"id":"x"}}`, 1),
		"nothing":               strings.Replace(callGetPet, `{"id":1}}`, `{}}`, 1),
		"a list":                strings.Replace(callGetPet, `{"id":1}}`, `[1]}`, 1),
	} {
		got := outcomeOf(t, post(t, server, message).result(t))
		if got.OK || len(got.Errors) != 1 || got.Errors[0].Code != fault.Input || got.Errors[0].Message == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestUnknownTool(t *testing.T) {
	g, server := serve(t, setup{})
	got := post(t, server, strings.Replace(callGetPet, "getPet", "getPets", 1))
	if !strings.Contains(got.body, "-32602") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if outcome := g.Call(t.Context(), "getPets", nil); outcome.OK || outcome.code() != fault.Input {
		t.Errorf("%+v", outcome)
	}
}

// Rows: a handler's error text, and a panic's, go to the client.
func TestPanicInACallStaysInside(t *testing.T) {
	g, server := serve(t, setup{})
	publishing(t, g, handMade("unfinished", `{"type":"object"}`)) // nothing is compiled behind it: calling it panics
	got := post(t, server, strings.Replace(callGetPet, "getPet", "unfinished", 1))
	outcome := outcomeOf(t, got.result(t))
	if outcome.code() != fault.Internal || strings.Contains(got.body, "nil pointer") || strings.Contains(got.body, "goroutine") {
		t.Errorf("%s", got.body)
	}
	// And one that nothing below deliver catches.
	snap := *g.snapshot.Load()
	snap.upstreams = nil
	g.snapshot.Store(&snap)
	got = post(t, server, strings.Replace(callGetPet, "getPet", "unfinished", 1))
	if outcome := outcomeOf(t, got.result(t)); outcome.code() != fault.Internal || strings.Contains(got.body, "nil pointer") {
		t.Errorf("%s", got.body)
	}
}

func TestMediaIsContentOfItsOwn(t *testing.T) {
	data := []byte{0, 1, 2, 255}
	outcome := &Outcome{OK: true, StatusCode: 200, Media: []mapping.Media{
		{Type: "image/png", Data: data}, {Type: "audio/wav", Data: data}, {Type: "application/pdf", Data: data},
	}}
	text, err := json.Marshal(toolResult("report", outcome))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Content []map[string]any }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(data)
	want := []map[string]any{
		{"type": "text", "text": `{"ok":true,"status_code":200}`},
		{"type": "image", "data": encoded, "mimeType": "image/png"},
		{"type": "audio", "data": encoded, "mimeType": "audio/wav"},
		{"type": "resource", "resource": map[string]any{"uri": "mcpgate://results/report/2", "mimeType": "application/pdf", "blob": encoded}},
	}
	if diff := cmp.Diff(want, got.Content); diff != "" {
		t.Error(diff)
	}
}

// A model pays for every \u003c.
func TestTextIsCompactAndReadable(t *testing.T) {
	outcome := &Outcome{OK: true, Data: json.RawMessage(`{ "a": "<b> & c",  "n": 1.0 }`)}
	if diff := cmp.Diff(`{"ok":true,"data":{"a":"<b> & c","n":1.0}}`, string(outcome.json())); diff != "" {
		t.Error(diff)
	}
	broken := &Outcome{OK: true, Data: json.RawMessage(`{`)}
	if got := broken.json(); !json.Valid(got) || !strings.Contains(string(got), `"ok":false`) {
		t.Errorf("%s", got)
	}
}
