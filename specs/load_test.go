package specs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

const small = "openapi: 3.0.3\ninfo: {title: Small, version: '1'}\npaths: {/a: {get: {operationId: a, responses: {}}}}\n"

func put(t *testing.T, folder, name, content string) {
	t.Helper()
	full := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestShownLocation(t *testing.T) {
	for location, want := range map[string]string{
		"specs/a.yaml?token=b":                      "specs/a.yaml?token=b",
		"https://a.example/o.yaml":                  "https://a.example/o.yaml",
		"https://u:p@a.example/o.yaml":              "https://u:xxxxx@a.example/o.yaml",
		"https://a.example/o.yaml?token=abc&ref=v1": "https://a.example/o.yaml?token=xxxxx&ref=v1",
	} {
		if got := ShownLocation(location); got != want {
			t.Errorf("%s: got %s, want %s", location, got, want)
		}
	}
}

// Windows PowerShell writes UTF-16 where a person redirects a command's output into a file.
func TestUTF16(t *testing.T) {
	text := "openapi: 3.0.0\ninfo: {title: Größe, version: '1'}\npaths: {/a: {get: {operationId: getA, responses: {}}}}\n"
	for name, order := range map[string]binary.AppendByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		content := []byte(name)
		for _, unit := range utf16.Encode([]rune(text)) {
			content = order.AppendUint16(content, unit)
		}
		file := filepath.Join(t.TempDir(), "doc.yaml")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		document, _, err := Loader{}.Load(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		if document.Title != "Größe" || len(document.Operations()) != 1 {
			t.Errorf("%v: got %q and %d operations", order, document.Title, len(document.Operations()))
		}
	}
}

func TestWhatIsNoDocument(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i <= 'i'; i++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", i-1), 10), ","))
	}
	for name, test := range map[string]struct{ content, want string }{
		"empty":       {"", "doc:1:1: the file is empty"},
		"comments":    {"# nothing\n", "doc:1:1: the file holds nothing but comments"},
		"html":        {"\n<!DOCTYPE html>\n<html></html>", "doc:1:1: this is HTML, not an OpenAPI document"},
		"xml":         {"<?xml version='1.0'?><definitions/>", "doc:1:1: this is XML, not an OpenAPI document"},
		"xhtml":       {"<?xml version='1.0'?><html/>", "doc:1:1: this is HTML, not an OpenAPI document"},
		"gzip":        {"\x1f\x8b\x08\x00", "doc:1:1: this is a gzip file, not an OpenAPI document"},
		"binary":      {"\x00\x01\x02", "doc:1:1: this is a binary file, not an OpenAPI document"},
		"array":       {"[1, 2]", "doc:1:1: this is a JSON array, not an OpenAPI document"},
		"text":        {"just words", "doc:1:1: this is plain text, not an OpenAPI document"},
		"swagger 1.2": {`{"swaggerVersion": "1.2", "apis": []}`, "doc:1:1: this is a Swagger 1.2 document, not an OpenAPI document; convert it to OpenAPI 3 first"},
		"swagger 1":   {"swagger: 1.2\n", "doc:1:10: this is a Swagger 1.2 document; Swagger 2.0 and OpenAPI 3 are read"},
		"postman": {`{"info": {"_postman_id": "x", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "item": []}`,
			"doc:1:1: this is a Postman collection, not an OpenAPI document; export it as OpenAPI"},
		"asyncapi":    {"asyncapi: 3.0.0\n", "doc:1:1: this is an AsyncAPI document, not an OpenAPI document"},
		"gateway":     {"upstreams: {}\n", "doc:1:1: this is a gateway.yaml, not an OpenAPI document; spec: wants the OpenAPI document"},
		"version":     {"info: {}\nopenapi: 4.0.0\n", `doc:2:10: OpenAPI version "4.0.0" is not known; 2.0, 3.0, 3.1 and 3.2 are`},
		"other":       {"a: 1\nb: 2\n", "doc:1:1: this is not an OpenAPI document: it has neither `openapi` nor `swagger`, but \"a\", \"b\""},
		"json":        {"{\n  \"openapi\": \"3.0.0\",\n  \"info\" {}\n}", "doc:3:10: JSON syntax: invalid character '{' after object key"},
		"json end":    {`{"openapi": "3.0.0",`, "doc:1:21: JSON syntax: the document ends in the middle; is it complete?"},
		"json more":   {`{"openapi": "3.0.0"} {}`, "doc:1:23: something follows the end of the JSON document"},
		"yaml":        {"openapi: 3.0.0\ninfo:\n  title: [\n", "doc:3:3: YAML syntax: did not find expected node content"},
		"yaml tab":    {"openapi: 3.0.0\ninfo:\n\ttitle: x\n", "doc:3:1: YAML syntax: found character that cannot start any token (a tab; YAML indents with spaces)"},
		"control":     {"openapi: 3.0.0\ninfo: {title: \"a\x01b\"}\n", "doc:2:17: YAML syntax: a control character or a broken UTF-8 sequence (byte 0x01)"},
		"anchor":      {"openapi: &a [*a]\n", `doc:1:14: the anchor "a" contains itself`},
		"bomb":        {bomb, "doc:1:12: aliases expand to more than 500000 values"},
		"deep json":   {strings.Repeat("[", 300), "doc:1:258: nested more than 256 levels deep"},
		"deep yaml":   {"a: " + strings.Repeat("[", 300) + strings.Repeat("]", 300), "doc:1:260: nested more than 256 levels deep"},
		"huge number": {"{\"openapi\": \"3.0.0\",\n\"x\": 1e999999999}", "doc:2:6: the number 1e999999999 is out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, folder, "doc", test.content)
			_, _, err := Loader{Dir: folder}.Load(t.Context(), "doc")
			if err == nil {
				t.Fatal("loaded")
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var placed *Error
			if !errors.As(err, &placed) || placed.Pos.File != "doc" {
				t.Errorf("no place: %#v", err)
			}
		})
	}
}

func TestLocations(t *testing.T) {
	folder := t.TempDir()
	put(t, folder, "api/openapi.yml", small)
	put(t, folder, "none/readme.md", "")
	put(t, folder, "big.yaml", small+strings.Repeat("#", 1000))
	put(t, folder, "tree.yaml", "openapi: 3.0.0\npaths: {/a: {$ref: paths/a.yaml}}\n")
	loader := Loader{Dir: folder, MaxBytes: 1000}
	for location, want := range map[string]string{
		"api":                                 "",
		filepath.Join(folder, "api"):          "",
		"api/openapi.yml":                     "",
		"none":                                "none: this folder has no openapi.yaml, openapi.json or swagger.json: name the file",
		"gone.yaml":                           "gone.yaml: there is no such file",
		"big.yaml":                            "big.yaml: larger than 1000 bytes",
		"https://user:pass@example.com/o.yml": "https://user:xxxxx@example.com/o.yml: fetching documents is switched off",
		"https://example.com/o.yml?ref=main&private_token=abc": "https://example.com/o.yml?ref=main&private_token=xxxxx: fetching documents is switched off",
		"https://example.com/o.yml?sv=2024&sig=a%2Bb":          "https://example.com/o.yml?sv=2024&sig=xxxxx: fetching documents is switched off",
		"tree.yaml": `tree.yaml:2:13: the $ref "paths/a.yaml": paths/a.yaml is not there: this is an unbundled source; bundle it, or copy its whole folder`,
	} {
		doc, _, err := loader.Load(t.Context(), location)
		got := ""
		if err != nil {
			got = err.Error()
		} else if len(doc.Operations()) != 1 {
			t.Errorf("%s: %d operations", location, len(doc.Operations()))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", location, diff)
		}
	}
}

func TestJSONThatIsYAML(t *testing.T) {
	folder := t.TempDir()
	put(t, folder, "doc.json", "{\"openapi\": \"3.0.0\", # a comment\n\"paths\": {},}")
	if _, _, err := (Loader{Dir: folder}).Load(t.Context(), "doc.json"); err != nil {
		t.Error(err)
	}
}

// A neighbour is read only inside of the document's folder, whatever a link says; the document itself may be a link.
func TestSymbolicLinks(t *testing.T) {
	folder := t.TempDir()
	put(t, folder, "secret.yaml", "get: {operationId: secret, responses: {}}")
	put(t, folder, "real/openapi.yaml", "openapi: 3.0.0\npaths: {/in: {$ref: in.yaml}, /out: {$ref: out.yaml}, /dir: {$ref: up/secret.yaml}}\n")
	put(t, folder, "real/data.yaml", "get: {operationId: inside, responses: {}}")
	for link, target := range map[string]string{
		"real/in.yaml": "data.yaml", "real/out.yaml": "../secret.yaml", "real/up": "..", "linked.yaml": "real/data.yaml",
	} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Skipf("skipped: no symbolic links here: %v", err)
		}
	}
	doc, warnings, err := Loader{Dir: folder}.Load(t.Context(), "real/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if ops := doc.Operations(); len(ops) != 1 || ops[0].ID != "inside" {
		t.Errorf("operations: %v", ops)
	}
	want := `real/openapi.yaml:2:37: the path /out is left out: the $ref "out.yaml": "out.yaml" is refused: it leads out of the document's folder; bundle the document into one file (#/paths/~1out)
real/openapi.yaml:2:61: the path /dir is left out: the $ref "up/secret.yaml": "up/secret.yaml" is refused: it leads out of the document's folder; bundle the document into one file (#/paths/~1dir)
`
	if diff := cmp.Diff(want, lines(warnings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, _, err := (Loader{Dir: folder}).Load(t.Context(), "linked.yaml"); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("a link to a path item: %v", err)
	}
}

func TestURL(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprint(w, "get: {operationId: other, responses: {}}")
	}))
	defer other.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/docs/openapi.yaml", func(w http.ResponseWriter, req *http.Request) {
		fmt.Fprintf(w, `openapi: 3.0.3
servers: [{url: ../v1}, {url: /root}, {url: "https://x.example"}]
paths:
  /near: {$ref: paths/near.yaml}
  /above: {$ref: ../above.yaml}
  /away: {$ref: away.yaml}
  /other: {$ref: "%s/other.yaml"}
  /file: {$ref: "file:///etc/passwd"}
`, other.URL)
	})
	mux.HandleFunc("/docs/paths/near.yaml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "get: {operationId: near, responses: {}}")
	})
	mux.HandleFunc("/docs/away.yaml", func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, other.URL, http.StatusFound)
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	load := func(allow func(*url.URL) error) (ids []string, warnings []Warning) {
		t.Helper()
		doc, warnings, err := Loader{Client: server.Client(), Allow: allow}.Load(t.Context(), server.URL+"/docs/openapi.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range doc.Operations() {
			ids = append(ids, op.ID)
		}
		servers := []Server{{URL: server.URL + "/v1"}, {URL: server.URL + "/root"}, {URL: "https://x.example"}}
		if diff := cmp.Diff(servers, doc.Servers); diff != "" {
			t.Errorf("servers (-want +got):\n%s", diff)
		}
		return ids, warnings
	}
	ids, warnings := load(nil)
	if diff := cmp.Diff([]string{"near"}, ids); diff != "" {
		t.Errorf("nothing allowed (-want +got):\n%s", diff)
	}
	for i, want := range []string{"above.yaml is refused", "is refused", "is refused: the document refers to another place", "only files"} {
		if !strings.Contains(warnings[i].Message, want) {
			t.Errorf("warning %d: %s", i, warnings[i])
		}
	}
	ids, _ = load(func(u *url.URL) error {
		if u.Host == strings.TrimPrefix(other.URL, "http://") {
			return nil
		}
		return errors.New("no")
	})
	if diff := cmp.Diff([]string{"near", "other", "other"}, ids); diff != "" {
		t.Errorf("the other host allowed (-want +got):\n%s", diff)
	}
}

func TestURLErrors(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, _, err := Loader{Client: server.Client()}.Load(t.Context(), server.URL+"/openapi.yaml")
	if want := server.URL + "/openapi.yaml: can't be fetched: the server answers 404 Not Found"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = Loader{Client: server.Client()}.Load(ctx, server.URL+"/openapi.yaml")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
