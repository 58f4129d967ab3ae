package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

// configure writes files and loads gateway.yaml among them.
func configure(t testing.TB, files map[string]string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	cfg, err := config.Load(filepath.Join(dir, "gateway.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// One upstream whose document is gone, and one bad document of several, cost their own tools and nobody else's.
func TestOneBadDocumentDoesNotKeepTheOthersOut(t *testing.T) {
	owners := strings.NewReplacer("/pets", "/owners", "Pet", "Owner").Replace(petstore)
	cfg := configure(t, map[string]string{
		"pets.yaml": petstore, "owners.yaml": owners, "broken.yaml": "openapi: [",
		"gateway.yaml": `upstreams:
  gone: {spec: gone.yaml, base_url: "http://127.0.0.1:1"}
  good:
    base_url: http://127.0.0.1:1
    spec:
      - pets.yaml
      - broken.yaml
      - owners.yaml
`})
	g, err := New(t.Context(), cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(t.Context())
	var names []string
	for _, tool := range g.Tools() {
		names = append(names, tool.Name)
	}
	if diff := cmp.Diff([]string{"good_getOwner", "good_getPet", "good_listOwners", "good_listPets"}, names); diff != "" {
		t.Error(diff)
	}
	var places []string
	for _, p := range g.Report().Problems {
		places = append(places, p.Path.String())
		if p.Pos.Line == 0 || p.Message == "" {
			t.Errorf("%+v has no place", p)
		}
	}
	if diff := cmp.Diff([]string{"upstreams.gone.spec.0", "upstreams.good.spec.1"}, places); diff != "" {
		t.Error(diff)
	}
	if h := g.health(); h.Problems != 2 || h.Upstreams["gone"].Tools != 0 || h.Upstreams["good"].Tools != 4 {
		t.Errorf("health: %+v", h)
	}
	if got := g.Report().Withheld["good"]; got != 2 {
		t.Errorf("%d withheld, want the two that create", got)
	}
}

func TestNothingToServeIsAnError(t *testing.T) {
	gone := configure(t, map[string]string{"gateway.yaml": "upstreams:\n  gone: {spec: gone.yaml, base_url: 'http://127.0.0.1:1'}\n"})
	_, err := New(t.Context(), gone, Options{})
	if problems, ok := errors.AsType[config.Problems](err); !ok || len(problems) != 1 {
		t.Errorf("a document that is gone: %v", err)
	}
	none := configure(t, map[string]string{"pets.yaml": petstore,
		"gateway.yaml": "upstreams:\n  pets: {spec: pets.yaml, base_url: 'http://127.0.0.1:1', expose: none}\n"})
	if _, err := New(t.Context(), none, Options{}); err == nil || !strings.Contains(err.Error(), "expose") {
		t.Errorf("nothing exposed: %v", err)
	}
}

func TestLoadingEndsWithItsContext(t *testing.T) {
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hanging.Close()
	cfg := configure(t, map[string]string{"gateway.yaml": "upstreams:\n  slow: {spec: '" + hanging.URL + "/openapi.json', base_url: 'http://127.0.0.1:1'}\n"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := Load(ctx, cfg)
		done <- err
	}()
	cancel()
	if err := within(t, done, "Load"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Documents are read side by side: several that wait for each other are all read.
func TestDocumentsAreReadAtTheSameTime(t *testing.T) {
	together := make(chan struct{})
	asked := make(chan struct{}, maxLoading)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-together
		_, _ = w.Write([]byte(petstore))
	}))
	defer server.Close()
	yaml := "upstreams:\n"
	for _, name := range []string{"a", "b", "c", "d"} {
		yaml += "  " + name + ": {spec: '" + server.URL + "/" + name + ".yaml', base_url: 'http://127.0.0.1:1'}\n"
	}
	cfg := configure(t, map[string]string{"gateway.yaml": yaml})
	go func() {
		for range maxLoading {
			<-asked
		}
		close(together)
	}()
	tools, report, err := Load(t.Context(), cfg)
	if err != nil || len(report.Problems) > 0 || len(tools) != 8 {
		t.Errorf("%d tools, %v, %v", len(tools), report.Problems, err)
	}
}

// A document's problem names the file as its warnings do: relative to where the program runs, where that is shorter.
func TestDocumentProblemNamesTheFileShortly(t *testing.T) {
	cfg := configure(t, map[string]string{
		"broken.yaml":  "openapi: [",
		"gateway.yaml": "upstreams:\n  bad: {spec: broken.yaml, base_url: 'http://127.0.0.1:1'}\n",
	})
	t.Chdir(cfg.Dir)
	_, report, err := Load(t.Context(), cfg)
	if err != nil || len(report.Problems) != 1 {
		t.Fatal(report.Problems, err)
	}
	if message := report.Problems[0].Message; !strings.HasPrefix(message, "broken.yaml:1") {
		t.Error(message)
	}
}

func TestConfigThatWasNotLoadedIsAnError(t *testing.T) {
	if _, err := New(t.Context(), &config.Config{}, Options{}); err == nil || !strings.Contains(err.Error(), "server.path") {
		t.Errorf("without a path: %v", err)
	}
}
