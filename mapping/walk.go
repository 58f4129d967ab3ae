package mapping

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mcpgate/internal/fault"
)

// maxPages bounds the pages that one call joins: an upstream counts each as a request.
const maxPages = 10

// maxJoined bounds the bytes of the pages that are joined.
const maxJoined = 4 << 20

// Walk is the way of one call through the pages of its list; a tool whose answers are whole has one page. It is not safe
// for concurrent use.
type Walk struct {
	tool  *Tool
	base  *http.Request // of the first page that the arguments ask for
	root  string        // the path that the API's own begin with
	print string        // of the arguments
	want  int           // items that the caller asks for; 0 sets no bound
	from  bool          // the call continues a list
	mark  string        // of the page before the first

	req    *http.Request // of the page that comes next, or that came last
	at     position      // of that page
	more   bool          // there is another page, at at
	note   string        // why the list can't be followed
	pages  []walked
	count  int // items
	length int // of them, in bytes
	raw    int // bytes of all pages

	largest int // items of the largest page
}

// walked is one page that came.
type walked struct {
	page  Page
	at    position
	where location // of its items
	items [][]byte // without those that were handed out before; nil where the page has no list
	whole int      // how many items it has in all

	listed bool   // the list is there, be it empty
	mark   string // tells the page from another; "" where it can't
}

// state is what a handle holds: where a list goes on, and which arguments it belongs to.
type state struct {
	position
	Print string `json:"a"`
	Mark  string `json:"m,omitempty"` // of the page before
}

// NextArgument is the name of the argument that continues a list, "" where the tool has none.
func (t *Tool) NextArgument() string {
	if t.pager == nil {
		return ""
	}
	return t.pager.handle
}

// Walk begins a call: at the start of a list, or where from, the Rest of a result, says. The argument that continues a
// list is not looked at: the caller has opened it. What does not belong to these arguments is a fault.Input.
func (t *Tool) Walk(ctx context.Context, args Arguments, from []byte) (*Walk, error) {
	if t.pager != nil {
		args = maps.Clone(args)
		delete(args, t.pager.handle)
	}
	base, err := t.NewRequest(ctx, args)
	if err != nil {
		return nil, err
	}
	w := &Walk{tool: t, base: base, req: base}
	if t.pager == nil {
		return w, nil
	}
	root, err := t.template.expandBase(args)
	if err != nil {
		return nil, err
	}
	w.root, w.print = rootPath(root), fingerprint(args)
	w.want = t.asked(args)
	if err := t.pager.start(base); err != nil {
		return nil, err
	}
	if from == nil {
		return w, nil
	}
	var s state
	if err := json.Unmarshal(from, &s); err != nil || s.Skip < 0 {
		return nil, t.badNext("can't be read")
	}
	if s.Print != w.print {
		return nil, t.badNext("belongs to other arguments: give the same as in the call that it came from")
	}
	w.from, w.at, w.mark = true, s.position, s.Mark
	if w.req, err = t.pager.at(base, w.root, s.position); err != nil {
		return nil, t.badNext("leads nowhere any more")
	}
	return w, nil
}

// badNext is the fault of a handle that can't be used.
func (t *Tool) badNext(why string) error { return BadNext(t, why, nil) }

// BadNext is the fault of a next that a tool can't go on with: why completes the sentence "next ...".
func BadNext(t *Tool, why string, cause error) error {
	name := t.NextArgument()
	f := fault.New(fault.Input, name+" "+why, cause)
	f.Hint = "To begin the list again, call the tool without " + name + "."
	f.Fields = []fault.Field{{Path: name, Message: why}}
	return f
}

// fingerprint tells one set of arguments from another.
func fingerprint(args Arguments) string {
	sum := sha256.Sum256([]byte(compactJSON(map[string]any(args))))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// asked is the number of items that the model asks for itself: a default is only the size of a page.
func (t *Tool) asked(args Arguments) int {
	value, said := args[t.pager.wanted]
	if !said || value == t.defaults[t.pager.wanted] {
		return 0
	}
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// rootPath is the path of a base URL, with no slash at its end.
func rootPath(base string) string {
	_, rest, _ := strings.Cut(base, "://")
	_, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut(path, "?")
	return strings.TrimSuffix("/"+path, "/")
}

// Request is the request for the page that comes next.
func (w *Walk) Request() *http.Request { return w.req }

// Pages is how many pages there are so far.
func (w *Walk) Pages() int { return len(w.pages) }

// Add takes the page that was asked for, and reports whether the call should ask for another one.
func (w *Walk) Add(page Page) bool {
	p := w.tool.pager
	came := walked{page: page, at: w.at}
	w.more = false
	if p != nil && isJSON(page.MediaType) && len(page.Body) > 0 {
		came.list(p, w.pages)
	}
	if w.note = w.strange(&came); w.note != "" {
		if len(w.pages) == 0 {
			w.pages = append(w.pages, came)
		}
		return false
	}
	w.pages = append(w.pages, came)
	if came.items == nil {
		return false
	}
	w.count += len(came.items)
	w.raw += len(page.Body)
	w.length += w.lengthOf(came)
	w.advance(came)
	return w.more && p.auto && len(w.pages) < maxPages && (w.want == 0 || w.count < w.want) &&
		w.length < w.tool.maxLength() && w.raw < maxJoined
}

// strange says why a page does not go on with the list of those before it; "" where it does.
func (w *Walk) strange(came *walked) string {
	before := w.mark
	if len(w.pages) > 0 {
		before = w.pages[len(w.pages)-1].mark
	}
	switch {
	case len(w.pages) > 0 && came.items == nil && !came.isNothing():
		return "There may be more, but the answer to the request for the next page has no list."
	case before != "" && came.mark == before:
		came.items = [][]byte{} // they were handed out before
		return "There may be more, but the API gives the same page again when it is asked for the next."
	}
	return ""
}

// marked tells the page from another by the records on it, and by the place in the list that the answer names. Numbers
// and texts alone may well be the same on two pages.
func (came *walked) marked() string {
	if len(came.items) == 0 || came.items[0][0] != '{' {
		return ""
	}
	sum := sha256.New()
	for _, item := range came.items {
		sum.Write(item)
	}
	if body := came.page.Body; body[0] == '{' {
		for key, value := range rawMembers(body) {
			name := plainName(unquoted(key))
			if _, isNumber := whole(value); isNumber && (slices.Contains(offsetNames, name) || slices.Contains(pageNames, name)) {
				sum.Write(value)
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:9])
}

// isNothing reports whether a page has no body, or null where the list would be: so some APIs end a list.
func (came *walked) isNothing() bool {
	body := string(came.page.Body)
	return body == "" || body == "null" || string(came.where.in(came.page.Body)) == "null"
}

// lengthOf is about what a page adds to the answer, in bytes: its items, or what response.select takes of it.
func (w *Walk) lengthOf(came walked) int {
	if w.tool.selection != nil {
		// An expression that does not fit is a fault of the result.
		taken, _, _ := w.tool.selected(w.base.Context(), came.page.Status, came.page.Body)
		return len(taken)
	}
	length := 0
	for _, item := range came.items {
		length += len(item) + 1
	}
	return length
}

// list finds the page's items, less those that were handed out before.
func (came *walked) list(p *pager, before []walked) {
	came.where = p.items
	if came.where == nil && len(before) > 0 {
		came.where = before[0].where
	}
	if came.where == nil {
		came.where = findItems(came.page.Body)
	}
	array := came.where.in(came.page.Body)
	if array == nil && p.items != nil && came.page.Body[0] == '{' {
		came.items = [][]byte{} // many APIs leave out a list that is empty, but not what leads to the next page
		return
	}
	if len(array) == 0 || array[0] != '[' {
		return
	}
	came.listed = true
	came.items = slices.Collect(rawItems(array))
	if came.items == nil {
		came.items = [][]byte{}
	}
	came.whole, came.mark = len(came.items), came.marked()
	came.items = came.items[min(came.at.Skip, came.whole):]
}

// findItems finds the list in an answer that nothing describes: the answer itself, an array with a usual name, or the only
// array; nil where there is none.
func findItems(body []byte) location {
	if body[0] == '[' {
		return location{}
	}
	if body[0] != '{' {
		return nil
	}
	var arrays []location
	for key, value := range rawMembers(body) {
		if name := unquoted(key); value[0] == '[' && !slices.Contains(besideNames, plainName(name)) {
			arrays = append(arrays, location{{kind: byKey, key: name}})
		}
	}
	slices.SortStableFunc(arrays, func(x, y location) int { return rankOf(x) - rankOf(y) })
	if len(arrays) == 1 || len(arrays) > 1 && rankOf(arrays[0]) < len(itemsNames) {
		return arrays[0]
	}
	return nil
}

// advance moves on to the page after the one that came.
func (w *Walk) advance(came walked) {
	w.largest = max(w.largest, came.whole)
	next, err := w.tool.pager.after(w.req, came.page, came.whole, w.largest)
	var req *http.Request
	if err == nil && next.Target != "" {
		// Relative to the page that named it, and from here on to the API's root.
		if target, followErr := follow(w.req.URL, w.root, next.Target); followErr != nil {
			err = followErr
		} else {
			next.Target = target.RequestURI()
		}
	}
	if err == nil {
		req, err = w.tool.pager.at(w.base, w.root, next)
	}
	switch {
	case errors.Is(err, errEnd):
	case err != nil:
		w.note = "There is more, but " + err.Error() + ", so the gateway does not follow."
	case next == position{Value: came.at.Value, Target: came.at.Target} || slices.ContainsFunc(w.pages, func(p walked) bool { return sameplace(p.at, next) }):
		w.note = "There may be more, but the API names a page that was here already."
	default:
		w.at, w.req, w.more = next, req, true
	}
}

func sameplace(a, b position) bool { return a.Value == b.Value && a.Target == b.Target }
