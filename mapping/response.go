package mapping

import (
	"context"
	"errors"
	"net/http"
)

// ReadPage reads an answer up to MaxBytes and closes it. A status of 400 and above is a fault, as is an answer that
// isn't what it says it is.
func (t *Tool) ReadPage(resp *http.Response) (Page, error) {
	return Page{}, errors.New("not built")
}

// NextPage returns the request for the page after this one, and whether there is one.
func (t *Tool) NextPage(req *http.Request, page Page) (*http.Request, bool) { return nil, false }

// Shape makes the result out of the pages, cut to MaxTokens.
func (t *Tool) Shape(ctx context.Context, pages []Page) (Result, error) {
	return Result{}, errors.New("not built")
}
