package gateway

import (
	"fmt"
	"strings"
	"testing"
)

// mcp-go decodes ids as float64. The client's comes back to the digit, over every transport.
func TestLargeRequestIDs(t *testing.T) {
	g, server := serve(t, setup{yaml: sseOn})
	p := dial(t.Context(), t, g)
	for _, id := range []string{"9007199254740993", "-9007199254740993", "1790000000123456789", "1", `"a-very-long-text-as-an-id"`} {
		want := fmt.Sprintf(`"id":%s,`, id)
		for name, message := range map[string]string{
			"a call":          strings.Replace(callGetPet, `"id":1,`, want, 1),
			"with progress":   strings.Replace(strings.Replace(callGetPet, `"id":1,`, want, 1), `"arguments"`, `"_meta":{"progressToken":1},"arguments"`, 1),
			"an unknown tool": `{"jsonrpc":"2.0",` + want + `"method":"tools/call","params":{"name":"nope"}}`,
			"a ping":          `{"jsonrpc":"2.0",` + want + `"method":"ping"}`,
			"a list":          `{"jsonrpc":"2.0",` + want + `"method":"tools/list"}`,
		} {
			if got := post(t, server, message); !strings.Contains(got.body, want) || strings.Contains(got.body, "mcpgate:") {
				t.Errorf("%s with id %s over HTTP: %s", name, id, got.body)
			}
			p.say(message)
			if !p.out.Scan() || !strings.Contains(p.out.Text(), want) {
				t.Errorf("%s with id %s over stdio: %s", name, id, p.out.Text())
			}
		}
	}
}
