package mapping

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sort"
	"strconv"
)

// maxLength is the room that an answer has, in bytes.
func (t *Tool) maxLength() int { return cmp.Or(t.MaxTokens, defaultMaxTokens) * bytesPerToken }

// Result makes one answer of the pages: the first page's, with the items of all. Rest says where the list goes on, right
// after the last item that is in the answer.
func (w *Walk) Result(ctx context.Context) (Result, error) {
	first := w.pages[0]
	if first.items == nil {
		return w.tool.Shape(ctx, []Page{first.page})
	}
	n := w.count
	if w.want > 0 {
		n = min(n, w.want)
	}
	result := Result{Status: first.page.Status}
	limit := w.tool.maxLength()
	kept := n
	var err error
	with := func(items int) (data json.RawMessage) {
		if err == nil {
			data, result.Note, err = w.tool.selected(ctx, result.Status, w.joined(items))
		}
		return data
	}
	result.Data = with(n)
	if len(result.Data) > limit {
		// The most items with which the answer fits; of what does not fit with one, as much as does.
		kept = max(1, sort.Search(n, func(k int) bool { return len(with(k+1)) > limit }))
		kept = min(kept, n)
		result.Data, result.Truncated = w.tool.cut(with(kept), limit)
	}
	if err != nil {
		return Result{}, err
	}
	result.Rest = w.rest(kept)
	w.tellTruncated(&result, kept, n)
	w.tool.keepPromise(&result)
	return result, ctx.Err()
}

// rest is the state in which the list goes on after so many items; nil where it doesn't.
func (w *Walk) rest(kept int) []byte {
	at, mark := w.at, w.pages[len(w.pages)-1].mark
	at.Skip = 0
	found := w.more
	before := w.mark
	for _, page := range w.pages {
		if kept < len(page.items) {
			at, found, mark = page.at, true, before
			at.Skip += kept
			break
		}
		kept -= len(page.items)
		before = page.mark
	}
	if !found {
		return nil
	}
	return []byte(compactJSON(state{at, w.print, mark}))
}

// tellTruncated says what was left out, where the caller did not ask for less itself.
func (w *Walk) tellTruncated(result *Result, kept, n int) {
	stopped := result.Rest != nil && w.tool.pager.auto && (w.want == 0 || kept < w.want)
	if kept == n && !stopped && w.note == "" && result.Truncated == nil {
		return
	}
	how := w.note
	if result.Rest != nil {
		name := w.tool.pager.handle
		how = "For what follows call this tool again with the same arguments and " + name + ": this answer's next."
	}
	if result.Truncated != nil { // not even one item fits
		result.Truncated.HowToGetMore += " " + how
		return
	}
	if kept < n {
		how += " " + w.tool.askForLess()
	}
	result.Truncated = &Truncated{Kept: kept, Total: w.total(), Unit: "items", HowToGetMore: how}
}

// total is how many items there are in all, 0 where nobody says.
func (w *Walk) total() int {
	p, first := w.tool.pager, w.pages[0]
	if total, ok := whole(p.total.in(first.page.Body)); ok {
		return total
	}
	if total, ok := whole([]byte(compactJSON(first.page.Header.Get("X-Total-Count")))); ok {
		return total
	}
	if !w.more && w.note == "" && !w.from && p.get(w.base, p.param) == "" {
		return w.count
	}
	return 0
}

// joined is the answer with the first n items. Where that is one page as it came, not a byte is changed.
func (w *Walk) joined(n int) []byte {
	first := w.pages[0]
	if len(w.pages) == 1 && n == first.whole {
		return first.page.Body
	}
	array := []byte{'['}
	left, used := n, 1
	for i, page := range w.pages {
		if left > 0 {
			used = i + 1
		}
		for _, item := range page.items[:min(left, len(page.items))] {
			if len(array) > 1 {
				array = append(array, ',')
			}
			array = append(array, item...)
		}
		left -= min(left, len(page.items))
	}
	array = append(array, ']')
	if i := slices.IndexFunc(w.pages, func(page walked) bool { return page.listed }); i >= 0 {
		first = w.pages[i]
	}
	e := &envelope{pager: w.tool.pager, first: first, pages: w.pages[:used], items: array, count: n, more: w.more || n < w.count,
		room: w.tool.maxLength() / 4}
	var out bytes.Buffer
	out.Grow(len(array) + 256)
	e.write(&out, first.page.Body, location{}, first.where)
	return out.Bytes()
}

// envelope is what stands around the items of several pages: the first page's, so that what it says is true of them all.
type envelope struct {
	pager *pager
	first walked
	pages []walked // that have items in it
	items []byte
	count int
	more  bool
	room  int // for each member beside the items, in bytes
}

// write copies a value that holds the items: within leads to them from here.
func (e *envelope) write(out *bytes.Buffer, value []byte, here, within location) {
	if len(within) == 0 {
		out.Write(e.items)
		return
	}
	if value[0] != '{' || within[0].kind != byKey {
		out.Write(value)
		return
	}
	e.members(out, value, here, func(key string, value []byte, at location) {
		if key == within[0].key {
			e.write(out, value, at, within[1:])
			return
		}
		e.beside(out, key, value, at)
	})
}

// members copies an object; what no longer holds is left out.
func (e *envelope) members(out *bytes.Buffer, object []byte, here location, write func(key string, value []byte, at location)) {
	out.WriteByte('{')
	some := false
	for quoted, value := range rawMembers(object) {
		key := unquoted(quoted)
		at := append(slices.Clone(here), step{kind: byKey, key: key})
		if e.isStale(key, at) {
			continue
		}
		if some {
			out.WriteByte(',')
		}
		some = true
		out.Write(quoted)
		out.WriteByte(':')
		write(key, value, at)
	}
	out.WriteByte('}')
}

// isStale reports whether a member leads to another page than the one after these items.
func (e *envelope) isStale(key string, at location) bool {
	if slices.Equal(at, e.pager.next) {
		return true
	}
	if slices.Equal(at, e.first.where) {
		return false
	}
	switch name := plainName(key); name {
	case "next", "nextpage", "links", "cursor", "cursors", "previous", "prev":
		return len(at) <= 2
	default:
		return slices.Contains(urlNames, name) || slices.Contains(tokenNames, name)
	}
}

// beside copies a member that is not on the way to the items, and mends what it says of the page.
func (e *envelope) beside(out *bytes.Buffer, key string, value []byte, at location) {
	name := plainName(key)
	number, isNumber := whole(value)
	switch {
	case slices.Equal(at, e.pager.more), slices.Contains(moreNames, name) && isBoolean(value):
		out.Write(strconv.AppendBool(nil, e.more != (e.pager.moreDone && slices.Equal(at, e.pager.more))))
	case slices.Contains(doneNames, name) && isBoolean(value):
		out.Write(strconv.AppendBool(nil, !e.more))
	case isNumber && value[0] != '"' && number == e.first.whole && slices.Contains([]string{"count", "returned", "numberofelements", "resultcount", "size"}, name):
		out.Write(strconv.AppendInt(nil, int64(e.count), 10))
	case isNumber && value[0] != '"' && e.first.at.Skip > 0 && slices.Contains(offsetNames, name):
		out.Write(strconv.AppendInt(nil, int64(number+e.first.at.Skip), 10))
	case value[0] == '{' && len(at) == 1 && slices.Contains(aboutNames, name):
		e.members(out, value, at, func(key string, value []byte, at location) { e.beside(out, key, value, at) })
	case name == "included" && value[0] == '[' && len(at) == 1: // JSON:API has there what the items refer to
		out.Write(e.included(at))
	default:
		// What is larger than the items have room for would leave none of them.
		out.Write((&cutter{}).fit(key, value, e.room))
	}
}

// included joins an array of all pages.
func (e *envelope) included(at location) []byte {
	out := []byte{'['}
	for _, page := range e.pages {
		array := at.in(page.page.Body)
		if len(array) <= len("[]") || array[0] != '[' {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, array[1:len(array)-1]...)
	}
	return append(out, ']')
}

func isBoolean(value []byte) bool { return json.Valid(value) && (value[0] == 't' || value[0] == 'f') }
