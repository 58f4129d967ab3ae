package mapping

import (
	"fmt"
	"io"
	"net/http"

	"mcpgate/internal/fault"
)

// statusFault turns an answer that is not a success into a fault.
func (t *Tool) statusFault(resp *http.Response, mediaType string) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 2<<10))
	f := fault.New(statusCode(resp.StatusCode), fmt.Sprintf("%s answered %d %s: %s", t.Upstream, resp.StatusCode,
		http.StatusText(resp.StatusCode), body), nil)
	f.Upstream = &fault.Upstream{Status: resp.StatusCode}
	return f
}

// statusCode is the fault that a status of 300 and above stands for.
func statusCode(status int) fault.Code {
	switch status {
	case http.StatusUnauthorized:
		return fault.CredentialsInvalid
	case http.StatusForbidden:
		return fault.APIPermission
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return fault.Conflict
	case http.StatusTooManyRequests:
		return fault.RateLimit
	}
	switch {
	case status >= 500:
		return fault.Server
	case status >= 400:
		return fault.Validation
	}
	return fault.UnexpectedResponse
}
