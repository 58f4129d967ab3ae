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

// TestPrism lets Prism, a mock that others wrote and that shares no code with us, check what the tools send against the
// document itself: with --errors it answers 422 to each request that the document does not allow.
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
		{"xeroapi__xero-projects.yaml", bearer, []call{
			{"getProjects", map[string]any{"Xero-Tenant-Id": "t-1", "page": 1, "states": "INPROGRESS"}},
			{"createProject", map[string]any{
				"Xero-Tenant-Id": "t-1", "contactId": "00000000-0000-0000-0000-000000000000", "name": "New kitchen",
				"deadlineUtc": "2026-04-03T00:00:00Z", "estimateAmount": 99.99,
			}},
		}},
		{"swagger-api__openapi.yaml", bearer, []call{
			{"findPetsByStatus", map[string]any{"status": "available"}},
			{"addPet", map[string]any{"name": "Rex", "photoUrls": []string{"https://x.example/1.png"}}},
			{"getPetById", map[string]any{"petId": 7}},
			{"updatePetWithForm", map[string]any{"petId": 7, "name": "a/b?c", "status": "sold"}},
		}},
		{"docusign__click.rest.swagger-v2.json", bearer, nil},
		{"netlify__swagger.yml", bearer, nil},
		{"weaviate__schema.json", bearer, nil},
		{"qdrant__openapi.json", bearer, nil},
		{"sonallux__fixed-spotify-open-api.yml", bearer, nil},
		{"svix__openapi.json", bearer, nil},
		{"klaviyo__customer_agent.json", bearer, nil},
	}
	for _, test := range tests {
		t.Run(test.document, func(t *testing.T) {
			document := filepath.Join(corpus, test.document)
			port := freePort(t)
			prism := exec.Command(node, filepath.Join(modules, "@stoplight", "prism-cli", "dist", "index.js"),
				"mock", "--errors", "-p", fmt.Sprint(port), document)
			ended := start(t, prism)
			base := fmt.Sprintf("http://127.0.0.1:%d", port)
			awaitListener(t, port, 2*time.Minute, ended)
			session := connect(t, serve(t, fmt.Sprintf("discovery: {mode: direct}\nupstreams:\n  mock:\n    spec: %q\n    base_url: %s\n    expose: all\n"+
				"    credential: %s\n    headers: {api_key: k, X-Figma-Token: k}\n    retry: {attempts: 1}\n", document, base, test.credential)))
			for _, c := range test.calls {
				if o := callTool(t, session, c); !o.OK {
					t.Errorf("%s %v: %d %v", c.Name, c.Arguments, o.StatusCode, o.Errors)
				}
			}
			sent, refused := drawn(t, session)
			fmt.Printf("prism %s: %d written calls, %d drawn ones, %d refused\n", test.document, len(test.calls), sent, refused)
			if refused > 0 || sent+len(test.calls) == 0 {
				t.Errorf("Prism refused %d of %d drawn requests", refused, sent)
			}
		})
	}
}

const bearer = "{type: bearer, token: t}"

// drawn calls up to forty tools with arguments drawn from their schemas, and counts what Prism refuses: 422, or the
// document's own 4xx, is its word for a request that the document does not allow. A 500 is about the answer that it
// made up itself.
func drawn(t *testing.T, session *mcp.ClientSession) (sent, refused int) {
	t.Helper()
	for tool, err := range session.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		schema, _ := tool.InputSchema.(map[string]any)
		defs, _ := schema["$defs"].(map[string]any)
		arguments, ok := draw(schema, defs, 0)
		if !ok {
			continue
		}
		c := call{tool.Name, arguments.(map[string]any)}
		o := callTool(t, session, c)
		if !o.OK && o.Errors[0].Code == "input" {
			continue // two rules at once, which the drawing does not know
		}
		sent++
		if o.StatusCode >= 400 && o.StatusCode < 500 {
			refused++
			t.Logf("%s %v: %d %v", c.Name, c.Arguments, o.StatusCode, o.Errors)
		}
		if sent == 40 {
			break
		}
	}
	return sent, refused
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
