package credential

import (
	"net/http"
)

// Transport returns a RoundTripper that puts the source's credential on a copy of each request before next sends it.
// Give it only requests to the upstream's own hosts, after a redirect and with a base_url that a login filled in too: it does
// not look where they go. A RoundTripper in next sees the credential, and is where a Renewer is asked.
func Transport(source Source, next http.RoundTripper) http.RoundTripper {
	if _, ok := source.(none); ok {
		return next
	}
	return &transport{source, next}
}

type transport struct {
	source Source
	next   http.RoundTripper
}

// RoundTrip authorizes and sends. The request that was given stays as it is, as http.RoundTripper demands, so the
// credential is neither in an error's URL nor on a later attempt.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	authorized := req.Clone(req.Context())
	if err := t.source.Authorize(req.Context(), authorized); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper closes the body on errors too; nothing was read from it
		}
		return nil, err
	}
	resp, err := t.next.RoundTrip(authorized)
	if resp != nil {
		resp.Request = req // what is above must not meet the credential
	}
	return resp, err
}
