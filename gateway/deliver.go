package gateway

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// deliver is the handler of every tool. It returns a result whatever happens: mcp-go would hand the text of an error,
// or of a panic, to the client.
func (g *Gateway) deliver(ctx context.Context, req mcp.CallToolRequest) (result *mcp.CallToolResult, _ error) {
	defer func() {
		if p := recover(); p != nil {
			id := newCallID()
			g.log.Error("panic in a call", "call", id, "tool", req.Params.Name, "panic", p, "stack", string(debug.Stack()))
			result = toolResult(req.Params.Name, failure(fault.New(fault.Internal, "", nil), id))
		}
	}()
	ctx, stop := g.reportProgress(ctx, req)
	defer stop()
	arguments := req.Params.RawArguments // decoded ones have lost the integers above 2^53
	if string(arguments) == "null" {
		arguments = nil // some clients say so where there are none
	}
	outcome := g.Call(ctx, req.Params.Name, arguments)
	result = toolResult(cmp.Or(outcome.Tool, req.Params.Name), outcome)
	g.askForLogin(result, outcome)
	return result, nil
}

// askForLogin tells a client over HTTP that a login ended while the call was under way, too late for a 401: the next call
// gets one. Clients that know the key show their login then.
func (g *Gateway) askForLogin(result *mcp.CallToolResult, outcome *Outcome) {
	if g.access.metadata == nil || outcome.code() != fault.LoginRequired {
		return
	}
	challenge := g.access.challenge("invalid_token", "the login at the API is over; log in again", g.access.scopes)
	result.Meta = mcp.NewMetaFromMap(map[string]any{"mcp/www_authenticate": []string{challenge}})
}

// toolResult writes an outcome as MCP has it: the compact JSON twice, as text for the clients that read only text, and
// media beside it.
func toolResult(tool string, outcome *Outcome) *mcp.CallToolResult {
	text := outcome.json()
	result := &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.NewTextContent(string(text))},
		StructuredContent: text,
		IsError:           !outcome.OK,
	}
	for i, media := range outcome.Media {
		result.Content = append(result.Content, mediaContent(tool, i, media))
	}
	return result
}

// mediaContent picks the kind of content that fits the media type; what is neither image nor audio is a resource.
func mediaContent(tool string, index int, media mapping.Media) mcp.Content {
	data := base64.StdEncoding.EncodeToString(media.Data)
	switch kind, _, _ := strings.Cut(media.Type, "/"); kind {
	case "image":
		return mcp.NewImageContent(data, media.Type)
	case "audio":
		return mcp.NewAudioContent(data, media.Type)
	default:
		return mcp.NewEmbeddedResource(mcp.BlobResourceContents{
			URI: fmt.Sprintf("mcpgate://results/%s/%d", tool, index), MIMEType: media.Type, Blob: data,
		})
	}
}

// json is the outcome as compact JSON. HTML stays readable: a model pays for every \u003c.
func (o *Outcome) json() json.RawMessage {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(o); err != nil {
		// Only Data can fail to encode, where an upstream's JSON was taken for valid and isn't.
		return json.RawMessage(`{"ok":false,"errors":[{"code":"internal","message":"the result is not valid JSON; this is a defect of the gateway","retryable":false}]}`)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}
