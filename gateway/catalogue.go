package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcpgate/auth"
)

// catalogue is the answer to tools/list, marshalled once for each of the two kinds of protocol. mcp-go marshals a
// thousand tools anew at every request, which takes it about 30 ms.
type catalogue struct {
	legacy func() (json.RawMessage, error) // up to 2025-11-25
	modern func() (json.RawMessage, error) // 2026-07-28
}

// maxCatalogues bounds the answers that are kept: callers with different scopes and roles see different tools.
const maxCatalogues = 64

// catalogues are the answers for callers who see different tools. They are safe for concurrent use.
type catalogues struct {
	core    *server.MCPServer
	permits *permits

	mu    sync.Mutex
	known map[string]*catalogue // by permits.view
}

func newCatalogues(core *server.MCPServer, permits *permits) *catalogues {
	return &catalogues{core: core, permits: permits, known: make(map[string]*catalogue)}
}

// of returns the answers for the caller of ctx, which are those for everybody with the same view.
func (c *catalogues) of(ctx context.Context) *catalogue {
	view := c.permits.view(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.known[view]; ok {
		return known
	}
	if len(c.known) >= maxCatalogues {
		clear(c.known) // rarer than to be worth an order
	}
	made := newCatalogue(auth.WithPrincipal(context.Background(), auth.FromContext(ctx)), c.core)
	c.known[view] = made
	return made
}

// newCatalogue asks core itself for its answers, when they are wanted first. ctx says who asks.
func newCatalogue(ctx context.Context, core *server.MCPServer) *catalogue {
	ask := func(params map[string]any) func() (json.RawMessage, error) {
		return sync.OnceValues(func() (json.RawMessage, error) { return listTools(ctx, core, params) })
	}
	return &catalogue{
		legacy: ask(map[string]any{}),
		modern: ask(map[string]any{"_meta": map[string]any{
			mcp.MetaKeyProtocolVersion:    mcp.ProtocolVersion20260728,
			mcp.MetaKeyClientCapabilities: map[string]any{},
		}}),
	}
}

// listTools returns the result of a tools/list.
func listTools(ctx context.Context, core *server.MCPServer, params map[string]any) (json.RawMessage, error) {
	request, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params})
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(core.HandleMessage(ctx, request))
	if err != nil {
		return nil, err
	}
	var response struct {
		Result json.RawMessage `json:"result"`
	}
	err = json.Unmarshal(answer, &response)
	return response.Result, err
}

// answer returns the response to msg, in pieces so that the list is not copied, where it is an ordinary tools/list. Whatever is odd about it (a cursor, a
// header that doesn't match, a version nobody knows) is left to mcp-go, which has the right error for it. header is nil
// where the message didn't come over HTTP.
func (c *catalogue) answer(msg message, header http.Header) (net.Buffers, bool) {
	if msg.Method != string(mcp.MethodToolsList) || len(msg.ID) == 0 {
		return nil, false
	}
	var params struct {
		Cursor json.RawMessage `json:"cursor"`
		Meta   *mcp.Meta       `json:"_meta"`
	}
	if len(msg.Params) > 0 && json.Unmarshal(msg.Params, &params) != nil || len(params.Cursor) > 0 {
		return nil, false
	}
	version, stated := params.Meta.ProtocolVersion(), header.Get(mcp.HeaderProtocolVersion)
	list := c.legacy
	switch {
	case mcp.IsModernProtocol(version) || mcp.IsModernProtocol(stated):
		if !mcp.IsValidProtocolVersion(version) || params.Meta.ClientCapabilities() == nil {
			return nil, false
		}
		if header != nil && (stated != version || header.Get(mcp.HeaderLastEventID) != "" ||
			mcp.ValidateStandardHeaders(header.Get, version, mcp.MethodToolsList, msg.Params) != nil) {
			return nil, false
		}
		list = c.modern
	case stated != "" && !mcp.IsValidProtocolVersion(stated):
		return nil, false
	}
	result, err := list()
	if err != nil {
		return nil, false
	}
	return net.Buffers{fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":`, msg.ID), result, []byte("}\n")}, true
}
