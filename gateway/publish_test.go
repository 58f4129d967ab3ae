package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpgate/mapping"
)

// publishing puts tools into a gateway as loading them would.
func publishing(t testing.TB, g *Gateway, tools ...*mapping.Tool) *snapshot {
	t.Helper()
	good, _ := publishable(g.cfg, tools)
	old := g.snapshot.Load()
	snap := &snapshot{
		tools: good, byName: map[string]*mapping.Tool{}, permits: old.permits, lists: newCatalogues(g.core, old.permits),
		upstreams: old.upstreams, pulses: old.pulses, report: old.report,
	}
	for _, tool := range good {
		snap.byName[tool.Name] = tool
	}
	g.snapshot.Store(snap)
	g.publish(snap)
	return snap
}

func handMade(name, schema string) *mapping.Tool {
	return &mapping.Tool{Name: name, Title: name, Description: name, Upstream: "pets", InputSchema: json.RawMessage(schema)}
}

// Rows: one bad tool makes tools/list answer nothing for everybody; SetTools panics on a bad x-mcp-header.
func TestBadToolsAreLeftOut(t *testing.T) {
	g, server := serve(t, setup{})
	bad := []*mapping.Tool{
		handMade("broken", `{"type":"object"`),
		handMade("twice", `{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}`),
		handMade("array", `{"type":"object","properties":{"a":{"type":"array","x-mcp-header":"A"}}}`),
		handMade("space", `{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A B"}}}`),
	}
	_, problems := publishable(g.cfg, bad)
	if len(problems) != len(bad) {
		t.Fatalf("%d problems: %v", len(problems), problems)
	}
	for i, p := range problems {
		if !strings.Contains(p.Message, bad[i].Name) || p.Pos.Line == 0 {
			t.Errorf("%+v doesn't say which tool, and where", p)
		}
	}
	publishing(t, g, append(bad, handMade("good", `{"type":"object"}`))...)
	if got := names(t, post(t, server, listings[0].message)); cmp.Diff([]string{"good"}, got) != "" {
		t.Errorf("tools: %v", got)
	}
}

// names lists the tools of a tools/list.
func names(t testing.TB, list answer) []string {
	t.Helper()
	var tools struct{ Tools []struct{ Name string } }
	if err := json.Unmarshal(list.result(t), &tools); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range tools.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// Row: the schema that mcp-go holds is kept small, and clients see the whole one, byte for byte.
func TestClientsSeeTheWholeSchema(t *testing.T) {
	g, server := serve(t, setup{})
	schema := `{"type":"object","properties":{"z":{"type":"integer","maximum":9007199254740993},"a":{"type":"string"}},"required":["z"]}`
	publishing(t, g, handMade("tool", schema))
	if got := g.core.GetTool("tool").Tool.RawInputSchema; string(got) != string(anyObject) {
		t.Errorf("mcp-go holds %s", got)
	}
	cursor := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"YQ=="}}` // past the catalogue
	for _, message := range []string{listings[0].message, cursor} {
		var list struct {
			Tools []struct{ InputSchema json.RawMessage }
		}
		if err := json.Unmarshal(post(t, server, message).result(t), &list); err != nil || len(list.Tools) != 1 {
			t.Fatal(err, list)
		}
		if got := string(list.Tools[0].InputSchema); got != schema {
			t.Errorf("shown %s", got)
		}
	}
}

// Mcp-Param-* headers have to match the body where the schema asks for them, so there mcp-go needs the schema.
func TestParameterHeadersAreCompared(t *testing.T) {
	g, server := serve(t, setup{})
	publishing(t, g, handMade("tool", `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}`))
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tool","arguments":{"region":"eu"},` + modern + `}}`
	if got := postModern(t, server, "tools/call", "tool", call, "Mcp-Param-Region: us"); got.status != http.StatusBadRequest {
		t.Errorf("another value in the header: %d %s", got.status, got.body)
	}
}

// Row: a panic in a tool filter leaks a lock.
func TestPanicWhileListingLeavesNoLock(t *testing.T) {
	g, server := serve(t, setup{})
	snap := *g.snapshot.Load()
	snap.byName = map[string]*mapping.Tool{"getPet": nil} // shown(nil) panics
	snap.lists = newCatalogues(g.core, snap.permits)
	g.snapshot.Store(&snap)
	if got := post(t, server, listings[0].message); strings.Contains(got.body, "nil pointer") {
		t.Errorf("the panic's text goes out: %s", got.body)
	}
	// With the lock held, this would hang: it takes it to write.
	server2 := make(chan struct{})
	go func() {
		defer close(server2)
		g.showWhole(t.Context(), []mcp.Tool{{Name: "getPet"}})
		g.core.SetTools()
	}()
	within(t, server2, "SetTools")
}

func TestEveryToolSaysWhatItDoes(t *testing.T) {
	_, server := serve(t, setup{})
	var list struct {
		Tools []struct {
			Name, Title, Description string
			Annotations              map[string]any
		}
	}
	if err := json.Unmarshal(post(t, server, listings[0].message).result(t), &list); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]any{
		"createPet": {"title": "Create a pet", "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false, "openWorldHint": true},
		"getPet":    {"title": "Get a pet", "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
		"listPets":  {"title": "List pets", "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true},
	}
	got := map[string]map[string]any{}
	for _, tool := range list.Tools {
		got[tool.Name] = tool.Annotations
		if tool.Title == "" || tool.Description == "" {
			t.Errorf("%+v", tool)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Row: 1,000 single AddTool calls sent hundreds of notifications to one client. A change of the catalogue is one.
func TestPublishingIsOneNotification(t *testing.T) {
	g := newGateway(t, setup{})
	s := newSession(g, "listener")
	s.Initialize()
	if err := g.core.RegisterSession(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	defer g.core.UnregisterSession(t.Context(), s.id)
	var tools []*mapping.Tool
	for range 50 {
		tools = append(tools, handMade("tool"+newCallID(), `{"type":"object"}`))
	}
	publishing(t, g, tools...)
	if got := len(s.notifications); got != 1 {
		t.Errorf("%d notifications", got)
	}
	if n := <-s.notifications; n.Method != mcp.MethodNotificationToolsListChanged {
		t.Errorf("%s", n.Method)
	}
}

var _ server.ToolFilterFunc = (*Gateway)(nil).showWhole
