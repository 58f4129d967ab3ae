package mapping

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mcpgate/config"
)

func TestLocation(t *testing.T) {
	const answer = `{"a":{"b.c":[1,{"x":2},9007199254740993]},"@odata.nextLink":"/n","links":[{"rel":"self","href":"/s"},{"rel":"next","href":"/2"}],"":0}`
	for _, test := range []struct{ path, want string }{
		{".", answer},
		{".a", `{"b.c":[1,{"x":2},9007199254740993]}`},
		{"a", `{"b.c":[1,{"x":2},9007199254740993]}`},
		{`.a."b.c"[0]`, `1`},
		{`.a["b.c"].[1].x`, `2`},
		{`.a."b.c"[-1]`, `9007199254740993`},
		{`.a."b.c"[-4]`, ``},
		{`.a."b.c"[3]`, ``},
		{`."@odata.nextLink"`, `"/n"`},
		{`.@odata.nextLink`, ``}, // .@odata, and in it .nextLink
		{`.links[rel=next].href`, `"/2"`},
		{`.links[rel="last"].href`, ``},
		{`.links.href`, ``},
		{`.missing.b`, ``},
	} {
		at, err := parseLocation(test.path)
		if err != nil {
			t.Errorf("%s: %v", test.path, err)
			continue
		}
		if got := string(at.in([]byte(answer))); got != test.want {
			t.Errorf("%s is %s, want %s", test.path, got, test.want)
		}
	}
	for _, path := range []string{".a | .b", ".a[", ".a[]", ".[x", `."a`, ".a..b", ".a b", `.a"b"`, ".a[=x]"} {
		if at, err := parseLocation(path); err == nil {
			t.Errorf("%s is taken as %v", path, at)
		}
	}
}

func FuzzLocation(f *testing.F) {
	for _, path := range []string{".a", `."@x"`, ".[-1].id", ".links[rel=next].href", ".a[\"b\"]"} {
		f.Add(path, `{"a":[{"id":1}],"@x":"y","links":[{"rel":"next","href":"/"}]}`)
	}
	f.Fuzz(func(t *testing.T, path, answer string) {
		at, err := parseLocation(path)
		data, jsonErr := compacted([]byte(answer))
		if err != nil || jsonErr != nil {
			return
		}
		if got := at.in(data); got != nil && !json.Valid(got) {
			t.Errorf("%s in %s is %s", path, data, got)
		}
	})
}

func TestNextLink(t *testing.T) {
	for _, test := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"GitHub's", []string{`<https://api.github.com/repos?page=2>; rel="next", <https://api.github.com/repos?page=9>; rel="last"`}, "https://api.github.com/repos?page=2"},
		{"without quotes", []string{`</a,b;c>;REL=NEXT`}, "/a,b;c"},
		{"several relations", []string{`</x>; rel="last next"`}, "/x"},
		{"several fields", []string{`</1>; rel=first`, `</2>; rel=next`}, "/2"},
		{"commas in quotes", []string{`</1>; title="a, <b>; rel=\"next\""; rel=prev, </2>; rel=next`}, "/2"},
		{"the first rel counts", []string{`</1>; rel=prev; rel=next`}, ""},
		{"none", []string{`</1>; rel="prev"`, `broken`, `<`, `>;<`}, ""},
	} {
		if got := nextLink(http.Header{"Link": test.fields}); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// FuzzFollow holds that whatever an answer names, the credential goes to the API alone.
func FuzzFollow(f *testing.F) {
	for _, target := range []string{"?a=b", "/v1/x", "../x", "//evil.example/v1", "https://api.example:443/v1/a", "https://api.example@evil.example/v1", `https:\\evil.example/v1`, "/v1/%2e%2e/x", "/v1/..;/x"} {
		f.Add(target)
	}
	base, err := url.Parse("https://api.example/v1/list?limit=2")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		next, err := follow(base, "/v1", target)
		if err != nil {
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next.String(), nil)
		if err != nil {
			return // nothing is sent
		}
		path := req.URL.EscapedPath()
		if req.URL.Scheme != "https" || req.URL.Host != "api.example" || req.URL.User != nil || path != "/v1" && !strings.HasPrefix(path, "/v1/") || hasDotSegment(path) {
			t.Errorf("%q leads to %s", target, req.URL)
		}
	})
}

func TestQueryValue(t *testing.T) {
	const query = "filter%5Ba%5D=x%20y&page%5Bcursor%5D=old&z=%2B&flag"
	got := withQueryValue(query, "page[cursor]", "a+b/=")
	if want := "filter%5Ba%5D=x%20y&z=%2B&flag&page%5Bcursor%5D=a%2Bb%2F%3D"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := queryValue(got, "page[cursor]"); got != "a+b/=" {
		t.Errorf("it is read as %q", got)
	}
}

// listTool compiles one tool, list.
func listTool(t *testing.T, page, tool string) (*Tool, []config.Problem) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := "upstreams:\n  up:\n    base_url: https://up.example/v1\n    tools:\n      list: " + tool + "\n"
	if page != "" {
		text += "    page: " + page + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	tools, problems := Compile(cfg, nil)
	if len(tools) == 0 {
		return nil, problems
	}
	return tools[0], problems
}

// play walks through answers, and returns what was asked.
func play(t *testing.T, tool *Tool, arguments string, answers ...string) (*Walk, []string) {
	t.Helper()
	args, err := tool.ParseArguments(json.RawMessage(arguments))
	if err != nil {
		t.Fatal(err)
	}
	w, err := tool.Walk(t.Context(), args, nil)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, answer := range answers {
		req := w.Request()
		line := req.Method + " " + req.URL.RequestURI()
		if req.Body != nil {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			line += " " + string(body)
		}
		asked = append(asked, line)
		if !w.Add(Page{Status: 200, MediaType: "application/json", Body: []byte(answer)}) {
			break
		}
	}
	return w, asked
}

// TestCursorInABody: a search by POST that only reads says its cursor in the body, and the rest of that stays.
func TestCursorInABody(t *testing.T) {
	tool, problems := listTool(t, "{style: cursor, cursor: start_cursor, limit: page_size, next: .next_cursor, more: .has_more, size: 2}",
		"{request: POST /search, description: Searches., annotations: {read_only: true}, idempotent: true, paging: auto, "+
			"arguments: {q: {in: body}, start_cursor: {in: body}, page_size: {in: body, type: integer}, n: {in: body, type: integer}}}")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	w, asked := play(t, tool, `{"q":"a","n":9007199254740993}`,
		`{"results":[1,2],"next_cursor":"b\"c","has_more":true}`, `{"results":[3],"next_cursor":null,"has_more":false}`)
	want := []string{
		`POST /v1/search {"n":9007199254740993,"page_size":2,"q":"a"}`,
		`POST /v1/search {"n":9007199254740993,"page_size":2,"q":"a","start_cursor":"b\"c"}`,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	result, err := w.Result(t.Context())
	if err != nil || string(result.Data) != `{"results":[1,2,3],"has_more":false}` || result.Rest != nil {
		t.Errorf("%s, %s, %v", result.Data, result.Rest, err)
	}
}

// TestOneLargeItem: where not even one item fits, what fits of it is there, and the list goes on after it.
func TestOneLargeItem(t *testing.T) {
	tool, _ := listTool(t, "{style: offset}", "{request: GET /list, description: Lists., paging: auto, response: {max_tokens: 30}}")
	w, _ := play(t, tool, `{}`, fmt.Sprintf(`{"items":[{"id":1,"text":%q},{"id":2}]}`, strings.Repeat("many words ", 90)))
	result, err := w.Result(t.Context())
	if err != nil || len(result.Data) > 120 || !json.Valid(result.Data) || result.Truncated == nil {
		t.Fatalf("%s, %+v, %v", result.Data, result.Truncated, err)
	}
	if !strings.Contains(string(result.Rest), `"s":1`) {
		t.Errorf("it goes on at %s", result.Rest)
	}
}

// TestBesideTheItems: what the items of all pages refer to is there, and what is too large leaves room for them.
func TestBesideTheItems(t *testing.T) {
	tool, _ := listTool(t, "{style: next_url, next: .links.next, items: .data}", "{request: GET /list, description: Lists., paging: auto, response: {max_tokens: 100}}")
	w, asked := play(t, tool, `{}`,
		`{"data":[{"id":1},{"id":2}],"included":[{"a":1}],"facets":{"long":"`+strings.Repeat("x", 500)+`"},"links":{"next":"/v1/list?p=2"}}`,
		`{"data":[{"id":3}],"included":[],"links":{"next":"/v1/list?p=3"}}`,
		`{"data":[{"id":4}],"included":[{"b":1},{"c":1}],"links":{"next":null}}`)
	result, err := w.Result(t.Context())
	want := `{"data":[{"id":1},{"id":2},{"id":3},{"id":4}],"included":[{"a":1},{"b":1},{"c":1}],"facets":{"long":"[cut: string, 502 bytes]"}}`
	if err != nil || len(asked) != 3 || string(result.Data) != want {
		t.Errorf("%d requests, %v\ngot  %s\nwant %s", len(asked), err, result.Data, want)
	}
}

// TestListLeftOut: a page without a list leads on all the same.
func TestListLeftOut(t *testing.T) {
	tool, _ := listTool(t, "{style: cursor, cursor: pageToken, next: .nextPageToken, items: .files}", "{request: GET /list, description: Lists., paging: auto}")
	w, asked := play(t, tool, `{}`, `{"kind":"list","nextPageToken":"a"}`, `{"kind":"list","files":[{"id":1}],"nextPageToken":"b"}`, `{"kind":"list"}`)
	result, err := w.Result(t.Context())
	if err != nil || len(asked) != 3 || string(result.Data) != `{"kind":"list","files":[{"id":1}]}` || result.Rest != nil {
		t.Errorf("%d requests, %s, %s, %v", len(asked), result.Data, result.Rest, err)
	}
	w, asked = play(t, tool, `{}`, `{"kind":"list"}`)
	if result, err = w.Result(t.Context()); err != nil || len(asked) != 1 || string(result.Data) != `{"kind":"list"}` || result.Truncated != nil {
		t.Errorf("%d requests, %s, %+v, %v", len(asked), result.Data, result.Truncated, err)
	}
}

// TestSelectedPages: what select takes out counts, so that more pages fit.
func TestSelectedPages(t *testing.T) {
	tool, problems := listTool(t, "{style: page, page: p}", "{request: GET /list, description: Lists., paging: auto, arguments: {p: {in: query, type: integer}}, "+
		"response: {max_tokens: 12, select: '[.items[] | .id]'}}")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	answers := make([]string, maxPages)
	for i := range answers {
		answers[i] = fmt.Sprintf(`{"items":[{"id":%d,"text":%q},{"id":%d}]}`, 10*i, strings.Repeat("x", 100), 10*i+1)
	}
	w, asked := play(t, tool, `{}`, answers...)
	result, err := w.Result(t.Context())
	if err != nil || len(asked) < 5 || len(result.Data) > 48 || !strings.HasPrefix(string(result.Data), "[0,1,10,11,20,21,30,31") || result.Rest == nil {
		t.Errorf("%d requests, %s, %s, %v", len(asked), result.Data, result.Rest, err)
	}
}

// TestNoEnd: an API that always names the same page, or never ends, does not keep a call.
func TestNoEnd(t *testing.T) {
	tool, _ := listTool(t, "{style: next_url, next: .next}", "{request: GET /list, description: Lists., paging: auto}")
	same := `{"items":[1],"next":"/v1/list?page=2"}`
	w, asked := play(t, tool, `{}`, same, same, same)
	result, err := w.Result(t.Context())
	if err != nil || len(asked) != 2 || result.Rest != nil || result.Truncated == nil || !strings.Contains(result.Truncated.HowToGetMore, "was here already") {
		t.Errorf("%d requests, %+v, %v", len(asked), result, err)
	}
	endless := make([]string, 2*maxPages)
	for i := range endless {
		endless[i] = fmt.Sprintf(`{"items":[%d],"next":"/v1/list?page=%d"}`, i, i+2)
	}
	w, asked = play(t, tool, `{}`, endless...)
	if result, err = w.Result(t.Context()); err != nil || len(asked) != maxPages || result.Rest == nil {
		t.Errorf("%d requests, %+v, %v", len(asked), result, err)
	}
}

func TestPagingProblems(t *testing.T) {
	for _, test := range []struct{ page, tool, want string }{
		{"{style: offset}", "{request: POST /list, description: Lists., paging: auto}", "is not known to only read"},
		{"", "{request: GET /list, description: Lists., paging: manual}", "nothing says how"},
		{"{style: cursor, next: .a | .b}", "{request: GET /list, description: Lists., paging: auto}", "is not a path"},
	} {
		_, problems := listTool(t, test.page, test.tool)
		if len(problems) != 1 || !strings.Contains(problems[0].Message, test.want) {
			t.Errorf("%s %s: %v", test.page, test.tool, problems)
		}
	}
}

// TestSamePageAgain: an API that does not look at the parameter gives its first page for ever, and each item is there once.
func TestSamePageAgain(t *testing.T) {
	tool, _ := listTool(t, "{style: offset, offset: from}", "{request: GET /list, description: Lists., paging: auto, arguments: {from: {in: query, type: integer}}}")
	same := `{"items":[{"id":1},{"id":2}]}`
	w, asked := play(t, tool, `{}`, same, same, same)
	result, err := w.Result(t.Context())
	if err != nil || len(asked) != 2 || string(result.Data) != same || result.Rest != nil ||
		result.Truncated == nil || !strings.Contains(result.Truncated.HowToGetMore, "the same page again") {
		t.Errorf("%d requests, %s, %+v, %v", len(asked), result.Data, result.Truncated, err)
	}
}

// TestPageWithoutList: what came is there, and it is said that it may not be all, but where nothing is how the API ends.
func TestPageWithoutList(t *testing.T) {
	tool, _ := listTool(t, "{style: cursor, cursor: c, next: .next, items: .items}", "{request: GET /list, description: Lists., paging: auto}")
	for second, told := range map[string]bool{`{"items":"none today"}`: true, `[7]`: true, `{"items":null}`: false, `null`: false, ``: false} {
		w, asked := play(t, tool, `{}`, `{"items":[{"id":1}],"next":"a"}`, second)
		result, err := w.Result(t.Context())
		if err != nil || len(asked) != 2 || !strings.HasPrefix(string(result.Data), `{"items":[{"id":1}]`) || result.Rest != nil {
			t.Errorf("%s: %d requests, %s, %s, %v", second, len(asked), result.Data, result.Rest, err)
		}
		if got := result.Truncated != nil && strings.Contains(result.Truncated.HowToGetMore, "has no list"); got != told {
			t.Errorf("%s: told %v, want %v: %+v", second, got, told, result.Truncated)
		}
	}
}

// TestSamePageNext: who follows next at an API that does not look at its parameter is told so, and gets nothing twice.
func TestSamePageNext(t *testing.T) {
	for _, test := range []struct{ paging, second, data string }{
		{"manual", `{"items":[{"id":1},{"id":2}]}`, `{"items":[]}`},
		{"auto", `{"items":[{"id":1},{"id":2}]}`, `{"items":[]}`},
		{"manual", `{"items":[{"id":1},{"id":3}]}`, `{"items":[{"id":1},{"id":3}]}`},
		{"manual", `{"items":[{"id":1},{"id":2}],"offset":2}`, `{"items":[{"id":1},{"id":2}],"offset":2}`}, // rows that look alike
	} {
		tool, problems := listTool(t, "{style: offset, offset: from, size: 2, limit: n}",
			"{request: GET /list, description: Lists., paging: "+test.paging+", arguments: {from: {in: query, type: integer}, n: {in: query, type: integer}}}")
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		args := `{}`
		if test.paging == "auto" {
			args = `{"n": 2}` // stops after the first page
		}
		w, _ := play(t, tool, args, `{"items":[{"id":1},{"id":2}]}`)
		result, err := w.Result(t.Context())
		if err != nil || result.Rest == nil {
			t.Fatalf("%s, %v", result.Data, err)
		}
		parsed, err := tool.ParseArguments(json.RawMessage(args))
		if err != nil {
			t.Fatal(err)
		}
		if w, err = tool.Walk(t.Context(), parsed, result.Rest); err != nil {
			t.Fatal(err)
		}
		w.Add(Page{Status: 200, MediaType: "application/json", Body: []byte(test.second)})
		result, err = w.Result(t.Context())
		if err != nil || string(result.Data) != test.data {
			t.Errorf("%s: %s, %v", test.second, result.Data, err)
		}
		told := result.Truncated != nil && strings.Contains(result.Truncated.HowToGetMore, "the same page again")
		if ended := result.Rest == nil; told != ended || told != (test.data == `{"items":[]}`) {
			t.Errorf("%s: told %v, ended %v", test.second, told, ended)
		}
	}
}
