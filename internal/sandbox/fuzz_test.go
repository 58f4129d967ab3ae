package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"mcpgate/mapping"
	"mcpgate/specs"
)

// FuzzRequest holds the sandbox to what every upstream does: whatever it is sent, it answers with a status, and with
// JSON that is JSON; and a record that nobody deletes stays.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/record/v1/customer/101", "limit=1&offset=x", "")
	f.Add("GET", "/record/v1/customer", "limit=9223372036854775807&offset=1", "")
	f.Add("GET", "/record/v1/customer", "limit=3&page=9223372036854775807", "")
	f.Add("GET", "/record/v1/customer", "cursor=-5", "")
	f.Add("POST", "/record/v1/salesOrder", "", `{"entity":{"id":"1"},"item":{"items":[{"item":{"id":"501"},"quantity":1e999999999}]}}`)
	f.Add("PATCH", "/record/v1/customer/101", "", `[{"op":"add","path":"/a/b","value":[{}]}]`)
	f.Add("POST", "/query/v1/suiteql", "limit=0", `{"q":"SELECT id FROM customer WHERE a.b.c LIKE '%' OR id IN (1,'2') ORDER BY x"}`)
	f.Add("POST", "/record/v1/salesOrder/2006/!transform/invoice", "", "null")
	f.Add("PUT", "//record/%2e%2e/%2F", "q=a IS \"b\" AND c", "\x00")
	path, err := filepath.Abs(netsuite)
	if err != nil {
		f.Fatal(err)
	}
	document, _, err := specs.Loader{}.Load(f.Context(), path)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		u := upstream{t, New([]*specs.Document{document}, []*mapping.Tool{suiteql()})}
		req := &http.Request{
			Method: method, URL: &url.URL{Scheme: "http", Host: "x.sandbox", Path: "/" + path, RawQuery: query},
			Header: http.Header{"Prefer": {"transient"}}, Body: io.NopCloser(strings.NewReader(body)),
		}
		resp, err := u.s.RoundTrip(req.WithContext(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode < 200 || resp.StatusCode > 599 || resp.StatusCode == http.StatusInternalServerError {
			t.Errorf("the status is %d: %s", resp.StatusCode, text)
		}
		if len(text) > 0 && !json.Valid(text) {
			t.Errorf("the answer is not JSON: %q", text)
		}
		if method != http.MethodDelete {
			u.send("GET /record/v1/customer/102", "").is(200).says("id", "102")
		}
	})
}
