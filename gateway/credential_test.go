package gateway

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// An unset variable costs the calls that need it: the other upstreams are served, and so is the sandbox.
func TestEmptyCredential(t *testing.T) {
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer api.Close()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := `
upstreams:
  api:
    base_url: ` + api.URL + `
    credential: {type: bearer, token: "${UNSET:-}"}
    tools: {ping: {request: GET /ping}}
  box:
    base_url: "sandbox:"
    spec: box.yaml
    credential: {type: api_key, in: header, name: X-Key, value: "${UNSET:-}"}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	document := "openapi: 3.0.3\ninfo: {title: Box, version: '1'}\npaths: {/a: {get: {operationId: a, responses: {'200': {description: ok}}}}}\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "box.yaml"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(t.Context(), cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())

	outcome := g.Call(t.Context(), "ping", nil)
	if outcome.OK || len(outcome.Errors) != 1 || outcome.Errors[0].Code != fault.ConfigurationMissing || outcome.Errors[0].Retryable {
		t.Errorf("outcome %+v, want %s", outcome, fault.ConfigurationMissing)
	}
	if asked != 0 {
		t.Errorf("the API was asked %d times without a credential", asked)
	}
	var messages []string
	for _, w := range g.Report().Warnings {
		messages = append(messages, w.Message)
		if w.Pos.Line != 5 {
			t.Errorf("the warning is on line %d, want 5", w.Pos.Line)
		}
	}
	want := []string{"upstreams.api.credential.token is empty; calls of api fail until it is set"}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
}
