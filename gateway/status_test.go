package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/internal/fault"
)

func TestHealth(t *testing.T) {
	now := time.Unix(1000, 0)
	answers := make(chan int, 3)
	upstream := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(<-answers) })
	g, server := serve(t, setup{
		upstream: upstream, yaml: "defaults: {retry: {attempts: 1}}\n",
		options: Options{Version: "1.2.3", Now: func() time.Time { return now }},
	})
	look := func() (h health) {
		t.Helper()
		got := do(t, http.MethodGet, server.URL+"/health", "")
		if err := json.Unmarshal([]byte(got.body), &h); err != nil || got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return h
	}
	now = now.Add(90 * time.Second)
	want := health{
		Status: "ok", Name: "pets", Version: "1.2.3", UptimeSeconds: 90, Tools: 3,
		Upstreams: map[string]upstreamHealth{"pets": {pulseCounts: pulseCounts{State: stateIdle}, Tools: 3}},
	}
	if diff := cmp.Diff(want, look(), cmp.AllowUnexported(upstreamHealth{})); diff != "" {
		t.Error(diff)
	}
	for _, step := range []struct {
		status int
		want   pulseCounts
	}{
		{204, pulseCounts{State: stateOK, Calls: 1}},
		{503, pulseCounts{State: stateFailing, Calls: 2, Failures: 1, LastCode: fault.Server}},
		{404, pulseCounts{State: stateOK, Calls: 3, Failures: 2, LastCode: fault.NotFound}}, // it answers
	} {
		answers <- step.status
		g.Call(t.Context(), "getPet", json.RawMessage(`{"id":1}`))
		if diff := cmp.Diff(step.want, look().Upstreams["pets"].pulseCounts); diff != "" {
			t.Errorf("after a %d: %s", step.status, diff)
		}
	}
	g.Call(t.Context(), "getPet", json.RawMessage(`{}`)) // an argument is missing: no news of the upstream
	if got := look().Upstreams["pets"].State; got != stateOK {
		t.Errorf("after a wrong argument: %s", got)
	}
}

func TestPaths(t *testing.T) {
	_, server := serve(t, setup{})
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200}, {"HEAD", "/", 200}, {"POST", "/", 405},
		{"GET", "/healthz", 200}, {"HEAD", "/healthz", 200}, {"POST", "/healthz", 405},
		{"GET", "/readyz", 200}, {"GET", "/health", 200}, {"DELETE", "/health", 405},
		{"GET", "/robots933456.txt", 404}, {"GET", "/sse", 404}, {"POST", "/messages", 404}, {"GET", "/metrics", 404},
		{"GET", "/debug/pprof/", 404}, {"POST", "/mcp/x", 404}, {"POST", "/mcp/", 200}, {"POST", "/mcp", 200},
	} {
		got := do(t, tt.method, server.URL+tt.path, callGetPet)
		if got.status != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, got.status, tt.want)
		}
		if tt.want == 404 && (got.header.Get("Content-Type") != "application/json" || !json.Valid([]byte(got.body))) {
			t.Errorf("%s: not JSON: %s", tt.path, got.body)
		}
		if tt.method == http.MethodHead && got.body != "" {
			t.Errorf("%s: a body: %s", tt.path, got.body)
		}
	}
}

func TestHealthHandlerHasNothingElse(t *testing.T) {
	handler := newGateway(t, setup{}).HealthHandler()
	for path, want := range map[string]int{"/health": 200, "/healthz": 200, "/readyz": 200, "/": 404, "/mcp": 404} {
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		if recorder.Code != want {
			t.Errorf("%s: %d, want %d", path, recorder.Code, want)
		}
	}
}

func TestStatusPage(t *testing.T) {
	_, open := serve(t, setup{yaml: "server: {public_url: 'https://mcp.example.com/gw/', path: /x/mcp}\n"})
	page := do(t, http.MethodGet, open.URL+"/", "", "Accept: text/html,application/xhtml+xml").body
	for _, part := range []string{"<h1>pets</h1>", "3 tools", "https://mcp.example.com/gw/x/mcp", "getPet", "claude mcp add --transport http pets"} {
		if !strings.Contains(page, part) {
			t.Errorf("no %q in %s", part, page)
		}
	}
	plain := do(t, http.MethodGet, open.URL+"/", "").body
	if diff := cmp.Diff(`{"mcp":"https://mcp.example.com/gw/x/mcp","name":"pets","tools":3,"version":"dev"}`, plain); diff != "" {
		t.Error(diff)
	}
	_, locked := serve(t, setup{yaml: keys})
	page = do(t, http.MethodGet, locked.URL+"/", "", "Accept: text/html").body
	if strings.Contains(page, "getPet") || !strings.Contains(page, "3 tools") || !strings.Contains(page, "Authorization: Bearer") {
		t.Errorf("with keys: %s", page)
	}
}

func TestStatusPageEscapes(t *testing.T) {
	g := newGateway(t, setup{})
	cfg := *g.cfg
	cfg.Name = `<script>alert(1)</script> "$(rm)"`
	g.cfg = &cfg
	recorder := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/html")
	g.serveStatus(recorder, r)
	if page := recorder.Body.String(); strings.Contains(page, "<script>") || strings.Contains(page, "http $(rm)") {
		t.Errorf("%s", page)
	}
}
