package mapping

import (
	"bytes"
	"context"
	"encoding/json"

	"mcpgate/internal/fault"
)

// Shape makes the result out of the pages, cut to MaxTokens.
func (t *Tool) Shape(ctx context.Context, pages []Page) (Result, error) {
	if len(pages) == 0 {
		return Result{}, fault.New(fault.Internal, "there is no answer to shape", nil)
	}
	page := pages[len(pages)-1]
	result := Result{Status: page.Status}
	if len(bytes.TrimSpace(page.Body)) == 0 {
		return result, nil
	}
	if !isJSON(page.MediaType) {
		result.Data = json.RawMessage(compactJSON(string(page.Body)))
		return result, nil
	}
	var data bytes.Buffer
	if err := json.Compact(&data, page.Body); err != nil {
		return Result{}, fault.New(fault.UnexpectedResponse, t.Upstream+" answered with JSON that can't be read", err)
	}
	result.Data = data.Bytes()
	return result, nil
}
