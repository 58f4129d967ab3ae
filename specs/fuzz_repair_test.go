package specs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzRepair damages real documents in a few places: it deletes values, puts others in their place, and turns references
// elsewhere. What it did not touch has to stay: an operation that neither holds one of these places nor refers to one keeps its
// parameters and its body, with the schemas that they lead to.
func FuzzRepair(f *testing.F) {
	list, err := documents("testdata/corpus")
	if err != nil {
		f.Fatal(err)
	}
	var sources []string
	for _, name := range list {
		if !strings.Contains(name, "nexmo__sms") { // one of nexmo's is enough
			sources = append(sources, name)
		}
	}
	for i := range sources {
		f.Add(uint8(i), []byte{0, 10, 0, 1, 200, 1})
		f.Add(uint8(i), []byte{1, 40, 2, 7, 90, 3, 250, 3, 4})
	}
	f.Fuzz(func(t *testing.T, which uint8, program []byte) {
		tree := generic(t, sources[int(which)%len(sources)])
		before := reachOf(tree, inputsOf(t, tree))
		var touched [][]string
		for step := range slices.Chunk(program[:min(len(program), 24)], 3) {
			if len(step) == 3 {
				if place := damage(tree, step); place != nil {
					touched = append(touched, place)
				}
			}
		}
		after := inputsOf(t, tree)
		for op, was := range before {
			if was.touchedBy(touched) {
				continue
			}
			if diff := cmp.Diff(was.inputs, after[op]); diff != "" {
				t.Errorf("%s: with %q damaged, %s is another (-was +is):\n%s", sources[int(which)%len(sources)], touched, op, diff)
			}
		}
	})
}

// damage changes one value below a second-level key or deeper, and returns its place; nil where there is none to change.
func damage(tree any, step []byte) []string {
	places := slices.DeleteFunc(allPlaces(tree, nil), func(at []string) bool { return len(at) < 2 })
	if len(places) == 0 {
		return nil
	}
	place := places[(int(step[0])<<8|int(step[1]))%len(places)]
	owner := tree
	for _, key := range place[:len(place)-1] {
		owner = below(owner, key)
	}
	last := place[len(place)-1]
	var replacement any
	switch step[2] % 6 {
	case 0:
		if m, ok := owner.(map[string]any); ok {
			delete(m, last)
			return place
		}
	case 1:
		replacement = otherType(below(owner, last))
	case 2:
		replacement = map[string]any{"$ref": "#/nowhere/at/all"}
	case 3:
		target := places[int(step[2])*7919%len(places)]
		pointer := ""
		for _, token := range target {
			pointer += "/" + pointerEscape.Replace(token)
		}
		replacement = map[string]any{"$ref": "#" + pointer}
	case 4:
		replacement = map[string]any{"nullable": true, "required": true, "items": []any{"x"}, "in": "body", "$id": "x"}
	}
	switch owner := owner.(type) {
	case map[string]any:
		owner[last] = replacement
	case []any:
		var i int
		fmt.Sscan(last, &i)
		owner[i] = replacement
	}
	return place
}

func below(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[key]
	case []any:
		var i int
		if _, err := fmt.Sscan(key, &i); err == nil && i >= 0 && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// inputsOf loads a tree and writes each operation's parameters and body, with the schemas that they lead to instead of the
// names in Defs, which depend on what else there is.
func inputsOf(t *testing.T, tree map[string]any) map[string]string {
	t.Helper()
	data, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	put(t, folder, "doc.json", string(data))
	doc, warnings, err := Loader{Dir: folder}.Load(t.Context(), "doc.json")
	if err != nil {
		t.Errorf("does not load: %v", err)
		return nil
	}
	for _, w := range warnings {
		if w.Pos.Line == 0 {
			t.Errorf("a warning without its place: %s", w)
		}
	}
	checkRefs(t, doc)
	inputs := map[string]string{}
	for _, op := range doc.Operations() {
		key := op.Method + " " + op.Path
		if _, twice := inputs[key]; twice {
			inputs[key] = "twice" // two paths that are one: either may be meant
			continue
		}
		inputs[key] = written(t, doc, op)
	}
	return inputs
}

func written(t *testing.T, doc *Document, op *Operation) string {
	t.Helper()
	var body any
	if op.Body != nil {
		var content []any
		for _, m := range op.Body.Content {
			content = append(content, []any{m.Type, m.Schema, m.Encoding}) // examples are no input
		}
		body = []any{op.Body.Required, content}
	}
	names := map[string]int{}
	queue := []string{}
	var whole strings.Builder
	add := func(v any) {
		data, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if before, name, ok := strings.Cut(line, `"$ref": "#/$defs/`); ok {
				name, _, _ = strings.Cut(name, `"`)
				if _, known := names[name]; !known {
					names[name] = len(names)
					queue = append(queue, name)
				}
				line = fmt.Sprintf("%s-> %d\n", before, names[name])
			}
			whole.WriteString(line)
		}
		whole.WriteByte('\n')
	}
	add(op.Parameters)
	add(body)
	for i := 0; i < len(queue); i++ {
		add(doc.Defs[queue[i]])
	}
	return whole.String()
}

// reach is an operation's inputs, and the places of the document that they depend on.
type reach struct {
	inputs string
	own    [][]string
}

// reachOf finds for each operation its own place, its path's parameters, and what these refer to, directly or not.
func reachOf(tree map[string]any, inputs map[string]string) map[string]reach {
	all := map[string]reach{}
	paths, _ := tree["paths"].(map[string]any)
	for path, item := range paths {
		members, _ := item.(map[string]any)
		for method := range members {
			plain, _, _ := strings.Cut(path, "#")
			op := strings.ToUpper(method) + " " + plain
			if in, ok := inputs[op]; ok && in != "twice" && members["$ref"] == nil {
				r := reach{inputs: in}
				r.add(tree, []string{"paths", path, method})
				r.add(tree, []string{"paths", path, "parameters"})
				r.own = append(r.own, []string{"paths", path, "$ref"}, []string{"consumes"})
				all[op] = r
			}
		}
	}
	return all
}

func (r *reach) add(tree any, place []string) {
	if slices.ContainsFunc(r.own, func(p []string) bool { return slices.Equal(p, place) }) {
		return
	}
	r.own = append(r.own, place)
	v := tree
	for _, key := range place {
		v = below(v, key)
	}
	r.follow(tree, v)
}

func (r *reach) follow(tree, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			text, ok := item.(string)
			pointer, local := strings.CutPrefix(text, "#/")
			if ok && local && key == "$ref" {
				tokens := strings.Split(pointer, "/")
				for i := range tokens {
					tokens[i] = pointerUnescape.Replace(tokens[i])
				}
				r.add(tree, tokens)
			}
			if strings.HasPrefix(text, "#") && !local && strings.HasPrefix(key, "$") {
				r.own = append(r.own, []string{"components"}, []string{"components", "schemas"}) // an anchor may be anywhere
			}
			r.follow(tree, item)
		}
	case []any:
		for _, item := range v {
			r.follow(tree, item)
		}
	}
}

// touchedBy reports whether a changed place holds one of the operation's, or lies in it.
func (r reach) touchedBy(places [][]string) bool {
	for _, place := range places {
		for _, own := range r.own {
			n := min(len(place), len(own))
			if slices.Equal(place[:n], own[:n]) {
				return true
			}
		}
	}
	return false
}
