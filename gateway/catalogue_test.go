package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpgate/mapping"
)

// listings are tools/list requests of both kinds of protocol that the catalogue answers.
var listings = []struct {
	name, message string
	headers       []string
}{
	{"2025-11-25", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, []string{"Mcp-Protocol-Version: 2025-11-25"}},
	{"2025-11-25 with params", `{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{}}`, nil},
	{"2025-11-25 with progress", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"progressToken":1}}}`, nil},
	{"2026-07-28", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + modern + `}}`,
		[]string{"Mcp-Protocol-Version: 2026-07-28", "Mcp-Method: tools/list"}},
}

// Row: tools/list is marshalled anew each time. The catalogue's bytes are mcp-go's own, byte for byte.
func TestCatalogueAnswersAsMCPGoDoes(t *testing.T) {
	g := newGateway(t, setup{})
	for _, tt := range listings {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			for _, h := range tt.headers {
				name, value, _ := strings.Cut(h, ": ")
				header.Set(name, value)
			}
			msg, bad := parseMessage([]byte(tt.message))
			if bad != nil {
				t.Fatal(bad)
			}
			got, ok := g.snapshot.Load().lists.of(t.Context()).answer(msg, header)
			if !ok {
				t.Fatal("the catalogue has no answer")
			}
			want := mcpGoAnswer(t, g, tt.message, header)
			if diff := cmp.Diff(string(want), string(slices.Concat(got...))); diff != "" {
				t.Errorf("mcp-go (-) and the catalogue (+) differ:\n%s", diff)
			}
			if strings.HasPrefix(tt.name, "2026") && !bytes.Contains(slices.Concat(got...), []byte(`"ttlMs":0,"cacheScope":"private"`)) {
				t.Errorf("no cache hints: %s", got)
			}
		})
	}
}

// mcpGoAnswer asks mcp-go's own HTTP server, past the edge.
func mcpGoAnswer(t testing.TB, g *Gateway, message string, header http.Header) []byte {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(message))
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	server.NewStreamableHTTPServer(g.core, server.WithStateLess(true)).ServeHTTP(recorder, r)
	if recorder.Code != http.StatusOK {
		t.Fatalf("mcp-go: %d %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.Bytes()
}

// What is odd about a request is mcp-go's to answer.
func TestCatalogueLeavesOddRequestsAlone(t *testing.T) {
	g := newGateway(t, setup{})
	header := http.Header{"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/list"}}
	tests := []struct {
		name, message string
		header        http.Header
	}{
		{"another method", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, http.Header{}},
		{"a notification", `{"jsonrpc":"2.0","method":"tools/list"}`, http.Header{}},
		{"a cursor", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"Z2V0UGV0"}}`, http.Header{}},
		{"a bad cursor", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7}}`, http.Header{}},
		{"params that are none", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}`, http.Header{}},
		{"an unknown version", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, http.Header{"Mcp-Protocol-Version": {"1999-01-01"}}},
		{"no capabilities", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, header},
		{"the version in the header alone", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, header},
		{"the version in the message alone", listings[3].message, http.Header{}},
		{"no Mcp-Method", listings[3].message, http.Header{"Mcp-Protocol-Version": {"2026-07-28"}}},
	}
	for _, tt := range tests {
		msg, bad := parseMessage([]byte(tt.message))
		if bad != nil {
			t.Fatal(bad)
		}
		if got, ok := g.snapshot.Load().lists.of(t.Context()).answer(msg, tt.header); ok {
			t.Errorf("%s: answered with %s", tt.name, got)
		}
	}
}

// A cursor is nothing that we hand out, but mcp-go's kind works.
func TestListFromACursor(t *testing.T) {
	_, server := serve(t, setup{})
	got := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"Z2V0UGV0"}}`) // getPet
	var list struct{ Tools []mcp.Tool }
	if err := json.Unmarshal(got.result(t), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Tools) != 1 || list.Tools[0].Name != "listPets" || len(list.Tools[0].InputSchema.Properties) != 1 {
		t.Errorf("after getPet: %s", got.body)
	}
	if got := post(t, server, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"%%%"}}`); !strings.Contains(got.body, "-32602") {
		t.Errorf("a bad cursor: %s", got.body)
	}
}

// The id comes back as the client wrote it, even where a float64 would lose its digits.
func TestListKeepsTheID(t *testing.T) {
	_, server := serve(t, setup{})
	for _, id := range []string{`"a b"`, `0`, `-1`, `9007199254740993`} {
		got := post(t, server, `{"jsonrpc":"2.0","id":`+id+`,"method":"tools/list"}`)
		if !strings.HasPrefix(got.body, `{"jsonrpc":"2.0","id":`+id+`,"result":`) {
			t.Errorf("id %s: %.60s", id, got.body)
		}
	}
}

// manyTools is a gateway with n tools of about 1.5 KB each, without upstreams to call.
func manyTools(b *testing.B, n int) *Gateway {
	b.Helper()
	g := newGateway(b, setup{})
	snap := &snapshot{byName: map[string]*mapping.Tool{}, permits: &permits{}, lists: newCatalogues(g.core, &permits{})}
	schema := json.RawMessage(`{"type":"object","properties":{"filter":{"type":"string","description":"` + strings.Repeat("What to look for. ", 70) + `"}}}`)
	for i := range n {
		t := &mapping.Tool{Name: fmt.Sprintf("tool_%04d", i), Title: "A tool", Description: "Does something useful.", InputSchema: schema}
		snap.tools = append(snap.tools, t)
		snap.byName[t.Name] = t
	}
	old := g.snapshot.Load()
	snap.upstreams, snap.pulses, snap.report = old.upstreams, old.pulses, old.report
	g.snapshot.Store(snap)
	g.publish(snap)
	return g
}

// counter is an http.ResponseWriter that throws the body away.
type counter struct {
	header  http.Header
	written int
}

func (c *counter) Header() http.Header {
	if c.header == nil {
		c.header = http.Header{}
	}
	return c.header
}
func (c *counter) WriteHeader(int)             {}
func (c *counter) Write(p []byte) (int, error) { c.written += len(p); return len(p), nil }

// BenchmarkToolsList compares a tools/list of 1,000 tools through the edge with mcp-go's own, and reports the ratio.
func BenchmarkToolsList(b *testing.B) {
	g := manyTools(b, 1000)
	for _, tt := range []struct {
		name, message string
		headers       http.Header
	}{
		{"2025-11-25", listings[0].message, http.Header{"Content-Type": {"application/json"}}},
		{"2026-07-28", listings[3].message, http.Header{"Content-Type": {"application/json"},
			"Mcp-Protocol-Version": {"2026-07-28"}, "Mcp-Method": {"tools/list"}}},
	} {
		list := func(handler http.Handler) {
			r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(tt.message))
			r.Header = tt.headers.Clone()
			var w counter
			handler.ServeHTTP(&w, r)
			if w.written < 1_000_000 {
				b.Fatalf("%d bytes", w.written)
			}
		}
		b.Run(tt.name, func(b *testing.B) {
			var own, theirs stopwatch
			bare := server.NewStreamableHTTPServer(g.core, server.WithStateLess(true))
			list(g.Handler()) // the first one marshals
			for b.Loop() {
				own.time(func() { list(g.Handler()) })
				theirs.time(func() { list(bare) })
			}
			b.ReportMetric(own.mean().Seconds()*1000, "ms/edge")
			b.ReportMetric(theirs.mean().Seconds()*1000, "ms/mcp-go")
			b.ReportMetric(own.mean().Seconds()/theirs.mean().Seconds(), "ratio")
		})
	}
}
