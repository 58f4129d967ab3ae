package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
)

// refusal returns the error of a message for which mcp-go has a worse one: a version that nobody knows, which it
// answers in plain text, and a tool that there isn't, which it leaves at that. It is nil for any other message. header
// is nil where the message didn't come over HTTP.
func (s *snapshot) refusal(msg message, header http.Header) *rpcError {
	var params struct {
		Name string    `json:"name"`
		Meta *mcp.Meta `json:"_meta"`
	}
	if len(msg.Params) > 0 && json.Unmarshal(msg.Params, &params) != nil {
		return nil
	}
	version, stated := params.Meta.ProtocolVersion(), header.Get(mcp.HeaderProtocolVersion)
	method := mcp.MCPMethod(msg.Method)
	if version == "" && stated != "" && !mcp.IsValidProtocolVersion(stated) && method != mcp.MethodInitialize {
		return &rpcError{id: msg.ID, code: mcp.INVALID_REQUEST,
			message: fmt.Sprintf("MCP-Protocol-Version: %.40q is not supported; leave it out, or send the version that initialize agreed on", stated)}
	}
	if method != mcp.MethodToolsCall || len(msg.ID) == 0 || params.Name == "" || s.byName[params.Name] != nil || s.finder(params.Name) != nil {
		return nil
	}
	if version != "" || mcp.IsModernProtocol(stated) { // 2026-07-28 has rules about headers and _meta, which come first
		if !mcp.IsValidProtocolVersion(version) || params.Meta.ClientCapabilities() == nil || header != nil && (stated != version ||
			header.Get(mcp.HeaderLastEventID) != "" || mcp.ValidateStandardHeaders(header.Get, version, method, msg.Params) != nil) {
			return nil
		}
	}
	unknown := s.unknownTool(params.Name)
	return &rpcError{id: msg.ID, code: mcp.INVALID_PARAMS, message: unknown.Message + "; " + unknown.Hint}
}
