package gateway

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// A real client, over every transport and in both revisions, meets the same tools and the same answers.
func TestClients(t *testing.T) {
	g, server := serve(t, setup{yaml: "instructions: Ask first.\nserver: {sse: true}\n"})
	tests := []struct {
		name    string
		connect func(t *testing.T) transport.Interface
		options []client.ClientOption
	}{
		{"streamable HTTP, 2025-11-25", overHTTP(server.URL), []client.ClientOption{client.WithProtocolVersion(mcp.ProtocolVersion20251125)}},
		{"streamable HTTP, 2026-07-28", overHTTP(server.URL), []client.ClientOption{client.WithProtocolVersion(mcp.ProtocolVersion20260728)}},
		{"streamable HTTP, as the client likes", overHTTP(server.URL), nil},
		{"HTTP+SSE", func(t *testing.T) transport.Interface {
			sse, err := transport.NewSSE(server.URL + "/sse")
			if err != nil {
				t.Fatal(err)
			}
			return sse
		}, []client.ClientOption{client.WithProtocolVersion(mcp.ProtocolVersion20251125)}},
		{"stdio, 2025-11-25", overStdio(g), []client.ClientOption{client.WithProtocolVersion(mcp.ProtocolVersion20251125)}},
		{"stdio, 2026-07-28", overStdio(g), []client.ClientOption{client.WithProtocolVersion(mcp.ProtocolVersion20260728)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c := client.NewClient(tt.connect(t), tt.options...)
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			initialized, err := c.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{ClientInfo: mcp.Implementation{Name: "test", Version: "1"}}})
			if err != nil {
				t.Fatal(err)
			}
			if initialized.Instructions != "Ask first." || initialized.ServerInfo.Name != "pets" {
				t.Errorf("%+v", initialized)
			}
			use(ctx, t, c)
		})
	}
}

// use lists the tools and calls one, well and badly.
func use(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	list, err := c.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil || len(list.Tools) != 3 {
		t.Fatalf("%v %v", list, err)
	}
	call := mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "getPet", Arguments: map[string]any{"id": 1}}}
	call.Params.Meta = &mcp.Meta{ProgressToken: "p"}
	result, err := c.CallTool(ctx, call)
	if err != nil {
		t.Fatal(err)
	}
	structured, err := json.Marshal(result.StructuredContent)
	if err != nil || result.IsError || !strings.Contains(string(structured), `"data":{"id":1,"name":"Rex"}`) {
		t.Errorf("%+v %v", result, err)
	}
	call.Params.Arguments = map[string]any{"id": "one"}
	if result, err := c.CallTool(ctx, call); err != nil || !result.IsError {
		t.Errorf("a wrong argument: %+v %v", result, err)
	}
	call.Params.Name = "nope"
	if _, err := c.CallTool(ctx, call); err == nil {
		t.Error("an unknown tool: no error")
	}
}

func overHTTP(url string) func(*testing.T) transport.Interface {
	return func(t *testing.T) transport.Interface {
		c, err := transport.NewStreamableHTTP(url + "/mcp")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func overStdio(g *Gateway) func(*testing.T) transport.Interface {
	return func(t *testing.T) transport.Interface {
		toServer, fromClient := io.Pipe()
		toClient, fromServer := io.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- g.ServeStdio(t.Context(), toServer, fromServer) }()
		t.Cleanup(func() {
			fromClient.Close()
			toClient.Close()
			within(t, ended, "the end of stdio")
		})
		return transport.NewIO(toClient, fromClient, io.NopCloser(strings.NewReader("")))
	}
}
