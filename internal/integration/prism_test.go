package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestPrism lets Prism, a mock that others wrote, check what the tools send against the document itself: with
// --errors it answers 422 to each request that the document does not allow.
func TestPrism(t *testing.T) {
	corpus := os.Getenv("MCPGATE_CORPUS")
	if corpus == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI needs $MCPGATE_CORPUS, the folder of real OpenAPI documents")
		}
		t.Skip("needs $MCPGATE_CORPUS, a folder of real OpenAPI documents")
	}
	tests := []struct {
		document   string
		credential string // what the document's security demands
		calls      []call
	}{
		{"redocly__openapi.yaml", "{type: basic, username: guide, password: lantern}", []call{
			{"getMuseumHours", map[string]any{"startDate": "2026-02-23", "page": 2, "limit": 15}},
			{"listSpecialEvents", map[string]any{"startDate": "2026-02-23", "endDate": "2026-04-18"}},
			{"createSpecialEvent", map[string]any{
				"name": "Night of the pirates", "location": "On the ship", "eventDescription": "A tour with a lantern",
				"dates": []string{"2026-12-01", "2026-12-02"}, "price": 25,
			}},
		}},
		{"xeroapi__xero-projects.yaml", "{type: bearer, token: t}", []call{
			{"getProjects", map[string]any{"Xero-Tenant-Id": "t-1", "page": 1, "states": "INPROGRESS"}},
			{"createProject", map[string]any{
				"Xero-Tenant-Id": "t-1", "contactId": "00000000-0000-0000-0000-000000000000", "name": "New kitchen",
				"deadlineUtc": "2026-04-03T00:00:00Z", "estimateAmount": 99.99,
			}},
		}},
		{"swagger-api__openapi.yaml", "{type: bearer, token: t}", []call{
			{"findPetsByStatus", map[string]any{"status": "available"}},
			{"addPet", map[string]any{"name": "Rex", "photoUrls": []string{"https://x.example/1.png"}}},
			{"getPetById", map[string]any{"petId": 7}},
			{"updatePetWithForm", map[string]any{"petId": 7, "name": "a/b?c", "status": "sold"}},
		}},
	}
	for _, test := range tests {
		t.Run(test.document, func(t *testing.T) {
			document := filepath.Join(corpus, test.document)
			port := freePort(t)
			prism := exec.Command(node, filepath.Join(modules, "@stoplight", "prism-cli", "dist", "index.js"),
				"mock", "--errors", "-p", fmt.Sprint(port), document)
			ended := start(t, prism)
			base := fmt.Sprintf("http://127.0.0.1:%d", port)
			awaitListener(t, port, time.Minute, ended)
			endpoint := serve(t, fmt.Sprintf("upstreams:\n  mock:\n    spec: %q\n    base_url: %s\n    expose: all\n"+
				"    credential: %s\n    headers: {api_key: k}\n", document, base, test.credential))
			session := connect(t, endpoint)
			for _, c := range test.calls {
				o := callTool(t, session, c)
				if !o.OK {
					t.Errorf("%s %v: %d %v", c.Name, c.Arguments, o.StatusCode, o.Errors)
				}
			}
		})
	}
}

// connect opens a session of the official Go client.
func connect(t *testing.T, endpoint string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "integration", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: endpoint, HTTPClient: http.DefaultClient}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// callTool calls a tool and opens its outcome.
func callTool(t *testing.T, session *mcp.ClientSession, c call) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: c.Name, Arguments: c.Arguments})
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	raw, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var s seenResult
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return open(t, s)
}
