package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mcpgate/auth"
	"mcpgate/internal/fault"
	"mcpgate/internal/seal"
)

// shelf is an API with one list, paged in every style: /STYLE.
type shelf struct {
	items    []string // as JSON
	size     int      // of a page, where nothing is asked
	most     int      // of a page
	requests atomic.Int64
	answer   func(w http.ResponseWriter, req *http.Request) bool // before anything else
}

func newShelf(random *rand.Rand) *shelf {
	s := &shelf{size: 1 + random.IntN(7), most: 1 + random.IntN(9)}
	for i := range random.IntN(40) {
		s.items = append(s.items, fmt.Sprintf(`{"id":%d,"big":9007199254740993,"text":%q}`, i+1, strings.Repeat("x", random.IntN(120))))
	}
	return s
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.requests.Add(1)
	if s.answer != nil && s.answer(w, req) {
		return
	}
	q := req.URL.Query()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(q.Get(name)); err == nil {
			return n
		}
		return otherwise
	}
	limit := max(1, min(number("limit", s.size), s.most))
	start := number("offset", 0)
	style := strings.TrimPrefix(req.URL.Path, "/api/")
	switch style {
	case "page":
		start = (number("page", 1) - 1) * limit
	case "cursor", "stripe":
		start, _ = strconv.Atoi(strings.TrimPrefix(q.Get("after"), "c"))
	}
	start = min(start, len(s.items))
	end := min(start+limit, len(s.items))
	list := "[" + strings.Join(s.items[start:end], ",") + "]"
	more := end < len(s.items)
	w.Header().Set("Content-Type", "application/json")
	next := fmt.Sprintf("/api/%s?offset=%d&limit=%d&q=%s", style, end, limit, "a%20b")
	switch style {
	case "link":
		if more {
			w.Header().Add("Link", fmt.Sprintf(`</api/x>; title="a, b"; rel="prev last", <http://%s%s>; rel="next"`, req.Host, next))
		}
		fmt.Fprint(w, list)
	case "next_url":
		if !more {
			next = ""
		}
		fmt.Fprintf(w, `{"value":%s,"@odata.nextLink":%q,"count":%d}`, list, next, end-start)
	case "cursor":
		cursor := `null`
		if more {
			cursor = fmt.Sprintf(`"c%d"`, end)
		}
		fmt.Fprintf(w, `{"data":{"rows":%s},"meta":{"next_cursor":%s}}`, list, cursor)
	case "stripe":
		fmt.Fprintf(w, `{"object":"list","data":%s,"has_more":%t}`, list, more)
	case "page":
		fmt.Fprintf(w, `{"results":%s,"total":%d}`, list, len(s.items))
	default:
		fmt.Fprintf(w, `{"links":[],"count":%d,"hasMore":%t,"items":%s,"offset":%d}`, end-start, more, list, start)
	}
}

// pagingStyles are page: as gateway.yaml has it for each of the shelf's lists, and the path of the items.
var pagingStyles = map[string]string{
	"offset":   `{style: offset, limit: limit, offset: offset, items: .items, more: .hasMore}`,
	"page":     `{style: page, limit: limit, size: 1, items: .results}`,
	"cursor":   `{style: cursor, limit: limit, cursor: after, next: .meta.next_cursor, items: .data.rows}`,
	"stripe":   `{style: cursor, limit: limit, cursor: after, next: ".data[-1].id", more: .has_more}`,
	"link":     `{style: link}`,
	"next_url": `{style: next_url, next: '."@odata.nextLink"'}`,
}

// newShelfLab has one tool, list, of a style.
func newShelfLab(t *testing.T, s *shelf, style, paging string, tokens int) *lab {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return newListLab(t, server.URL, fmt.Sprintf("{request: GET /api/%s, description: Lists., paging: %s, response: {max_tokens: %d}, "+
		"arguments: {q: {in: query}, limit: {in: query, type: integer}, offset: {in: query, type: integer}}}", style, paging, tokens),
		"retry: {attempts: 1}", "page: "+pagingStyles[style])
}

// newListLab has one tool, list, and more lines under the upstream.
func newListLab(t *testing.T, base, list string, lines ...string) *lab {
	t.Helper()
	text := "upstreams:\n  up:\n    base_url: " + base + "\n"
	for _, line := range lines {
		text += "    " + line + "\n"
	}
	return loadLab(t, text+"    tools:\n      list: "+list+"\n")
}

// ids returns the ids of the items in an answer, whichever form it has.
func ids(t *testing.T, data json.RawMessage) (out []int) {
	t.Helper()
	var found func(v any)
	found = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				found(item)
			}
		case map[string]any:
			if id, ok := v["id"].(float64); ok {
				out = append(out, int(id))
			}
			for _, inner := range v {
				if _, scalar := inner.(string); !scalar {
					found(inner)
				}
			}
		}
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	found(v)
	return out
}

// TestEveryItemOnce follows next to the end: whatever the style, the sizes and the limits, every item is handed out once
// and in its order.
func TestEveryItemOnce(t *testing.T) {
	for style := range pagingStyles {
		for _, paging := range []string{"auto", "manual"} {
			t.Run(style+"/"+paging, func(t *testing.T) {
				for seed := range uint64(12) {
					random := rand.New(rand.NewPCG(seed, 1))
					s := newShelf(random)
					if style == "page" {
						s.most = max(s.most, 8)
					}
					tokens := []int{40, 120, 400, 15000}[random.IntN(4)]
					arguments := map[string]any{"q": "a b"}
					if random.IntN(2) == 0 {
						arguments["limit"] = 1 + random.IntN(8)
					}
					everyItemOnce(t, newShelfLab(t, s, style, paging, tokens), s, arguments, tokens)
					if t.Failed() {
						t.Fatalf("seed %d: %d items, pages of %d (at most %d), %d tokens, %v", seed, len(s.items), s.size, s.most, tokens, arguments)
					}
				}
			})
		}
	}
}

func everyItemOnce(t *testing.T, l *lab, s *shelf, arguments map[string]any, tokens int) {
	t.Helper()
	var got []int
	for range 2*len(s.items) + 2 {
		outcome := l.call("list", asJSON(t, arguments))
		if !outcome.OK {
			t.Errorf("the outcome is %s", asJSON(t, outcome))
			return
		}
		if len(outcome.Data) > 4*tokens {
			t.Errorf("%d bytes where %d tokens are allowed", len(outcome.Data), tokens)
		}
		here := ids(t, outcome.Data)
		if limit, said := arguments["limit"].(int); said && len(here) > limit {
			t.Errorf("%d items where %d were asked for", len(here), limit)
		}
		if strings.Contains(string(outcome.Data), `"big"`) && !strings.Contains(string(outcome.Data), "9007199254740993") {
			t.Errorf("a number was changed: %s", outcome.Data)
		}
		got = append(got, here...)
		if outcome.Next == "" {
			break
		}
		if len(outcome.Next) > 300 {
			t.Errorf("a handle of %d characters", len(outcome.Next))
		}
		arguments["next"] = outcome.Next
	}
	for i, id := range got {
		if id != i+1 {
			t.Errorf("got %v", got)
			return
		}
	}
	if len(got) != len(s.items) {
		t.Errorf("%d of %d items came: %v", len(got), len(s.items), got)
	}
}

func TestAnswerOfSeveralPages(t *testing.T) {
	s := newShelf(rand.New(rand.NewPCG(5, 5)))
	s.items, s.size, s.most = []string{`{"id":1}`, `{"id":2}`, `{"id":3}`, `{"id":4}`, `{"id":5}`}, 2, 9
	for _, test := range []struct{ style, paging, arguments, want, truncated string }{
		{"offset", "auto", `{}`, `{"count":5,"hasMore":false,"items":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}],"offset":0}`, `null`},
		{"offset", "manual", `{}`, `{"links":[],"count":2,"hasMore":true,"items":[{"id":1},{"id":2}],"offset":0}`, `null`},
		{"offset", "none", `{}`, `{"links":[],"count":2,"hasMore":true,"items":[{"id":1},{"id":2}],"offset":0}`, `null`},
		{"offset", "auto", `{"offset":3}`, `{"links":[],"count":2,"hasMore":false,"items":[{"id":4},{"id":5}],"offset":3}`, `null`},
		{"offset", "auto", `{"limit":3}`, `{"links":[],"count":3,"hasMore":true,"items":[{"id":1},{"id":2},{"id":3}],"offset":0}`, `null`},
		{"link", "auto", `{}`, `[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}]`, `null`},
		{"stripe", "auto", `{}`, `{"object":"list","data":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}],"has_more":false}`, `null`},
		{"cursor", "auto", `{}`, `{"data":{"rows":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}]},"meta":{}}`, `null`},
		{"next_url", "auto", `{}`, `{"value":[{"id":1},{"id":2},{"id":3},{"id":4},{"id":5}],"count":5}`, `null`},
	} {
		t.Run(test.style+"/"+test.paging, func(t *testing.T) {
			outcome := newShelfLab(t, s, test.style, test.paging, 1000).call("list", test.arguments)
			if string(outcome.Data) != test.want {
				t.Errorf("got  %s\nwant %s", outcome.Data, test.want)
			}
			if got := asJSON(t, outcome.Truncated); got != test.truncated {
				t.Errorf("truncated: %s", got)
			}
		})
	}
}

// TestHandles: a handle is good for the tool, the caller and the arguments that it was made for, for a while.
func TestHandles(t *testing.T) {
	s := newShelf(rand.New(rand.NewPCG(1, 1)))
	s.items, s.size, s.most = []string{`{"id":1}`, `{"id":2}`, `{"id":3}`}, 1, 1
	l := newShelfLab(t, s, "offset", "manual", 1000)
	now := time.Unix(1_800_000_000, 0)
	l.upstream.handles = seal.NewRing("")
	l.upstream.handles.Now = func() time.Time { return now }
	anne := auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "anne"})
	next := l.callContext(anne, "list", `{"q":"a"}`).Next
	if next == "" {
		t.Fatal("there is no next")
	}
	with := func(q, next string) string { return asJSON(t, map[string]string{"q": q, "next": next}) }
	for _, test := range []struct {
		name, subject, arguments string
		later                    time.Duration
		want                     string
	}{
		{"as it was given", "anne", with("a", next), 0, ""},
		{"later", "anne", with("a", next), handleLife, "too old"},
		{"another caller", "ben", with("a", next), 0, "not one that this tool gave"},
		{"other arguments", "anne", with("b", next), 0, "other arguments"},
		{"altered", "anne", with("a", next[:20]+"A"+next[21:]+"A"), 0, "not one that this tool gave"},
		{"made up", "anne", with("a", "page 2"), 0, "not one that this tool gave"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now = time.Unix(1_800_000_000, 0).Add(test.later)
			before := s.requests.Load()
			outcome := l.callContext(auth.WithPrincipal(t.Context(), &auth.Principal{Subject: test.subject}), "list", test.arguments)
			if test.want == "" {
				if got := ids(t, outcome.Data); len(got) != 1 || got[0] != 2 {
					t.Errorf("the outcome is %s", asJSON(t, outcome))
				}
				return
			}
			e := l.failed(outcome)
			if e.Code != fault.Input || !strings.Contains(e.Message, test.want) || !strings.Contains(e.Hint, "without next") {
				t.Errorf("the error is %+v", e)
			}
			if s.requests.Load() != before {
				t.Error("something was sent")
			}
		})
	}
	if outcome := newShelfLab(t, s, "offset", "none", 1000).call("list", `{"next":"x"}`); outcome.OK {
		t.Error("a tool without pages takes a next")
	}
}

// TestHandleOfAnotherReplica: with one key a handle is good at every replica, and after the key has rotated; without, it ends
// with the process.
func TestHandleOfAnotherReplica(t *testing.T) {
	s := &shelf{items: []string{`{"id":1}`, `{"id":2}`}, size: 1, most: 1}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	replica := func(key string) *Gateway {
		g, err := New(t.Context(), loadConfig(t, key+"\nupstreams:\n  up:\n    base_url: "+server.URL+
			"\n    page: {style: link}\n    tools:\n      list: {request: GET /api/link, description: Lists., paging: manual}\n"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Close(context.Background()) })
		return g
	}
	const one, two = "the-first-key-the-first-key-the-1", "the-second-key-the-second-key-the-2"
	for _, test := range []struct {
		first, second string
		ok            bool
	}{
		{"key: " + one, "key: " + one, true},
		{"key: " + one, "key: " + two + "," + one, true},
		{"key: " + one, "key: " + two, false},
		{"", "", false},
	} {
		next := replica(test.first).Call(t.Context(), "list", nil).Next
		outcome := replica(test.second).Call(t.Context(), "list", json.RawMessage(asJSON(t, map[string]string{"next": next})))
		if next == "" || outcome.OK != test.ok {
			t.Errorf("from %q to %q: next %q, %s", test.first, test.second, next, asJSON(t, outcome))
		}
	}
}

// TestNextURL: a next page on another host, or outside of the API, gets no request and so no credential.
func TestNextURL(t *testing.T) {
	for _, test := range []struct {
		next string
		want string // what is asked for; "" where nothing is
	}{
		{"?after=2", "/api/v1/list?after=2"},
		{"/api/v1/list/more", "/api/v1/list/more"},
		{"/api/v1/a/../b", "/api/v1/b"},
		{"http://HOST/api/v1/list?after=2#there", "/api/v1/list?after=2"},
		{"https://evil.example/api/v1/list?after=2", ""},
		{"//evil.example/api/v1/list", ""},
		{"http://HOST@evil.example/api/v1/list", ""},
		{"http://user@HOST/api/v1/list", ""},
		{"https://HOST/api/v1/list", ""},
		{"http://127.0.0.1:1/api/v1/list", ""},
		{"/api/v2/list", ""},
		{"/api/v11/list", ""},
		{"/api/v1/../v2", ""},
		{"/api/v1/%2e%2e/v2", ""},
		{"/api/v1/..%2fv2", ""},
		{"javascript:alert(1)", ""},
	} {
		t.Run(test.next, func(t *testing.T) {
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				asked = append(asked, req.URL.RequestURI())
				w.Header().Set("Content-Type", "application/json")
				next := strings.ReplaceAll(test.next, "HOST", req.Host)
				if len(asked) > 1 {
					next = ""
				}
				fmt.Fprintf(w, `{"items":[{"id":%d}],"next":%q}`, len(asked), next)
			}))
			t.Cleanup(server.Close)
			l := newListLab(t, server.URL+"/api/v1", "{request: GET /list, description: Lists., paging: auto}",
				"page: {style: next_url, next: .next}", "credential: {type: bearer, token: t0ken}")
			outcome := l.call("list", `{}`)
			if !outcome.OK || outcome.Next != "" {
				t.Fatalf("the outcome is %s", asJSON(t, outcome))
			}
			want := []string{"/api/v1/list"}
			if test.want != "" {
				want = append(want, test.want)
			} else if outcome.Truncated == nil || !strings.Contains(outcome.Truncated.HowToGetMore, "There is more") {
				t.Errorf("nothing is said of it: %s", asJSON(t, outcome))
			}
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPageThatFails: what came is handed out, and next tries again.
func TestPageThatFails(t *testing.T) {
	s := &shelf{items: []string{`{"id":1}`, `{"id":2}`, `{"id":3}`}, size: 1, most: 1}
	broken := true
	s.answer = func(w http.ResponseWriter, req *http.Request) bool {
		if broken && req.URL.Query().Get("offset") == "2" {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	}
	l := newShelfLab(t, s, "offset", "auto", 1000)
	outcome := l.call("list", `{}`)
	if got := ids(t, outcome.Data); !outcome.OK || len(got) != 2 || outcome.Next == "" || outcome.Truncated == nil || outcome.Truncated.Kept != 2 {
		t.Fatalf("the outcome is %s", asJSON(t, outcome))
	}
	again := asJSON(t, map[string]string{"next": outcome.Next})
	if e := l.failed(l.call("list", again)); e.Code != fault.Server {
		t.Errorf("the error is %+v", e)
	}
	broken = false
	if got := ids(t, l.call("list", again).Data); len(got) != 1 || got[0] != 3 {
		t.Errorf("got %v", got)
	}
}

// TestTimeIsOver: the call's deadline ends the joining of pages, not the call.
func TestTimeIsOver(t *testing.T) {
	cfg := loadConfig(t, `
server: {call_timeout: 30s}
upstreams:
  up:
    base_url: http://up.example
    page: {style: offset, limit: limit}
    tools:
      list: {request: GET /list, description: Lists., paging: auto}
`)
	synctest.Test(t, func(t *testing.T) {
		l := labOf(t, cfg)
		asked := 0
		l.upstream.base = roundTrip(func(req *http.Request) (*http.Response, error) {
			asked++
			select {
			case <-time.After(12 * time.Second):
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
			return &http.Response{
				StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
				Body: io.NopCloser(strings.NewReader(fmt.Sprintf(`{"items":[{"id":%d}]}`, asked))),
			}, nil
		})
		start := time.Now()
		outcome := l.call("list", `{}`)
		if got := ids(t, outcome.Data); !outcome.OK || len(got) != 2 || outcome.Next == "" {
			t.Errorf("the outcome is %s", asJSON(t, outcome))
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
