package mapping

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"mcpgate/internal/fault"
)

// NewRequest fills the arguments in. The body can be rewound (GetBody is set). A path value is one segment, whatever
// it holds. A value that its place can't hold is a fault.Input.
func (t *Tool) NewRequest(ctx context.Context, args Arguments) (*http.Request, error) {
	target, err := t.template.url(args)
	if err != nil {
		return nil, err
	}
	body, mediaType, err := t.template.body.encode(args)
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, t.template.method, target, reader)
	if err != nil {
		return nil, fault.New(fault.ConfigurationInvalid, "the base URL of "+t.Upstream+" is not one", err)
	}
	if err := t.template.setHeaders(req, args, mediaType); err != nil {
		return nil, err
	}
	return req, nil
}

// url returns the request's URL, every byte as it shall be sent.
func (t *template) url(args Arguments) (string, error) {
	base, err := t.expandBase(args)
	if err != nil {
		return "", err
	}
	base, query, _ := strings.Cut(base, "?")
	path, pathQuery, err := t.expandPath(args)
	if err != nil {
		return "", err
	}
	pairs := make([]string, 0, len(t.query)+2)
	for _, fixed := range []string{query, pathQuery} {
		if fixed != "" {
			pairs = append(pairs, fixed)
		}
	}
	for _, slot := range t.query {
		if value, ok := slot.fill(args); ok {
			pairs = append(pairs, slot.queryPairs(value)...)
		}
	}
	target := base + path
	if len(pairs) > 0 {
		target += "?" + strings.Join(pairs, "&")
	}
	return target, nil
}

// expandBase puts server variables into the base URL.
func (t *template) expandBase(args Arguments) (string, error) {
	return expand(t.base, unescaped, func(name string) (string, error) {
		slot, ok := t.segment(name, true)
		if !ok {
			return "", unfilled(name)
		}
		value, ok := slot.fill(args)
		if !ok {
			return "", unfilled(name)
		}
		text := scalarText(value)
		if slot.argument != "" && !isHostLabel(text) {
			return "", badArgument(slot, "may hold letters, digits, dots, hyphens and underscores")
		}
		return text, nil
	})
}

// expandPath returns the path and, where the document writes one into it, its query; both encoded.
func (t *template) expandPath(args Arguments) (path, query string, err error) {
	// A fragment, as in AWS's /#Action=..., tells operations apart in the document, and is never sent.
	text, _, _ := strings.Cut(t.path, "#")
	text, query, _ = strings.Cut(text, "?")
	query, err = expand(query, escapeLiteral, func(name string) (string, error) {
		slot, ok := t.segment(name, false)
		if !ok {
			return "", unfilled(name)
		}
		value, _ := slot.fill(args)
		return escapeAll(scalarText(value)), nil
	})
	if err != nil {
		return "", "", err
	}
	segments := strings.Split(text, "/")
	for i, segment := range segments {
		if segments[i], err = t.expandSegment(segment, args); err != nil {
			return "", "", err
		}
	}
	return strings.Join(segments, "/"), query, nil
}

// expandSegment fills one path segment. Servers and proxies resolve dot segments even where they are percent-encoded, and
// nginx does so after it has decoded %2F: a value that is empty, or has . or .. between slashes, is refused.
func (t *template) expandSegment(segment string, args Arguments) (string, error) {
	var last slot
	text, err := expand(segment, escapeLiteral, func(name string) (string, error) {
		slot, ok := t.segment(name, false)
		if !ok {
			return "", unfilled(name)
		}
		last = slot
		value, ok := slot.fill(args)
		if !ok {
			return "", badArgument(slot, "is needed for the path")
		}
		written := slot.pathValue(value)
		if written == "" {
			return "", badArgument(slot, "must not be empty: it is part of the path")
		}
		return written, nil
	})
	if err != nil {
		return "", err
	}
	if last.name != "" && hasDotSegment(text) {
		return "", badArgument(last, `must not be "." or "..", nor hold them between slashes: it is part of the path`)
	}
	return text, nil
}

// segment returns the slot for a {name} of the base (variable) or of the path.
func (t *template) segment(name string, variable bool) (slot, bool) {
	for _, slot := range t.segments {
		if slot.name == name && slot.variable == variable {
			return slot, true
		}
	}
	return slot{}, false
}

// expand replaces each {name} in text by what fill returns for it, and writes what stands around them with escape.
func expand(text string, escape escaper, fill func(name string) (string, error)) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		out.WriteString(escape(before))
		if !found {
			return out.String(), nil
		}
		if !closed {
			return "", unfilled(rest)
		}
		value, err := fill(name)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		text = after
	}
}

// fill returns the slot's value, and whether there is one.
func (s slot) fill(args Arguments) (any, bool) {
	if s.argument == "" {
		return s.value, true
	}
	value, ok := args[s.argument]
	return value, ok
}

// setHeaders writes the headers: what gateway.yaml says wins over what the model says.
func (t *template) setHeaders(req *http.Request, args Arguments, mediaType string) error {
	if t.accept != "" {
		req.Header.Set("Accept", t.accept)
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	for _, slot := range t.headers {
		value, ok := slot.fill(args)
		if !ok || undefined(value) {
			continue
		}
		text := slot.headerValue(value)
		if !httpguts.ValidHeaderFieldValue(text) {
			return badArgument(slot, "must not hold line breaks or control characters: it is sent as a header")
		}
		req.Header.Set(slot.name, text)
	}
	var cookies []string
	for _, slot := range t.cookies {
		if value, ok := slot.fill(args); ok {
			cookies = append(cookies, slot.cookiePairs(value)...)
		}
	}
	if len(cookies) > 0 {
		req.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	for _, header := range t.static {
		if strings.EqualFold(header.name, "Host") {
			req.Host = header.value.Reveal()
			continue
		}
		if strings.EqualFold(header.name, "Content-Type") && strings.HasPrefix(mediaType, "multipart/") {
			continue // the boundary stands there
		}
		req.Header.Set(header.name, header.value.Reveal())
	}
	return nil
}

// escapeLiteral makes the document's own text fit into a URL: what may not stand there is percent-encoded, escapes stay.
func escapeLiteral(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && isTriple(text[i:]) {
			out.WriteByte('%')
			continue
		}
		out.WriteString(percentEncode(text[i:i+1], func(c byte) bool {
			return strings.IndexByte("-._~!$&'()*+,;=:@/?", c) >= 0
		}))
	}
	return out.String()
}

// hasDotSegment reports whether an encoded segment, once decoded, has . or .. between slashes of either kind.
func hasDotSegment(segment string) bool {
	decoded, err := url.PathUnescape(segment)
	if err != nil {
		return true
	}
	for part := range strings.FieldsFuncSeq(decoded, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// isHostLabel reports whether a variable's value can stand in a host without changing anything around it.
func isHostLabel(text string) bool {
	return text != "" && percentEncode(text, func(c byte) bool { return strings.IndexByte("-._", c) >= 0 }) == text &&
		!strings.Contains(text, "..")
}

// badArgument is the fault of one argument.
func badArgument(s slot, message string) error {
	name := s.argument
	if name == "" {
		name = s.name
	}
	f := fault.New(fault.Input, name+" "+message, nil)
	f.Fields = []fault.Field{{Path: name, Message: message}}
	return f
}

// unfilled is the fault of a {name} that nothing fills, which Compile should have found.
func unfilled(name string) error {
	return fault.New(fault.ConfigurationInvalid, "nothing fills {"+name+"} in the URL", nil)
}
