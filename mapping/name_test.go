package mapping

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
	"mcpgate/specs"
)

func TestToolName(t *testing.T) {
	long := strings.Repeat("very", 20)
	for _, test := range []struct{ prefix, id, method, path, want string }{
		{"", "listPets", "GET", "/pets", "listPets"},
		{"crm_", "repos/get-content", "GET", "/x", "crm_repos_get-content"},
		{"", "Größe lesen", "GET", "/x", "Gr_e_lesen"},
		{"", "", "GET", "/pets/{petId}/photos", "get_pets_petId_photos"},
		{"", "", "GET", "/", "get"},
		{"", "..", "POST", "/日本", "post"},
		{"a_", long, "GET", "/x", "a_veryveryveryveryveryveryveryveryveryveryveryveryveryver_" + "b7c8a2"},
		{"", "user_" + strings.Repeat("part_", 20), "GET", "/x", "user" + strings.Repeat("_part", 10) + "_0f0cf8"},
	} {
		got := toolName(test.prefix, test.id, test.method, test.path)
		if !legalName(got) {
			t.Errorf("%q is not legal", got)
		}
		if len(test.want) > 50 { // the hash is what it is
			got, test.want = got[:len(got)-6], test.want[:len(test.want)-6]
		}
		if got != test.want {
			t.Errorf("%q %s %s: got %q, want %q", test.id, test.method, test.path, got, test.want)
		}
	}
}

// TestNamesAreStable compiles operations with hard names in many orders: every tool keeps its name.
func TestNamesAreStable(t *testing.T) {
	var ops []*specs.Operation
	for i := range 40 {
		id := []string{"", "same", "same/", "sa me", strings.Repeat("long", 20), strings.Repeat("long", 20) + "er"}[i%6]
		ops = append(ops, &specs.Operation{ID: id, Method: []string{"GET", "POST"}[i%2], Path: fmt.Sprintf("/a/%d", i/2)})
	}
	names := func() map[string]string {
		c := newCompilation(&config.Config{Upstreams: map[string]*config.Upstream{"a": {Name: "a"}, "b": {Name: "b"}}})
		var plans []*plan
		for _, op := range ops {
			plans = append(plans, &plan{upstream: c.cfg.Upstreams["a"], op: op, entry: &config.Tool{}})
		}
		c.assignNames(plans)
		all, taken := map[string]string{}, map[string]bool{}
		for _, p := range plans {
			if !legalName(p.name) || taken[p.name] {
				t.Fatalf("%q", p.name)
			}
			taken[p.name] = true
			all[p.op.Method+" "+p.op.Path] = p.name
		}
		return all
	}
	want := names()
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(ops), func(i, j int) { ops[i], ops[j] = ops[j], ops[i] })
		if diff := cmp.Diff(want, names()); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestArgumentNames(t *testing.T) {
	in := &inputs{}
	for _, a := range []struct{ in, wire string }{
		{"body", "id"}, {"query", "id"}, {"path", "id"}, {"body", "@type"}, {"body", "type"}, {"body", "type!"},
		{"header", "X-Id"}, {"query", "$"}, {"body", ""}, {"query", "page[cursor]"}, {"query", strings.Repeat("a", 70)},
	} {
		in.arguments = append(in.arguments, &argument{in: a.in, wire: a.wire})
	}
	in.assignNames()
	got := map[string]string{}
	for _, a := range in.arguments {
		got[a.in+" "+a.wire] = a.name
	}
	want := map[string]string{
		"path id": "id", "query id": "query_id", "body id": "body_id", "body type": "type", "body @type": "body_type",
		"body type!": "body_type_2", "header X-Id": "X-Id", "query $": "query", "body ": "body",
		"query page[cursor]": "page_cursor", "query " + strings.Repeat("a", 70): in.arguments[10].name,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
