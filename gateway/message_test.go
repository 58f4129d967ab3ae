package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzEdge: whatever is posted, the answer is one of the statuses that Streamable HTTP knows, and its body is JSON, or
// events, or nothing.
func FuzzEdge(f *testing.F) {
	for _, l := range listings {
		f.Add(l.message, "2025-11-25", "tools/list")
	}
	for _, text := range []string{callGetPet, "", "[]", "{", "null", `{"jsonrpc":"2.0","id":{},"method":"ping"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, `{"jsonrpc":"2.0","id":1,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}`, `{"jsonrpc":"2.0","id":1,"METHOD":"tools/list"}`} {
		f.Add(text, "", "")
	}
	f.Add(listings[3].message, "2026-07-28", "tools/list")
	g := newGateway(f, setup{})
	f.Fuzz(func(t *testing.T, body, version, method string) {
		if strings.Contains(body, "listen") {
			t.Skip("a listen is answered when it ends")
		}
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header["Mcp-Protocol-Version"] = []string{version}
		r.Header["Mcp-Method"] = []string{method}
		recorder := httptest.NewRecorder()
		g.Handler().ServeHTTP(recorder, r)
		switch recorder.Code {
		case 200, 202, 400, 404:
		default:
			t.Errorf("%d for %q", recorder.Code, body)
		}
		text := recorder.Body.Bytes()
		kind := recorder.Header().Get("Content-Type")
		if kind == "application/json" && !json.Valid(text) {
			t.Errorf("%d with a body that is not JSON: %s", recorder.Code, text)
		}
		if recorder.Code == 202 && len(text) > 0 {
			t.Errorf("202 with a body: %s", text)
		}
	})
}
