package mapping

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"

	"mcpgate/internal/fault"
)

const (
	// bytesPerToken is what a token is taken for everywhere.
	bytesPerToken = 4
	// maxMedia bounds an image, a sound or a file that is handed on: clients refuse messages much larger than this.
	maxMedia = 4 << 20
)

// Shape makes the result out of the pages: JSON and text cut to MaxTokens, anything else as Media. Until answers are
// joined, there is one page.
func (t *Tool) Shape(ctx context.Context, pages []Page) (Result, error) {
	if len(pages) != 1 {
		return Result{}, fault.New(fault.Internal, "the gateway failed; this is a defect of it",
			fmt.Errorf("%d pages to shape, want 1", len(pages)))
	}
	page := pages[0]
	result := Result{Status: page.Status}
	switch {
	case len(page.Body) == 0:
		result.Data = created(page)
	case isJSON(page.MediaType):
		return t.shaped(ctx, result, page.Body)
	case isBinary(page.MediaType, page.Body):
		t.addMedia(&result, page)
	default:
		data, ok := joinedLines(page)
		if !ok {
			data = []byte(compactJSON(string(page.Body)))
		}
		return t.shaped(ctx, result, data)
	}
	t.keepPromise(&result)
	return result, ctx.Err()
}

// shaped puts into result what select takes out of data, as far as MaxTokens allows.
func (t *Tool) shaped(ctx context.Context, result Result, data []byte) (Result, error) {
	data, note, err := t.selected(ctx, result.Status, data)
	if err != nil {
		return Result{}, err
	}
	result.Note = note
	result.Data, result.Truncated = t.cut(data, t.maxLength())
	t.keepPromise(&result)
	return result, ctx.Err()
}

// created says where a record is that was made without a word about it, as NetSuite (Location) and Dataverse
// (OData-EntityId) do; nil where nothing was made.
func created(page Page) json.RawMessage {
	location := cmp.Or(page.Header.Get("Location"), page.Header.Get("Odata-Entityid"))
	if location == "" {
		return nil
	}
	data := map[string]any{"location": location}
	if id := lastSegment(location); id != "" {
		data["id"] = id
	}
	return json.RawMessage(compactJSON(data))
}

// lastSegment is the id at the end of a URL: 42 of /customer/42 and of /accounts(42).
func lastSegment(location string) string {
	target, err := url.Parse(location)
	if err != nil {
		return ""
	}
	last := path.Base(target.Path)
	if inner, ok := strings.CutSuffix(last, ")"); ok {
		if _, key, found := strings.Cut(inner, "("); found {
			return strings.Trim(key, "'")
		}
	}
	return strings.Trim(last, "/.")
}

// addMedia hands a binary answer on, with a word about it as data, since many clients show only that.
func (t *Tool) addMedia(result *Result, page Page) {
	mediaType := orOctets(page.MediaType)
	result.Data = json.RawMessage(compactJSON(map[string]any{"media_type": mediaType, "bytes": len(page.Body)}))
	if len(page.Body) > maxMedia {
		result.Truncated = &Truncated{Kept: 0, Total: len(page.Body), Unit: "bytes",
			HowToGetMore: "The file is too large to be handed on. " + t.askForLess()}
		return
	}
	result.Media = []Media{{Type: mediaType, Data: page.Body}}
}

// joinedLines makes an array of an answer that has one JSON value a line.
func joinedLines(page Page) ([]byte, bool) {
	if !isLines(page.MediaType) {
		return nil, false
	}
	out := []byte{'['}
	for line := range bytes.Lines(page.Body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		value, err := compacted(line)
		if err != nil {
			return nil, false
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, value...)
	}
	return append(out, ']'), true
}
