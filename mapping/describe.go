package mapping

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"mcpgate/config"
	"mcpgate/specs"
)

// Bounds of texts, in bytes. A description is read by a model at every turn, so it pays for its length each time.
const (
	maxTitle       = 80
	maxDescription = 1000
)

// title is what people see in a client's list of tools.
func title(op *specs.Operation, name string) string {
	if summary := cleanText(op.Summary); summary != "" && len(summary) <= maxTitle {
		return strings.TrimSuffix(summary, ".")
	}
	return words(cmp.Or(op.ID, name))
}

// describe says what an operation does: in the document's words, or made from method and path where it has none.
func describe(op *specs.Operation) string {
	summary, text := cleanText(op.Summary), cleanText(op.Description)
	switch {
	case text == "" && summary == "":
		text = madeUp(op)
	case text == "":
		text = summary
	case summary != "" && !says(text, summary):
		text = sentence(summary) + " " + text
	}
	if op.Deprecated {
		text = "Deprecated. " + text
	}
	return cut(text, maxDescription)
}

// says reports whether a description begins with what the summary says, in whatever form of the words.
func says(text, summary string) bool {
	text = strings.ToLower(text[:min(len(text), 200)])
	for _, word := range strings.FieldsFunc(strings.ToLower(summary), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(word) > 3 && !strings.Contains(text, word[:len(word)*3/4]) {
			return false
		}
	}
	return true
}

// madeUp describes an operation that has no words of its own.
func madeUp(op *specs.Operation) string {
	text := op.Method + " " + op.Path
	for _, r := range op.Responses {
		if strings.HasPrefix(r.Status, "2") && cleanText(r.Description) != "" {
			return text + ": " + cleanText(r.Description)
		}
	}
	return text
}

// annotations are MCP's hints as RFC 9110 defines the method. POST only adds, as far as one can know; PUT, PATCH and
// DELETE change what is there.
func annotations(method string, entry config.Annotations) Annotations {
	a := Annotations{OpenWorld: true}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "TRACE", "QUERY":
		a.ReadOnly, a.Idempotent = true, true
	case http.MethodPut, http.MethodDelete:
		a.Destructive, a.Idempotent = true, true
	case http.MethodPatch:
		a.Destructive = true
	}
	for _, o := range []struct {
		hint *bool
		said *bool
	}{{&a.ReadOnly, entry.ReadOnly}, {&a.Destructive, entry.Destructive}, {&a.Idempotent, entry.Idempotent},
		{&a.OpenWorld, entry.OpenWorld}} {
		if o.said != nil {
			*o.hint = *o.said
		}
	}
	if a.ReadOnly && entry.Destructive == nil {
		a.Destructive = false
	}
	return a
}

var (
	// Only what HTML knows is a tag: "Bearer <token>" is text.
	tag = regexp.MustCompile(`(?is)<!--.*?-->|</?(?:p|br|hr|b|i|u|em|strong|small|sub|sup|a|code|pre|tt|kbd|div|span|font|` +
		`section|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|img|blockquote|details|summary)(?:\s[^<>]*)?/?>`)
	image    = regexp.MustCompile(`!\[[^\]]*\]\([^)]*\)`)
	link     = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)
	quote    = regexp.MustCompile(`(?m)^[ \t]*>[ \t]?(?:\[!([A-Z]+)\])?`)
	fence    = regexp.MustCompile("(?m)^```.*$")
	heading  = regexp.MustCompile(`(?m)^#{1,6}[ \t]+(.*?)[:#\s]*$`)
	emphasis = regexp.MustCompile(`\*\*([^*\n]+)\*\*|__([^_\n]+)__`)
	blanks   = regexp.MustCompile(`[ \t\r\n\x{a0}]+`)
)

// cleanText takes markdown and HTML off a description, and puts it on one line.
func cleanText(s string) string {
	if len(s) > 64*maxDescription {
		s = cut(s, 64*maxDescription)
	}
	s = image.ReplaceAllString(s, "")
	s = link.ReplaceAllString(s, "$1")
	s = fence.ReplaceAllString(s, "")
	s = quote.ReplaceAllStringFunc(s, func(mark string) string { // "> [!NOTE]" -> "Note:"
		if kind := quote.FindStringSubmatch(mark)[1]; kind != "" {
			return kind[:1] + strings.ToLower(kind[1:]) + ":"
		}
		return ""
	})
	if first := heading.FindStringIndex(strings.TrimSpace(s)); first != nil && first[0] == 0 {
		s = cmp.Or(strings.TrimSpace(strings.TrimSpace(s)[first[1]:]), s) // a heading over all of it says little
	}
	s = heading.ReplaceAllString(s, "$1: ")
	s = emphasis.ReplaceAllString(s, "$1$2")
	s = html.UnescapeString(tag.ReplaceAllString(s, " "))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(blanks.ReplaceAllString(s, " "))
}

// sentence ends a text with a full stop.
func sentence(s string) string {
	if s == "" || strings.ContainsRune(".!?:;", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}

// cut shortens a text to at most limit bytes: at the end of a sentence where one ends in the second half, else at a
// word, with an ellipsis.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	if limit < 2*len("…") {
		return ""
	}
	head := s[:limit-len("…")]
	for !utf8.ValidString(head) && head != "" {
		head = head[:len(head)-1]
	}
	for _, end := range []string{". ", "! ", "? "} {
		if i := strings.LastIndex(head, end); i > limit/2 {
			return head[:i+1]
		}
	}
	if i := strings.LastIndexByte(head, ' '); i > limit/2 {
		head = head[:i]
	}
	return head + "…"
}

// words makes a title of a name: "listPets" -> "List pets".
func words(name string) string {
	var b strings.Builder
	var before rune
	for _, r := range name {
		switch {
		case notNameRune(r) || r == '_' || r == '-':
			r = ' '
		case unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsDigit(before)):
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
		before = r
	}
	all := strings.Fields(b.String())
	for i, word := range all {
		if rest := word[1:]; i > 0 && rest != "" && strings.ToLower(rest) == rest {
			all[i] = strings.ToLower(word)
		}
	}
	text := strings.Join(all, " ")
	if text == "" {
		return name
	}
	return cut(fmt.Sprintf("%c%s", unicode.ToUpper(rune(text[0])), text[1:]), maxTitle)
}
