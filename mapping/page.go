package mapping

import "net/http"

// NextPage returns the request for the page after this one, and whether there is one.
func (t *Tool) NextPage(req *http.Request, page Page) (*http.Request, bool) { return nil, false }
