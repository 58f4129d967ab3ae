package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// seen is what a client saw, whichever client it was.
type seen struct {
	Protocol string       `json:"protocol"`
	Tools    []seenTool   `json:"tools"`
	Results  []seenResult `json:"results"`
}

type seenTool struct {
	Name        string         `json:"name"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	InputSchema map[string]any `json:"inputSchema"`
	Annotations struct {
		ReadOnlyHint    *bool `json:"readOnlyHint"`
		DestructiveHint *bool `json:"destructiveHint"`
	} `json:"annotations"`
}

type seenResult struct {
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	StructuredContent json.RawMessage `json:"structuredContent"`
	IsError           bool            `json:"isError"`
}

// outcome is the shape that every tool's result has.
type outcome struct {
	OK         bool            `json:"ok"`
	StatusCode int             `json:"status_code"`
	Data       json.RawMessage `json:"data"`
	Sandbox    bool            `json:"sandbox"`
	Errors     []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
}

// call is one tool call for a client to make.
type call struct {
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
}

// petstore is a gateway with one upstream that the sandbox answers for, so that every client meets the same answers.
const petstore = `
upstreams:
  petstore:
    spec: %s
    base_url: "sandbox:"
    expose: all
`

// shop is the petstore's gateway.yaml, as a file.
func shop(t *testing.T) string {
	t.Helper()
	spec := filepath.Join(root, "specs", "testdata", "corpus", "swagger-api__openapi.yaml")
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, petstore, spec), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// shopCalls are made in this order: a record is made, read back, and asked for by a name that isn't there.
var shopCalls = []call{
	{"addPet", map[string]any{"id": int64(9007199254740993), "name": "Rex", "photoUrls": []string{}, "status": "available"}},
	{"getPetById", map[string]any{"petId": int64(9007199254740993)}},
	{"getPetById", map[string]any{"petId": "not a number"}},
	{"getPetById", map[string]any{"petId": 424242}},
}

// checkShop says what every client must have seen.
func checkShop(t *testing.T, got seen) {
	t.Helper()
	if len(got.Tools) < 15 {
		t.Errorf("%d tools, want the petstore's 19 or so", len(got.Tools))
	}
	for _, tool := range got.Tools {
		if tool.Title == "" || tool.Description == "" || tool.Annotations.ReadOnlyHint == nil || tool.Annotations.DestructiveHint == nil {
			t.Errorf("tool %s lacks a title, a description or a hint: %+v", tool.Name, tool)
		}
		if tool.InputSchema["type"] != "object" {
			t.Errorf("tool %s: the schema's root is %v", tool.Name, tool.InputSchema["type"])
		}
	}
	if len(got.Results) != len(shopCalls) {
		t.Fatalf("%d results, want %d", len(got.Results), len(shopCalls))
	}
	want := []string{"ok", "ok", "input", "api.not_found"}
	var codes []string
	for i, result := range got.Results {
		o := open(t, result)
		code := "ok"
		if !o.OK {
			code = o.Errors[0].Code
		}
		if o.OK == result.IsError {
			t.Errorf("call %d: ok is %v and isError is %v", i, o.OK, result.IsError)
		}
		if o.OK && !o.Sandbox {
			t.Errorf("call %d does not say that the sandbox answered", i)
		}
		codes = append(codes, code)
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Results[1].Content[0].Text, `9007199254740993`) {
		t.Errorf("an integer above 2^53 did not survive: %s", got.Results[1].Content[0].Text)
	}
}

// open reads a result's outcome, from the text, and sees that the structured content is the same.
func open(t *testing.T, result seenResult) outcome {
	t.Helper()
	if len(result.Content) == 0 {
		t.Fatal("a result without content")
	}
	var text, structured any
	if err := json.Unmarshal([]byte(result.Content[0].Text), &text); err != nil {
		t.Fatalf("the text is not JSON: %v: %s", err, result.Content[0].Text)
	}
	if err := json.Unmarshal(result.StructuredContent, &structured); err != nil {
		t.Fatalf("no structured content: %v", err)
	}
	if diff := cmp.Diff(text, structured); diff != "" {
		t.Errorf("text and structured content differ:\n%s", diff)
	}
	var o outcome
	if err := json.Unmarshal([]byte(result.Content[0].Text), &o); err != nil {
		t.Fatal(err)
	}
	if !o.OK && len(o.Errors) == 0 {
		t.Fatalf("a failure without errors: %s", result.Content[0].Text)
	}
	return o
}

func TestTypeScriptClients(t *testing.T) {
	file := shop(t)
	stdio, _ := json.Marshal([]string{program, "serve", "--stdio", "-c", file})
	calls := rawCalls(t)
	tests := []struct{ name, sdk, era, target, protocol string }{
		{"v1 over HTTP", "v1", "legacy", "http", ""},
		{"v1 over stdio", "v1", "legacy", string(stdio), ""},
		{"v1 over SSE", "v1", "legacy", "sse", ""},
		{"v2 over HTTP, 2025-11-25", "v2", "legacy", "http", "2025-11-25"},
		{"v2 over HTTP, 2026-07-28", "v2", "modern", "http", "2026-07-28"},
		{"v2 over stdio, 2025-11-25", "v2", "legacy", string(stdio), "2025-11-25"},
		{"v2 over stdio, 2026-07-28", "v2", "modern", string(stdio), "2026-07-28"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			target := test.target
			switch target {
			case "http":
				target = serveFile(t, file)
			case "sse":
				yaml, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				target = strings.TrimSuffix(serve(t, "server: {sse: true}\n"+string(yaml)), "/mcp") + "/sse"
			}
			out := runNode(t, "client.mjs", test.sdk, test.era, target, calls)
			var got seen
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			checkShop(t, got)
			if test.protocol != "" && got.Protocol != test.protocol {
				t.Errorf("negotiated %q, want %q", got.Protocol, test.protocol)
			}
		})
	}
}

// rawCalls is shopCalls as JSON for a JavaScript client, which has no integer above 2^53: the id goes as a smaller one
// that the check still finds, by its being written as text of digits in the name.
func rawCalls(t *testing.T) string {
	t.Helper()
	calls := slices.Clone(shopCalls)
	calls[0].Arguments = map[string]any{"id": 77, "name": "Rex 9007199254740993", "photoUrls": []string{}, "status": "available"}
	calls[1].Arguments = map[string]any{"petId": 77}
	raw, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// runNode runs one of the scripts beside this file and returns its output.
func runNode(t *testing.T, script string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{script}, args...)...)
	cmd.Dir = filepath.Dir(modules)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", script, err, out, tail(errs.String(), 4000))
	}
	return out
}

func TestGoClient(t *testing.T) {
	file := shop(t)
	tests := []struct {
		name      string
		transport func(t *testing.T) mcp.Transport
	}{
		{"HTTP", func(t *testing.T) mcp.Transport {
			return &mcp.StreamableClientTransport{Endpoint: serveFile(t, file)}
		}},
		{"stdio", func(t *testing.T) mcp.Transport {
			return &mcp.CommandTransport{Command: exec.Command(program, "serve", "--stdio", "-c", file)}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			client := mcp.NewClient(&mcp.Implementation{Name: "integration", Version: "1"}, nil)
			session, err := client.Connect(ctx, test.transport(t), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			checkShop(t, goSession(t, ctx, session))
		})
	}
}

// goSession lists and calls through the official Go client.
func goSession(t *testing.T, ctx context.Context, session *mcp.ClientSession) seen {
	t.Helper()
	var tools []*mcp.Tool
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		tools = append(tools, tool)
	}
	var results []*mcp.CallToolResult
	for _, c := range shopCalls {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: c.Name, Arguments: c.Arguments})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		results = append(results, result)
	}
	raw, err := json.Marshal(map[string]any{"tools": tools, "results": results})
	if err != nil {
		t.Fatal(err)
	}
	var got seen
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestInspector(t *testing.T) {
	file := shop(t)
	inspector := filepath.Join(modules, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
	targets := map[string][]string{
		"HTTP":  {"--transport", "http", "--", serveFile(t, file)},
		"stdio": {"--", program, "serve", "--stdio", "-c", file},
	}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			inspect := func(args ...string) []byte {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				all := append([]string{inspector, "--cli"}, args...)
				cmd := exec.CommandContext(ctx, node, append(all, target...)...)
				cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
				var errs strings.Builder
				cmd.Stderr = &errs
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("inspector %v: %v\n%s\n%s", args, err, out, errs.String())
				}
				return out
			}
			var got seen
			if err := json.Unmarshal(inspect("--method", "tools/list"), &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Tools) < 15 {
				t.Errorf("%d tools", len(got.Tools))
			}
			var result seenResult
			out := inspect("--method", "tools/call", "--tool-name", "findPetsByStatus", "--tool-arg", "status=available")
			if err := json.Unmarshal(out, &result); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if o := open(t, result); !o.OK || len(o.Data) < 3 {
				t.Errorf("findPetsByStatus: %s", out)
			}
		})
	}
}
