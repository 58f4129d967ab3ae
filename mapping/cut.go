package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// minShare is the least that a cut value gets, in bytes: enough to say what it was.
const minShare = 48

// cut returns data, which is valid and compact, so that it is no longer than limit, and says what is missing. What is
// left is valid JSON, and honest: of an array the first items are there, whole; a text ends at a line.
func (t *Tool) cut(data []byte, limit int) (json.RawMessage, *Truncated) {
	if len(data) <= limit {
		return data, nil
	}
	var c cutter
	kept := c.fit("", data, limit)
	truncated := c.truncated(len(kept), len(data))
	truncated.HowToGetMore += " " + t.askForLess()
	return kept, truncated
}

// maxCutDepth bounds how deep a cut goes on: an answer may be nothing but brackets in brackets.
const maxCutDepth = 16

// cutter remembers what it cuts.
type cutter struct {
	places []cutPlace
	depth  int
}

// cutPlace is one value that was cut.
type cutPlace struct {
	path  string // items[0].lines; "" is the root
	kept  int
	total int
	unit  string // items or bytes
	size  int    // before, in bytes
}

func (c *cutter) note(path string, kept, total int, unit string, size int) {
	c.places = append(c.places, cutPlace{path, kept, total, unit, size})
}

// fit returns a value in at most budget bytes.
func (c *cutter) fit(path string, value []byte, budget int) []byte {
	if len(value) <= budget {
		return value
	}
	c.depth++
	defer func() { c.depth-- }()
	switch {
	case c.depth > maxCutDepth:
	case value[0] == '[':
		return c.array(path, value, budget)
	case value[0] == '{':
		return c.object(path, value, budget)
	case value[0] == '"':
		return c.text(path, value, budget)
	}
	c.note(path, 0, len(value), "bytes", len(value))
	return marker(value, budget)
}

// array keeps the first items, whole. Where not even one fits, the first is cut itself.
func (c *cutter) array(path string, value []byte, budget int) []byte {
	kept, end := 0, 1
	var first []byte
	for item := range rawItems(value) {
		if kept == 0 {
			first = item
		}
		next := end + len(item)
		if kept > 0 {
			next++ // the comma
		}
		if next+1 > budget {
			break
		}
		kept, end = kept+1, next
	}
	c.note(path, kept, count(rawItems(value)), "items", len(value))
	if kept > 0 {
		return append(slices.Clone(value[:end]), ']')
	}
	if budget < minShare+2 {
		return marker(value, budget)
	}
	return slices.Concat([]byte{'['}, c.fit(path+"[0]", first, budget-2), []byte{']'})
}

// keyed is one member of an object.
type keyed struct{ key, value []byte }

// object keeps all keys, and cuts the largest values to one size, so that the small ones stay whole: of an object with
// one big array, only that array is cut. An object with many members of about one size, such as records by their ids, is
// rather a list: of that the first are kept.
func (c *cutter) object(path string, value []byte, budget int) []byte {
	var list []keyed
	var sizes []int
	overhead := len("{}")
	for key, value := range rawMembers(value) {
		list = append(list, keyed{key, value})
		sizes = append(sizes, len(value))
		overhead += len(key) + len(":,")
	}
	share := shareOf(sizes, budget-overhead)
	if share < minShare || slices.Max(sizes) <= largestMember(budget) {
		return c.manyMembers(path, value, list, budget)
	}
	out := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, m.key...), ':')
		out = append(out, c.fit(join(path, m.key), m.value, share)...)
	}
	return append(out, '}')
}

// largestMember is what one member of an object that is a list may take of it.
func largestMember(budget int) int { return max(minShare, budget/8) }

// manyMembers keeps the first members of an object, and says how many are missing.
func (c *cutter) manyMembers(path string, value []byte, list []keyed, budget int) []byte {
	const rest = `"...":"%d more members"`
	room := budget - len("{,}") - len(fmt.Sprintf(rest, len(list)))
	out := []byte{'{'}
	kept := 0
	for _, m := range list {
		size := len(m.key) + len(":,") + min(len(m.value), largestMember(budget))
		if size > room {
			break
		}
		room -= size
		out = append(append(out, m.key...), ':')
		out = append(append(out, c.fit(join(path, m.key), m.value, largestMember(budget))...), ',')
		kept++
	}
	if kept == len(list) {
		return append(out[:len(out)-1], '}')
	}
	c.note(path, kept, len(list), "items", len(value))
	if kept == 0 {
		return marker(value, budget)
	}
	return append(fmt.Appendf(out, rest, len(list)-kept), '}')
}

// shareOf returns the largest size to which all values can be cut so that together they fit.
func shareOf(sizes []int, room int) int {
	sizes = slices.Sorted(slices.Values(sizes))
	for i, size := range sizes {
		share := room / (len(sizes) - i)
		if size > share {
			return share
		}
		room -= size
	}
	return room
}

// text keeps the beginning of a string, up to the end of a line, or of a word, where one is near. Within other data it says so itself.
// What has no blanks is no text to read but encoded data: of that the beginning says nothing.
func (c *cutter) text(path string, value []byte, budget int) []byte {
	content := value[1 : len(value)-1]
	note := ""
	if path != "" {
		note = fmt.Sprintf(" [cut: %s in all]", byteSize(int64(len(content))))
	}
	room := budget - len(`""`) - len(note)
	if room < len(note) || path != "" && !bytes.ContainsAny(content[:min(len(content), 512)], " \\") {
		c.note(path, 0, len(content), "bytes", len(value))
		return marker(value, budget)
	}
	end := wholeCharacters(content, room)
	if line := bytes.LastIndex(content[:end], []byte(`\n`)); line > end/2 && !escapedAt(content, line) {
		end = line + len(`\n`)
	} else if word := bytes.LastIndexByte(content[:end], ' '); word > end/2 {
		end = word
	}
	c.note(path, end, len(content), "bytes", len(value))
	return slices.Concat([]byte{'"'}, content[:end], []byte(note), []byte{'"'})
}

// wholeCharacters returns the largest end of content, at most limit, that splits no escape, no pair of escapes and no
// character.
func wholeCharacters(content []byte, limit int) int {
	for i := 0; i < len(content); {
		size := 1
		switch {
		case content[i] == '\\' && codeUnit(content, i) >= 0xd800 && codeUnit(content, i) < 0xdc00:
			size = 12
		case content[i] == '\\' && codeUnit(content, i) >= 0:
			size = 6
		case content[i] == '\\':
			size = 2
		case content[i] >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(content[i:])
		}
		if i+size > limit {
			return i
		}
		i += size
	}
	return len(content)
}

// escapedAt reports whether the backslash at i is itself escaped.
func escapedAt(content []byte, i int) bool {
	before := 0
	for i--; i >= 0 && content[i] == '\\'; i-- {
		before++
	}
	return before%2 == 1
}

// join is the path of an object's member.
func join(path string, key []byte) string {
	name := strings.Trim(string(key), `"`)
	if path == "" {
		return name
	}
	return path + "." + name
}

// truncated says what was cut: the largest array, or the bytes as a whole.
func (c *cutter) truncated(kept, total int) *Truncated {
	slices.SortStableFunc(c.places, func(a, b cutPlace) int { return b.size - a.size })
	t := &Truncated{Kept: kept, Total: total, Unit: "bytes"}
	var words []string
	for _, place := range c.places {
		if place.unit == "items" && t.Unit == "bytes" {
			t.Kept, t.Total, t.Unit = place.kept, place.total, place.unit
		}
		if len(words) < 4 {
			words = append(words, place.words())
		}
	}
	t.HowToGetMore = strings.Join(words, ", ") + "."
	return t
}

func (p cutPlace) words() string {
	name := p.path
	if name == "" {
		name = "the answer"
	}
	name = cutText(name, 80)
	switch {
	case p.unit == "bytes":
		return fmt.Sprintf("%s holds %d of %d bytes", name, p.kept, p.total)
	case p.kept == 0:
		return fmt.Sprintf("%s holds none of %d items whole", name, p.total)
	}
	return fmt.Sprintf("%s holds the first %d of %d items", name, p.kept, p.total)
}
