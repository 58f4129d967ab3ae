package mapping

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStyles is the table of styles of OpenAPI 3.1.1, section "Style Examples", with what it leaves open.
func TestStyles(t *testing.T) {
	colors := []any{"blue", "black", "brown"}
	rgb := map[string]any{"R": json.Number("100"), "G": json.Number("200"), "B": json.Number("150")}
	tests := []struct {
		in, style string
		explode   bool
		value     any
		want      string
	}{
		{"path", "simple", false, "blue", "blue"},
		{"path", "simple", false, colors, "blue,black,brown"},
		{"path", "simple", true, colors, "blue,black,brown"},
		{"path", "simple", false, rgb, "B,150,G,200,R,100"},
		{"path", "simple", true, rgb, "B=150,G=200,R=100"},
		{"path", "label", false, "blue", ".blue"},
		{"path", "label", false, colors, ".blue,black,brown"},
		{"path", "label", true, colors, ".blue.black.brown"},
		{"path", "label", false, rgb, ".B,150,G,200,R,100"},
		{"path", "label", true, rgb, ".B=150.G=200.R=100"},
		{"path", "matrix", false, "blue", ";color=blue"},
		{"path", "matrix", false, "", ";color"},
		{"path", "matrix", false, colors, ";color=blue,black,brown"},
		{"path", "matrix", true, colors, ";color=blue;color=black;color=brown"},
		{"path", "matrix", false, rgb, ";color=B,150,G,200,R,100"},
		{"path", "matrix", true, rgb, ";B=150;G=200;R=100"},
		{"path", "simple", false, []any{"a,b", "c/d"}, "a%2Cb,c%2Fd"},

		{"query", "form", true, "", "color="},
		{"query", "form", true, "blue", "color=blue"},
		{"query", "form", false, colors, "color=blue,black,brown"},
		{"query", "form", true, colors, "color=blue&color=black&color=brown"},
		{"query", "form", false, rgb, "color=B,150,G,200,R,100"},
		{"query", "form", true, rgb, "B=150&G=200&R=100"},
		{"query", "spaceDelimited", false, colors, "color=blue%20black%20brown"},
		{"query", "spaceDelimited", true, colors, "color=blue&color=black&color=brown"},
		{"query", "spaceDelimited", false, rgb, "color=B%20150%20G%20200%20R%20100"},
		{"query", "pipeDelimited", false, colors, "color=blue%7Cblack%7Cbrown"},
		{"query", "pipeDelimited", true, colors, "color=blue&color=black&color=brown"},
		{"query", "deepObject", true, rgb, "color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100"},
		{"query", "deepObject", true, map[string]any{"a": map[string]any{"b": []any{"x", map[string]any{"c": true}}}},
			"color%5Ba%5D%5Bb%5D%5B0%5D=x&color%5Ba%5D%5Bb%5D%5B1%5D%5Bc%5D=true"},
		{"query", "deepObject", true, colors, "color%5B0%5D=blue&color%5B1%5D=black&color%5B2%5D=brown"},
		{"query", "form", true, true, "color=true"},
		{"query", "form", true, json.Number("12345678901234567890.10"), "color=12345678901234567890.10"},
		{"query", "form", true, 1e3, "color=1000"},
		{"query", "form", true, nil, ""},
		{"query", "form", false, []any{}, ""},
		{"query", "form", true, map[string]any{"a": nil}, ""},
		{"query", "deepObject", true, map[string]any{}, ""},
		{"query", "form", true, []any{"a", nil, "b"}, "color=a&color=b"},
		{"query", "form", true, []any{map[string]any{"a": "<"}}, "color=%7B%22a%22%3A%22%3C%22%7D"},
		{"query", "form", true, "a b&c=d+e;f#g/é", "color=a%20b%26c%3Dd%2Be%3Bf%23g%2F%C3%A9"},

		{"header", "simple", false, colors, "blue,black,brown"},
		{"header", "simple", true, rgb, "B=150,G=200,R=100"},
		{"header", "simple", false, `W/"a b"`, `W/"a b"`},
		{"cookie", "form", true, "a b;c=d", "color=a%20b%3Bc=d"},
		{"cookie", "form", false, colors, "color=blue,black,brown"},
		{"cookie", "form", true, colors, "color=blue; color=black; color=brown"},
	}
	for _, test := range tests {
		s := slot{name: "color", style: test.style, explode: test.explode}
		var got string
		switch test.in {
		case "path":
			got = s.pathValue(test.value)
		case "query":
			got = strings.Join(s.queryPairs(test.value), "&")
		case "header":
			got = s.headerValue(test.value)
		case "cookie":
			got = strings.Join(s.cookiePairs(test.value), "; ")
		}
		if got != test.want {
			t.Errorf("%s %s explode=%v %v:\n got %s\nwant %s", test.in, test.style, test.explode, test.value, got, test.want)
		}
	}
}

func TestReserved(t *testing.T) {
	s := slot{name: "$filter", style: "form", reserved: true}
	for value, want := range map[any]string{
		"name eq 'a/b'":                   "$filter=name%20eq%20'a/b'",
		"https://x.example/?a=b&c=d#e[1]": "$filter=https://x.example/?a=b%26c=d%23e%5B1%5D",
		"50%25 of 10% is 5%zz":            "$filter=50%25%20of%2010%25%20is%205%25zz",
		"a;b":                             "$filter=a%3Bb",
		"é\r\n":                           "$filter=%C3%A9%0D%0A",
		json.Number("1"):                  "$filter=1",
	} {
		if diff := cmp.Diff(want, strings.Join(s.queryPairs(value), "&")); diff != "" {
			t.Error(diff)
		}
	}
	got := s.queryPairs([]any{"a,b", "c:d"})
	if diff := cmp.Diff([]string{"$filter=a%2Cb,c:d"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestContentParameter(t *testing.T) {
	filter := map[string]any{"name": "a&b", "n": json.Number("1.0")}
	s := slot{name: "filter", contentType: "application/json"}
	if diff := cmp.Diff([]string{"filter=%7B%22n%22%3A1.0%2C%22name%22%3A%22a%26b%22%7D"}, s.queryPairs(filter)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`{"n":1.0,"name":"a&b"}`, s.headerValue(filter)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"filter=%22x%22"}, s.queryPairs("x")); diff != "" {
		t.Error(diff)
	}
	s.contentType = "text/plain"
	if diff := cmp.Diff([]string{"filter=x"}, s.queryPairs("x")); diff != "" {
		t.Error(diff)
	}
}

// FuzzParameter writes strings, lists and objects in every style, and reads them back.
func FuzzParameter(f *testing.F) {
	for i := range uint8(12) {
		f.Add(i, "a,b|c d", "é&=#%", "\x00;.[]")
	}
	f.Fuzz(func(t *testing.T, style uint8, a, b, c string) {
		styles := []struct {
			style   string
			explode bool
		}{{"simple", false}, {"simple", true}, {"label", false}, {"label", true}, {"matrix", false}, {"matrix", true},
			{"form", false}, {"form", true}, {"deepObject", true}, {"form in a cookie", false}, {"form in a cookie", true}}
		chosen := styles[int(style)%len(styles)]
		s := slot{name: "p[x]", style: chosen.style, explode: chosen.explode}
		list := []string{a, b, c}
		var value []any
		for _, item := range list {
			value = append(value, item)
		}
		if got := readList(t, s, value); !slices.Equal(got, list) {
			t.Errorf("%v: %q came back as %q", s, list, got)
		}
		object := map[string]any{"k" + a: b, "k" + c: a}
		if diff := cmp.Diff(object, readObject(t, s, object)); diff != "" {
			t.Errorf("%v: %s", s, diff)
		}
	})
}

// written is a value as it stands in its place, taken apart at the style's own separators and not yet decoded.
func written(s slot, value any) (text string, separator string) {
	switch s.style {
	case "simple":
		return s.pathValue(value), ","
	case "label":
		if s.explode {
			return strings.TrimPrefix(s.pathValue(value), "."), "."
		}
		return strings.TrimPrefix(s.pathValue(value), "."), ","
	case "matrix":
		if s.explode {
			return strings.TrimPrefix(s.pathValue(value), ";"), ";"
		}
		return strings.TrimPrefix(strings.TrimPrefix(s.pathValue(value), ";p%5Bx%5D"), "="), ","
	case "form in a cookie":
		if s.explode {
			return strings.Join(s.cookiePairs(value), "; "), "; "
		}
		return strings.TrimPrefix(s.cookiePairs(value)[0], "p%5Bx%5D="), ","
	}
	if s.explode {
		return strings.Join(s.queryPairs(value), "&"), "&"
	}
	return strings.TrimPrefix(s.queryPairs(value)[0], "p%5Bx%5D="), ","
}

// named reports whether each part carries a name.
func named(s slot) bool { return s.explode && s.style != "simple" && s.style != "label" }

func readList(t *testing.T, s slot, value []any) []string {
	text, separator := written(s, value)
	var list []string
	for part := range strings.SplitSeq(text, separator) {
		if named(s) {
			_, part, _ = strings.Cut(part, "=")
		}
		list = append(list, decoded(t, part))
	}
	return list
}

func readObject(t *testing.T, s slot, value map[string]any) map[string]any {
	text, separator := written(s, value)
	parts := strings.Split(text, separator)
	object := map[string]any{}
	for i := 0; i < len(parts); i++ {
		key, member, _ := strings.Cut(parts[i], "=")
		if !s.explode {
			key, member = parts[i], parts[i+1]
			i++
		}
		key = decoded(t, key)
		if s.style == "deepObject" {
			key = strings.TrimSuffix(strings.TrimPrefix(key, "p[x]["), "]")
		}
		object[key] = decoded(t, member)
	}
	return object
}

func decoded(t *testing.T, text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return plain
}
