package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// A client may hold a list from before a tool was hidden, or know it from search_tools.
func TestAToolThatIsNotListedIsCalledByItsOwnName(t *testing.T) {
	_, server := serve(t, setup{yaml: "discovery: {mode: search}\n"})
	if list := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); strings.Contains(list.body, `"name":"getPet"`) || !strings.Contains(list.body, searchTools) {
		t.Errorf("tools/list: %s", list.body)
	}
	if got := outcomeOf(t, post(t, server, callGetPet).result(t)); string(got.Data) != `{"id":1,"name":"Rex"}` {
		t.Errorf("2025-11-25: %+v", got)
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getPet","arguments":{"id":1},` + modern + `}}`
	if got := outcomeOf(t, postModern(t, server, "tools/call", "getPet", call).result(t)); string(got.Data) != `{"id":1,"name":"Rex"}` {
		t.Errorf("2026-07-28: %+v", got)
	}
}

func TestAnUnknownToolIsToldWithTheWayOut(t *testing.T) {
	call := strings.Replace(callGetPet, "getPet", "gettPet", 1)
	modernCall := strings.Replace(call, `"arguments"`, modern+`,"arguments"`, 1)
	for yaml, want := range map[string]string{
		"":                            `there is no tool \"gettPet\"; did you mean getPet? tools/list has all tools`,
		"discovery: {mode: search}\n": `there is no tool \"gettPet\"; did you mean getPet? search_tools finds tools by what they do`,
	} {
		_, server := serve(t, setup{yaml: yaml})
		for _, got := range []answer{post(t, server, call), postModern(t, server, "tools/call", "gettPet", modernCall)} {
			if got.status != http.StatusOK || !strings.Contains(got.body, `"code":-32602`) || !strings.Contains(got.body, want) {
				t.Errorf("%d %s, want %s", got.status, got.body, want)
			}
		}
		if got := postModern(t, server, "tools/call", "getPet", modernCall); got.status != http.StatusBadRequest {
			t.Errorf("another name in the header: %d %s", got.status, got.body)
		}
		long := post(t, server, strings.Replace(callGetPet, "getPet", strings.Repeat("é", 100000), 1))
		if !strings.Contains(long.body, `"code":-32602`) || len(long.body) > 1000 {
			t.Errorf("a long name: %d bytes", len(long.body))
		}
	}
}

func TestAnUnknownVersionIsAnErrorOfJSONRPC(t *testing.T) {
	_, server := serve(t, setup{})
	for _, message := range []string{callGetPet, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`} {
		got := post(t, server, message, "MCP-Protocol-Version: 1999-01-01")
		if got.status != http.StatusBadRequest || got.header.Get("Content-Type") != "application/json" ||
			!strings.Contains(got.body, `"code":-32600`) || !strings.Contains(got.body, "1999-01-01") {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}
