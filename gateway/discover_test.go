package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

const searchMode = "discovery: {mode: search}\n"

// callTo is a tools/call of one of the finders, or of any tool.
func callTo(name, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, arguments)
}

// listed returns the tools that a client is shown, by name.
func listed(t testing.TB, server *httptest.Server) map[string]json.RawMessage {
	t.Helper()
	var list struct{ Tools []json.RawMessage }
	if err := json.Unmarshal(post(t, server, listings[0].message).result(t), &list); err != nil {
		t.Fatal(err)
	}
	tools := map[string]json.RawMessage{}
	for _, raw := range list.Tools {
		var tool struct{ Name string }
		if err := json.Unmarshal(raw, &tool); err != nil {
			t.Fatal(err)
		}
		tools[tool.Name] = raw
	}
	return tools
}

func TestWhatClientsAreShown(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		{"all fit", "", "createPet getPet listPets"},
		{"direct", "discovery: {mode: direct, budget_tokens: 1}\n", "createPet getPet listPets"},
		{"search", searchMode, "call_tool describe_tool search_tools"},
		{"search with a pin", "discovery: {mode: search, pin: [getPet]}\n", "call_tool describe_tool getPet search_tools"},
		{"auto over its budget", "discovery: {budget_tokens: 10, pin: [listPets]}\n", "call_tool describe_tool listPets search_tools"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, server := serve(t, setup{yaml: tt.yaml})
			if diff := cmp.Diff(tt.want, strings.Join(sortedNames(listed(t, server)), " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func sortedNames(tools map[string]json.RawMessage) []string {
	var names []string
	for name := range tools {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// A call through call_tool is a call of the tool: the same request, the same outcome, the same counts and log.
func TestCallToolIsTheToolsOwnCall(t *testing.T) {
	for _, tt := range []struct{ name, tool, arguments string }{
		{"a result", "getPet", `{"id":9007199254740993}`},
		{"no arguments", "listPets", `{}`},
		{"a wrong argument", "getPet", `{"id":"x"}`},
		{"a missing argument", "getPet", `{}`},
		{"an argument that isn't one", "listPets", `{"limits":1}`},
		{"over the maximum", "listPets", `{"limit":1000}`},
		{"a failure of the API", "createPet", `{"name":"Rex"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen []string
			upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				seen = append(seen, r.Method+" "+r.URL.String()+" "+string(body))
				w.Header().Set("Content-Type", "application/json")
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusConflict)
				}
				_, _ = io.WriteString(w, `{"id":9007199254740993,"message":"there is one"}`)
			})
			var log bytes.Buffer
			g, server := serve(t, setup{yaml: "discovery: {mode: search, pin: [getPet, listPets, createPet]}\n", upstream: upstream,
				options: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
			if len(g.Finders()) != 0 {
				t.Error("everything is pinned, so there is nothing to find")
			}
			want := outcomeOf(t, post(t, server, callTo(tt.tool, tt.arguments)).result(t))
			wantSeen, wantLog := seen, varying.ReplaceAllString(log.String(), "")

			seen = nil
			log.Reset()
			g, server = serve(t, setup{yaml: searchMode, upstream: upstream,
				options: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
			got := outcomeOf(t, post(t, server, callTo("call_tool", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tt.tool, tt.arguments))).result(t))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("by its own name (-), through call_tool (+):\n%s", diff)
			}
			if diff := cmp.Diff(wantSeen, seen); diff != "" {
				t.Errorf("what was sent: %s", diff)
			}
			if diff := cmp.Diff(wantLog, varying.ReplaceAllString(log.String(), "")); diff != "" {
				t.Errorf("what was logged: %s", diff)
			}
			if calls := g.health().Upstreams["pets"].Calls; calls != 1 {
				t.Errorf("%d calls are counted", calls)
			}
		})
	}
}

// varying is what differs between two lines of the log that say the same.
var varying = regexp.MustCompile(`(time|call|duration)=\S+ ?`)

// Models write what they mean in several ways.
func TestCallToolForgives(t *testing.T) {
	_, server := serve(t, setup{yaml: searchMode})
	for _, arguments := range []string{
		`{"name":"listPets"}`, `{"name":"listPets","arguments":null}`, `{"name":"listPets","arguments":{}}`,
		`{"name":"getPet","arguments":"{\"id\": 1}"}`, `{"name":"getPet","arguments":{"id":"1"}}`,
	} {
		if got := outcomeOf(t, post(t, server, callTo("call_tool", arguments)).result(t)); !got.OK {
			t.Errorf("%s: %+v", arguments, got)
		}
	}
}

// Both kinds of protocol, and a session, reach a tool that is not listed.
func TestCallToolOverEveryProtocol(t *testing.T) {
	g, server := serve(t, setup{yaml: searchMode})
	call := callTo("call_tool", `{"name":"getPet","arguments":{"id":1}}`)
	modernCall := strings.Replace(call, `"params":{`, `"params":{`+modern+`,`, 1)
	var out bytes.Buffer
	if err := g.ServeStdio(t.Context(), strings.NewReader(call+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	for _, got := range []answer{
		post(t, server, call), postModern(t, server, "tools/call", "call_tool", modernCall), {body: out.String()},
	} {
		if got := outcomeOf(t, got.result(t)); !got.OK || string(got.Data) != `{"id":1,"name":"Rex"}` {
			t.Errorf("%+v", got)
		}
	}
}

func TestFindersRefuse(t *testing.T) {
	_, server := serve(t, setup{yaml: searchMode})
	for _, tt := range []struct{ tool, arguments, message, hint string }{
		{"call_tool", `{"name":"getPets"}`, `there is no tool "getPets"`, "did you mean getPet, listPets"},
		{"describe_tool", `{"name":"petGet"}`, `there is no tool "petGet"`, "did you mean getPet"},
		{"describe_tool", `{"name":"xyzzy"}`, `there is no tool "xyzzy"`, "search_tools finds tools by what they do"},
		{"call_tool", `{"name":"call_tool","arguments":{"name":"getPet"}}`, "call_tool is called by its own name, not through another tool", ""},
		{"call_tool", `{"name":"getPet","id":1}`, "the arguments don't fit: id: there is no such argument; there are arguments, name", ""},
		{"call_tool", `{}`, "the arguments don't fit: name: is required", ""},
		{"call_tool", `{"name":"getPet","arguments":[1]}`, "the arguments don't fit: arguments: ", ""},
		{"search_tools", `{}`, "the arguments don't fit: query: is required", ""},
		{"search_tools", `{"query":""}`, "the arguments don't fit: query: ", ""},
		{"search_tools", `{"query":"pets","limit":0}`, "the arguments don't fit: limit: ", ""},
	} {
		got := outcomeOf(t, post(t, server, callTo(tt.tool, tt.arguments)).result(t))
		if got.OK || len(got.Errors) != 1 || got.Errors[0].Code != fault.Input ||
			!strings.HasPrefix(got.Errors[0].Message, tt.message) || !strings.HasPrefix(got.Errors[0].Hint, tt.hint) ||
			len(got.Errors[0].Fields) != 1 {
			t.Errorf("%s %s: %+v", tt.tool, tt.arguments, got)
		}
	}
}

func TestSearchAndDescribe(t *testing.T) {
	_, server := serve(t, setup{yaml: "discovery: {mode: search, pin: [listPets]}\n"})
	ask := func(tool, arguments string) string {
		t.Helper()
		got := outcomeOf(t, post(t, server, callTo(tool, arguments)).result(t))
		if !got.OK || got.StatusCode != 0 {
			t.Errorf("%s %s: %+v", tool, arguments, got)
		}
		return string(got.Data)
	}
	for _, tt := range []struct{ tool, arguments, want string }{
		{"search_tools", `{"query":"read one pet","limit":1}`,
			`{"tools":[{"name":"getPet","title":"Get a pet","description":"Returns one pet by its id.","required":["id"],"read_only":true}]}`},
		{"search_tools", `{"query":"list the pets","limit":1}`,
			`{"tools":[{"name":"listPets","title":"List pets","read_only":true,"listed":true}]}`},
		{"search_tools", `{"query":"invoices"}`,
			`{"tools":[],"hint":"no tool fits; try the words that the API may use: what is done, and to which thing","there_are":{"pets":{"pets":3}}}`},
		{"describe_tool", `{"name":"getPet"}`,
			`{"name":"getPet","title":"Get a pet","description":"Returns one pet by its id.","upstream":"pets","request":"GET /pets/{id}",` +
				`"annotations":{"readOnlyHint":true,"destructiveHint":false,"idempotentHint":true,"openWorldHint":true},` +
				`"input_schema":{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"],"additionalProperties":false}}`},
	} {
		if diff := cmp.Diff(tt.want, ask(tt.tool, tt.arguments)); diff != "" {
			t.Errorf("%s %s: %s", tt.tool, tt.arguments, diff)
		}
	}
}

// A name in several APIs' tools, and a search of one API alone.
func TestSearchOfOneUpstream(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pets.yaml"), petstore)
	write(t, filepath.Join(dir, "gateway.yaml"), "discovery: {mode: search}\nupstreams:\n"+
		"  a: {spec: pets.yaml, base_url: 'sandbox:'}\n  b: {spec: pets.yaml, base_url: 'sandbox:'}\n")
	cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(t.Context(), cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for arguments, want := range map[string]string{
		`{"query":"list pets","limit":2}`: `{"tools":[{"name":"a_listPets","title":"List pets","upstream":"a","read_only":true},` +
			`{"name":"b_listPets","title":"List pets","upstream":"b","read_only":true}]}`,
		`{"query":"list pets","limit":1,"upstream":"b"}`: `{"tools":[{"name":"b_listPets","title":"List pets","read_only":true}]}`,
		`{"query":"xyzzy","upstream":"b"}`: `{"tools":[],"hint":"no tool fits; try the words that the API may use: what is done, and to which thing",` +
			`"there_are":{"b":{"pets":2}}}`,
	} {
		if diff := cmp.Diff(want, string(g.Call(t.Context(), "search_tools", json.RawMessage(arguments)).Data)); diff != "" {
			t.Errorf("%s: %s", arguments, diff)
		}
	}
	got := g.Call(t.Context(), "search_tools", json.RawMessage(`{"query":"pets","upstream":"c"}`))
	if got.OK || got.Errors[0].Code != fault.Input || got.Errors[0].Fields[0].Path != "upstream" {
		t.Errorf("%+v", got)
	}
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := g.Call(context.Background(), "search_tools", json.RawMessage(`{"query":"pets"}`)); got.OK || got.Errors[0].Code != fault.Unavailable {
		t.Errorf("a gateway that is closed searches: %+v", got)
	}
}

// A picture of a tool that was found is named after the tool.
func TestMediaThroughCallTool(t *testing.T) {
	upstream := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/zip")
		_, _ = io.WriteString(w, "PK\x03\x04\xff\xfe")
	})
	_, server := serve(t, setup{yaml: searchMode, upstream: upstream})
	got := post(t, server, callTo("call_tool", `{"name":"getPet","arguments":{"id":1}}`))
	if !strings.Contains(got.body, `"uri":"mcpgate://results/getPet/0"`) {
		t.Error(got.body)
	}
}

// What call_tool may do is the worst that a tool behind it does; a client asks the person by it.
func TestCallToolsAnnotationsAreHonest(t *testing.T) {
	hints := func(yaml string) string {
		_, server := serve(t, setup{yaml: yaml})
		var tool struct{ Annotations json.RawMessage }
		if err := json.Unmarshal(listed(t, server)["call_tool"], &tool); err != nil {
			t.Fatal(err)
		}
		return string(tool.Annotations)
	}
	writes := `{"title":"Call a tool","readOnlyHint":false,"destructiveHint":true,"idempotentHint":false,"openWorldHint":true}`
	if diff := cmp.Diff(writes, hints(searchMode)); diff != "" {
		t.Error(diff)
	}
	// A tool that is listed can be called through it, too.
	if diff := cmp.Diff(writes, hints("discovery: {mode: search, pin: [createPet]}\n")); diff != "" {
		t.Error(diff)
	}
	reads := []*mapping.Tool{{Name: "a", Annotations: mapping.Annotations{ReadOnly: true, Idempotent: true}}}
	finders, err := newFinders(reads)
	if err != nil {
		t.Fatal(err)
	}
	for _, finder := range finders {
		if diff := cmp.Diff(mapping.Annotations{ReadOnly: true, Idempotent: true}, finder.Annotations); diff != "" {
			t.Errorf("%s: %s", finder.Name, diff)
		}
	}
}

// Whatever there is to find, what the finders cost is bounded, and clients take them.
func TestFindersOfManyTools(t *testing.T) {
	var tools []*mapping.Tool
	for i := range 3000 {
		tools = append(tools, &mapping.Tool{Name: fmt.Sprint("t", i), Upstream: fmt.Sprint("api", i%7), Path: "/x",
			Tags: []string{fmt.Sprint("An area of many words ", i%500)}})
	}
	finders, err := newFinders(tools)
	if err != nil {
		t.Fatal(err)
	}
	tokens := 0
	for _, finder := range finders {
		tokens += finder.Tokens()
	}
	if good, problems := publishable(&config.Config{}, finders); len(good) != 3 || len(problems) > 0 {
		t.Errorf("%v", problems)
	}
	if tokens > 1000 || !strings.Contains(finders[0].Description, "3000 tools") || !strings.Contains(finders[0].Description, "more areas") {
		t.Errorf("%d tokens: %s", tokens, finders[0].Description)
	}
	if !strings.Contains(string(finders[0].InputSchema), `"enum":["api0",`) {
		t.Errorf("%s", finders[0].InputSchema)
	}
}

func TestInstructionsTellOfWhatIsHidden(t *testing.T) {
	const said = "instructions: Ask first.\n"
	const more = "Only 1 of this server's 3 tools are listed. Find the others with search_tools, read their arguments with describe_tool, and call them with call_tool."
	for _, tt := range []struct{ name, yaml, want string }{
		{"nothing hidden", said, "Ask first."},
		{"nothing said", "discovery: {mode: search, pin: [getPet]}\n", more},
		{"both", said + "discovery: {mode: search, pin: [getPet]}\n", "Ask first.\n\n" + more},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, server := serve(t, setup{yaml: tt.yaml})
			initialize := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",`+
				`"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`)
			discover := postModern(t, server, "server/discover", "", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{`+modern+`}}`)
			for _, got := range []answer{initialize, discover} {
				var result struct{ Instructions string }
				if err := json.Unmarshal(got.result(t), &result); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, result.Instructions); diff != "" {
					t.Errorf("%s: %s", got.body, diff)
				}
			}
		})
	}
}

// What the budget counts is what a client gets.
func TestBudgetCountsTheList(t *testing.T) {
	for _, yaml := range []string{"", searchMode, "discovery: {mode: search, pin: [createPet]}\n"} {
		g, server := serve(t, setup{yaml: yaml})
		for _, tt := range listings {
			size, counted := len(post(t, server, tt.message, tt.headers...).result(t)), 4*g.Report().Division.Tokens
			if size > counted+200 || counted > size+100 { // what is around the tools
				t.Errorf("%s %s: the list has %d bytes, %d are counted", yaml, tt.name, size, counted)
			}
		}
	}
}

// Who shows more than the budget is told at load, at the place of it.
func TestOverBudgetIsAWarning(t *testing.T) {
	for yaml, want := range map[string]string{
		"":                                   "",
		"discovery: {mode: direct}\n":        "",
		"discovery: {budget_tokens: 1000}\n": "",
		"discovery: {mode: direct, budget_tokens: 1}\n":           `^discovery\.mode direct shows all tools, which take about \d+ tokens of a model's context, over budget_tokens \(1\)$`,
		"discovery: {budget_tokens: 1, pin: [getPet]}\n":          `^what discovery\.pin shows, and the tools that find the others, take about \d+ tokens`,
		"discovery: {mode: search, budget_tokens: 12, pin: []}\n": `^what discovery\.pin shows`,
	} {
		g := newGateway(t, setup{yaml: yaml})
		warnings := g.Report().Warnings
		switch {
		case want == "" && len(warnings) > 0:
			t.Errorf("%s: %v", yaml, warnings)
		case want != "" && (len(warnings) != 1 || !regexp.MustCompile(want).MatchString(warnings[0].Message) || warnings[0].Pos.Line != 4):
			t.Errorf("%s: %+v", yaml, warnings)
		}
	}
}
