package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
)

// message is one JSON-RPC message as far as a transport has to understand it.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"` // empty in a notification
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"` // of a response
	Error   json.RawMessage `json:"error"`
}

// isResponse reports whether the message answers a request.
func (m message) isResponse() bool { return m.Method == "" && (m.Result != nil || m.Error != nil) }

// rpcError is a message that can't be handed on, as JSON-RPC names the reason.
type rpcError struct {
	id      json.RawMessage
	code    int
	message string
}

// parseMessage reads one message. It refuses what mcp-go would answer with something misleading.
func parseMessage(raw []byte) (message, *rpcError) {
	var msg message
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '[' && json.Valid(raw) {
		return msg, &rpcError{code: mcp.INVALID_REQUEST, message: "batches are not part of MCP since 2025-06-18; send one message at a time"}
	}
	if err := json.Unmarshal(raw, &msg); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return msg, &rpcError{code: mcp.INVALID_REQUEST, message: "not a JSON-RPC message"}
		}
		return msg, &rpcError{code: mcp.PARSE_ERROR, message: "not valid JSON"}
	}
	// A null is no id of a request (MCP), nor is it a notification; a response to what could not be read has it.
	if id := msg.ID; len(id) > 0 && id[0] != '"' && id[0] != '-' && (id[0] < '0' || id[0] > '9') && (string(id) != "null" || !msg.isResponse()) {
		msg.ID = nil
		return msg, &rpcError{code: mcp.INVALID_REQUEST, message: "an id is a string or a number; a notification has none"}
	}
	if msg.JSONRPC != mcp.JSONRPC_VERSION {
		return msg, &rpcError{id: msg.ID, code: mcp.INVALID_REQUEST, message: `"jsonrpc" has to be "2.0"`}
	}
	return msg, nil
}

// json is the error as a response.
func (e *rpcError) json() []byte {
	response := struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{mcp.JSONRPC_VERSION, e.id, map[string]any{"code": e.code, "message": e.message}}
	if response.ID == nil {
		response.ID = json.RawMessage("null")
	}
	text, err := json.Marshal(response)
	if err != nil { // an id that isn't JSON; parseMessage lets none through
		return []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}`)
	}
	return text
}

// write sends the error over HTTP.
func (e *rpcError) write(w http.ResponseWriter, status int) { writeJSON(w, status, e.json()) }

// writeJSON sends a body that is JSON already, in one piece or several.
func writeJSON(w http.ResponseWriter, status int, body ...[]byte) {
	length := 0
	for _, piece := range body {
		length += len(piece)
	}
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	for _, piece := range body {
		if _, err := w.Write(piece); err != nil {
			return // the client is gone
		}
	}
}
