package specs

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const overlaidPets = `openapi: 3.0.3
info: {title: Pets, version: '1', description: Old}
tags: [{name: a}]
paths:
  /pets:
    get:
      operationId: listPets
      tags: [pets]
      parameters: [{name: limit, in: query, schema: {type: string}}, {name: debug, in: query, schema: {type: string}}]
      responses: {}
    delete: {operationId: dropAll, x-internal: true, responses: {}}
  /admin:
    get: {operationId: admin, x-internal: true, responses: {}}
    post: {operationId: adminPost, x-internal: true, responses: {}}
components: {schemas: {Pet: {type: object, properties: {id: {type: integer}}}}}
`

func loadOverlaid(t *testing.T, overlays ...string) (*Document, []Warning, error) {
	t.Helper()
	folder := t.TempDir()
	put(t, folder, "pets.yaml", overlaidPets)
	loader := Loader{Dir: folder}
	for i, content := range overlays {
		name := "overlay" + string(rune('1'+i)) + ".yaml"
		put(t, folder, name, content)
		overlay, err := loader.Overlay(t.Context(), name)
		if err != nil {
			return nil, nil, err
		}
		loader.Overlays = append(loader.Overlays, overlay)
	}
	return loader.Load(t.Context(), "pets.yaml")
}

func TestOverlays(t *testing.T) {
	doc, warnings, err := loadOverlaid(t, `overlay: 1.0.0
info: {title: Fix, version: '1'}
actions:
  - target: $.info
    update: {description: New, x-kept: 1}
  - target: $..[?@['x-internal'] == true]
    remove: true
  - target: $.paths['/pets'].get.parameters[?@.name == 'debug']
    remove: true
  - target: $.paths['/pets'].get.parameters[?@.name == 'limit'].schema
    update: {type: integer}
  - target: $.paths['/pets'].get.parameters
    update: {name: kind, in: query, schema: {$ref: '#/components/schemas/Kind'}}
  - target: $.paths['/pets'].get
    update: {tags: [more], summary: {wrong: true}}
  - target: $
    update:
      servers: [{url: 'https://pets.example'}]
      components: {schemas: {Kind: {type: string, enum: [cat, dog]}}}
  - target: $.paths['/gone']
    remove: true
  - target: $
    remove: true
`, `overlay: 1.0.0
actions:
  - target: $.components.schemas.Kind.enum
    update: emu
  - target: $.info.description
    update: Newest
`)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Description != "Newest" || len(doc.Servers) != 1 || doc.Servers[0].URL != "https://pets.example" {
		t.Errorf("description %q, servers %v", doc.Description, doc.Servers)
	}
	if ops := doc.Operations(); len(ops) != 1 || ops[0].ID != "listPets" {
		t.Fatalf("operations %v", ops)
	}
	op := doc.Operations()[0]
	if diff := cmp.Diff([]string{"pets", "more"}, op.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	want := []Parameter{
		{Name: "limit", In: "query", Style: "form", Explode: true, Schema: Schema{"type": "integer"}},
		{Name: "kind", In: "query", Style: "form", Explode: true, Schema: Schema{"$ref": "#/$defs/Kind"}},
	}
	if diff := cmp.Diff(want, op.Parameters); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Schema{"type": "string", "enum": []any{"cat", "dog", "emu"}}, doc.Defs["Kind"]); diff != "" {
		t.Errorf("Kind (-want +got):\n%s", diff)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.String()+" "+w.Pos.Pointer)
	}
	// The odd summary stands in the overlay, and in the document's operation.
	wantWarnings := []string{
		"overlay1.yaml:15:37: a text belongs here, not an object; left out #/paths/~1pets/get/summary",
		"overlay1.yaml:20:13: the overlay's target \"$.paths['/gone']\" matches nothing #/actions/7/target",
		"overlay1.yaml:22:13: an overlay can't remove the document itself; left out #/actions/8/target",
	}
	if diff := cmp.Diff(wantWarnings, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// TestOverlaysInOrder lets each action see what those before it have done, in lists and where one match lies in another.
func TestOverlaysInOrder(t *testing.T) {
	doc, warnings, err := loadOverlaid(t, `overlay: 1.0.0
actions:
  - {target: '$.tags', update: {name: b, inner: {x-gone: true}}}
  - {target: '$.tags[0]', remove: true}
  - {target: '$.tags[?@.name == "b"]', update: {name: c}}
  - {target: '$.paths..[?@["x-internal"]]', remove: true}
  - {target: '$.paths["/admin"]', update: {put: {operationId: '1', responses: {}}}}
  - {target: '$.paths["/admin"].put.operationId', update: put_admin}
  - {target: '$.paths.*', update: {patch: {responses: {}}}}
  - {target: '$.paths[?@.put.operationId == "put_admin"].patch', update: {operationId: patch_admin}}
  - {target: '$.tags[?@.name == "c"]', remove: true}
  - {target: '$.tags[0]', remove: true}
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, op := range doc.Operations() {
		got = append(got, op.Method+" "+op.Path+" "+op.ID)
	}
	want := []string{"GET /pets listPets", "PATCH /pets ", "PUT /admin put_admin", "PATCH /admin patch_admin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if len(warnings) != 1 || warnings[0].Kind != Unmatched || warnings[0].Pos.Line != 12 {
		t.Errorf("warnings %v", warnings)
	}
}

func TestWhatIsNoOverlay(t *testing.T) {
	deep := "overlay: 1.0.0\nactions: [{target: $, update: {x: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}}, {target: '$.x" +
		strings.Repeat("[0]", 100) + "', update: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}]\n"
	bomb := "overlay: 1.0.0\nactions:\n" + strings.Repeat("  - {target: '$.paths..*', update: {a: {}, b: {}, c: {}, d: {}, e: {}}}\n", 40)
	for name, test := range map[string]struct{ content, want string }{
		"a document":   {overlaidPets, "overlay1.yaml:1:1: this is not an OpenAPI Overlay: it has no `overlay: 1.0.0`"},
		"version":      {"overlay: 2.0.0\n", `overlay1.yaml:1:10: Overlay version "2.0.0" is not known; 1.0.0 is`},
		"no actions":   {"overlay: 1.0.0\n", "overlay1.yaml:1:1: an overlay needs a list of `actions`"},
		"no target":    {"overlay: 1.0.0\nactions: [{remove: true}]\n", "overlay1.yaml:2:11: an action needs a `target`: a JSONPath such as $.paths['/pets'].get"},
		"no path":      {"overlay: 1.0.0\nactions:\n  - {target: 'paths', remove: true}\n", `overlay1.yaml:3:14: "paths" is no JSONPath (RFC 9535): unexpected identifier at position 1`},
		"neither":      {"overlay: 1.0.0\nactions: [{target: $}]\n", "overlay1.yaml:2:11: an action needs an `update`, or `remove: true`"},
		"unknown key":  {"overlay: 1.0.0\nactions: [{target: $, udpate: {}}]\n", `overlay1.yaml:2:31: an action has no "udpate"; it has target, update and remove`},
		"remove":       {"overlay: 1.0.0\nactions: [{target: $, remove: [1]}]\n", "overlay1.yaml:2:31: remove is true or false, not a list"},
		"many ..":      {"overlay: 1.0.0\nactions: [{target: '$..a..b..c', remove: true}]\n", "overlay1.yaml:2:20: a target has at most 2 `..`"},
		"kinds":        {"overlay: 1.0.0\nactions: [{target: $.info, update: text}]\n", "overlay1.yaml:2:36: this can't be merged into an object at #/info"},
		"too deep":     {deep, "overlay1.yaml:2:"},
		"a bomb of it": {bomb, "overlay1.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := loadOverlaid(t, test.content)
			if err == nil {
				t.Fatal("loaded")
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %s\nwant %s", err, test.want)
			}
			var placed *Error
			if !errors.As(err, &placed) {
				t.Errorf("no place: %#v", err)
			}
		})
	}
}
