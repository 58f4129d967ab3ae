package mapping

import (
	"fmt"
	"io"
	"mime"
	"net/http"

	"mcpgate/internal/fault"
)

// ReadPage reads an answer up to MaxBytes and closes it. A status of 300 and above is a fault, as is an answer that
// isn't what it says it is. An answer that breaks off is the error of the connection, not a fault.
func (t *Tool) ReadPage(resp *http.Response) (Page, error) {
	defer resp.Body.Close()
	page := Page{Status: resp.StatusCode, Header: resp.Header}
	page.MediaType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode >= 300 {
		return page, t.statusFault(resp, page.MediaType)
	}
	if resp.ContentLength > t.MaxBytes {
		return page, t.tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, t.MaxBytes+1))
	if err != nil {
		return page, fmt.Errorf("reading the answer of %s: %w", t.Upstream, err)
	}
	if int64(len(body)) > t.MaxBytes {
		return page, t.tooLarge()
	}
	page.Body = body
	return page, nil
}

func (t *Tool) tooLarge() error {
	return fault.New(fault.TooLarge, fmt.Sprintf("the answer is larger than %d bytes", t.MaxBytes), nil)
}
