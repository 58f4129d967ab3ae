package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"mcpgate/auth"
	"mcpgate/internal/fault"
)

// The headers that gateway.yaml names go to the API as the caller sent them; the gateway's own key and everything else end here.
func TestForwardedHeaders(t *testing.T) {
	var seen http.Header
	_, server := serve(t, setup{yaml: "    credential: {type: forward, headers: [X-Tenant, X-Api-Token]}\n" + keys, inUpstream: true,
		upstream: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = r.Header
			replyJSON(w, http.StatusForbidden, map[string]string{"message": "no: " + r.Header.Get("X-Api-Token")})
		})})
	got := post(t, server, callGetPet, "Authorization: Bearer sesame", "X-Tenant: acme", "X-Api-Token: Token the-callers-token", "X-Other: no", "Cookie: a=b")
	if seen.Get("X-Tenant") != "acme" || seen.Get("X-Api-Token") != "Token the-callers-token" {
		t.Errorf("the API saw %v", seen)
	}
	for _, name := range []string{"Authorization", "Cookie", "X-Other", "X-Api-Key"} {
		if seen.Get(name) != "" {
			t.Errorf("the API saw %s: %s", name, seen.Get(name))
		}
	}
	if strings.Contains(got.body, "the-callers-token") || !strings.Contains(got.body, "[secret]") {
		t.Errorf("what the API said of it: %s", got.body)
	}
	seen = nil
	if got := post(t, server, callGetPet, "Authorization: Bearer sesame", "X-Tenant: acme"); seen != nil || !strings.Contains(got.body, "send X-Api-Token, and it did not") {
		t.Errorf("without one of them: %v %s", seen, got.body)
	}
}

// Over stdio there are no headers: the call says what is missing.
func TestForwardOverStdio(t *testing.T) {
	g := newGateway(t, setup{yaml: "    credential: {type: forward, headers: [X-Tenant]}\n", inUpstream: true})
	got := g.Call(auth.WithPrincipal(t.Context(), auth.Local()), "getPet", json.RawMessage(`{"id":1}`))
	if got.OK || got.Errors[0].Code != fault.Authentication || !strings.Contains(got.Errors[0].Hint, "stdio") {
		t.Errorf("%+v", got.Errors)
	}
	shown, err := g.DryRun(t.Context(), "getPet", json.RawMessage(`{"id":1}`))
	if err != nil || !strings.Contains(shown, "X-Tenant: [secret]") {
		t.Errorf("%v %s", err, shown)
	}
}
