package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// safeDigits is how long an integer may be that survives a float64, which is what mcp-go makes of a request id.
const safeDigits = 15

// keepID returns raw with an id that mcp-go gives back as it was, and what puts the client's own into a response again.
// Both do nothing for the usual ids. A client that takes its ids from a clock in nanoseconds would else wait for an
// answer to a request that it never made.
func keepID(msg message, raw []byte) ([]byte, func([]byte) []byte) {
	same := func(response []byte) []byte { return response }
	if len(msg.ID) <= safeDigits || msg.ID[0] == '"' {
		return raw, same
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return raw, same
	}
	standIn, err := json.Marshal("mcpgate:" + string(msg.ID))
	if err != nil {
		return raw, same
	}
	fields["id"] = standIn
	changed, err := json.Marshal(fields)
	if err != nil {
		return raw, same
	}
	// mcp-go writes the id before the result, so the first one is the response's own.
	from, to := append([]byte(`"id":`), standIn...), append([]byte(`"id":`), msg.ID...)
	return changed, func(response []byte) []byte { return bytes.Replace(response, from, to, 1) }
}

// idWriter restores the id in what mcp-go writes: each message is one Write.
type idWriter struct {
	http.ResponseWriter
	restore func([]byte) []byte
}

func (w idWriter) Write(text []byte) (int, error) {
	if _, err := w.ResponseWriter.Write(w.restore(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Flush and Unwrap are as statusWriter's.
func (w idWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the next write meets the same error
}

func (w idWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
