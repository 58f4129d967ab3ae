package specs

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func advice(t *testing.T, loader Loader, location string) []string {
	t.Helper()
	loader.Advice = time.Minute
	_, warnings, err := loader.Load(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, w := range warnings {
		if w.Kind == Advice {
			list = append(list, w.String()+" "+w.Pos.Pointer)
		}
	}
	return list
}

func TestAdvice(t *testing.T) {
	folder := t.TempDir()
	put(t, folder, "rules.yaml", `openapi: 3.0.3
info: {title: Rules}
paths:
  /a/{id}:
    get: {operationId: a, responses: {}}
    put: {operationId: a, parameters: [{name: id, in: path, schema: {type: string}}], responses: {'200': {description: ok}}}
components:
  schemas:
    A: {type: strnig}
    B: {type: object, properties: {x: {type: strnig}}}
    C D: {type: object, example: 5, default: 5}
`)
	want := []string{
		`rules.yaml:2:7: kin-openapi: value of version must be a non-empty string #/info`,
		`rules.yaml:4:3: kin-openapi: `,
		`rules.yaml:9:8: kin-openapi: unsupported 'type' value "strnig" (and 1 more like this) #/components/schemas/A`,
		`rules.yaml:11:10: kin-openapi: identifier "C D" is not supported by OpenAPIv3 standard`,
	}
	got := advice(t, Loader{Dir: folder}, "rules.yaml")
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("no %s in:\n%s", w, strings.Join(got, "\n"))
		}
	}
	if strings.Contains(strings.Join(got, "\n"), "example") || strings.Contains(strings.Join(got, "\n"), "default") {
		t.Errorf("examples and defaults are nothing to worry about:\n%s", strings.Join(got, "\n"))
	}

	// What it can't load it says one thing of; the document serves all the same.
	put(t, folder, "refused.yaml", `openapi: 3.0.3
info: {title: Refused, version: '1'}
paths:
  /a: {get: {operationId: a, responses: {'200': {description: ok}}}}
components:
  schemas:
    A: {$ref: '#/components/schemas/Gone'}
`)
	got = advice(t, Loader{Dir: folder}, "refused.yaml")
	if len(got) != 1 || !strings.HasPrefix(got[0], "refused.yaml:") || !strings.Contains(got[0], "Gone") {
		t.Errorf("got %q", got)
	}
	put(t, folder, "fine.yaml", strings.Replace(small, "responses: {}", "responses: {'200': {description: ok}}", 1))
	if got := advice(t, Loader{Dir: folder}, "fine.yaml"); len(got) > 0 {
		t.Errorf("a good document gets advice: %q", got)
	}
}

// TestAdviceFetchesNothing gives kin-openapi a document that names places it must not go to.
func TestAdviceFetchesNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked for", r.URL)
	}))
	defer server.Close()
	folder := t.TempDir()
	put(t, folder, "secret.yaml", "type: string\n")
	put(t, folder, "real/near.yaml", "A: {type: string}\n")
	put(t, folder, "real/doc.yaml", `openapi: 3.1.0
info: {title: T, version: '1'}
paths: {/a: {get: {operationId: a, responses: {'200': {description: ok}}}}}
components:
  schemas:
    A: {$ref: 'near.yaml#/A'}
    B: {$id: '`+server.URL+`/id', type: object}
    C: {$ref: '`+server.URL+`/schema.json'} # the first that it can't follow
    D: {$ref: '../secret.yaml'}
    E: {$ref: '`+filepath.ToSlash(folder)+`/secret.yaml'}
`)
	got := advice(t, Loader{Dir: folder, Client: server.Client()}, "real/doc.yaml")
	if len(got) != 1 || !strings.Contains(got[0], "is not read") {
		t.Errorf("got %q", got)
	}
}

// TestAdviceOnCorpus wants no more than it bears of any published document, with places that exist.
func TestAdviceOnCorpus(t *testing.T) {
	list, err := documents("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, name := range list {
		got := advice(t, Loader{}, name)
		told += len(got)
		if len(got) > maxAdvice+1 {
			t.Errorf("%s: %d pieces of advice", name, len(got))
		}
		for _, line := range got {
			t.Log(line)
			if strings.Contains(line, "can't handle") {
				t.Errorf("kin-openapi panics: %s", line)
			}
			if strings.Contains(line, "\n") || len(line) > 2*maxAdviceText {
				t.Errorf("not one short line: %q", line)
			}
		}
	}
	if told == 0 {
		t.Error("no advice at all")
	}
}

func TestAdviceText(t *testing.T) {
	for text, want := range map[string]string{
		"failed to unmarshal data: json error: bad\n thing, yaml error: bad thing": "bad thing",
		strings.Repeat("ö", 400): strings.Repeat("ö", maxAdviceText/2) + "...",
	} {
		if diff := cmp.Diff(want, kinText(text)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
