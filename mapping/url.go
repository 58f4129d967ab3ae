package mapping

import (
	"net/url"
	"strings"

	"mcpgate/internal/fault"
)

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
		value, ok := slot.fill(args)
		if !ok {
			continue
		}
		if err := slot.keepsToItself(value, t.query); err != nil {
			return "", err
		}
		pairs = append(pairs, slot.queryPairs(value)...)
	}
	if whole := t.querystring; whole != nil {
		if value, ok := whole.fill(args); ok {
			pairs = append(pairs, escapeAll(whole.content(value)))
		}
	}
	target := base + path
	if len(pairs) > 0 {
		target += "?" + strings.Join(pairs, "&")
	}
	return target, nil
}

// expandBase puts server variables into the base URL. What the model chooses was checked against its enum; here it is
// made sure once more that in the host it stays a part of a name, and in the path adds no dot segment.
func (t *template) expandBase(args Arguments) (string, error) {
	scheme, rest, found := strings.Cut(t.base, "://")
	host, path, hasPath := strings.Cut(rest, "/")
	if !found {
		host, path, hasPath = strings.Cut(t.base, "/")
	} else {
		host = scheme + "://" + host
	}
	host, err := expand(host, unescaped, t.variables(args, isHostLabel, "may hold letters, digits, dots, hyphens and underscores"))
	if err != nil || !hasPath {
		return host, err
	}
	path, err = expand(path, unescaped, t.variables(args, isPlainPath, "may hold letters, digits, dots, hyphens, underscores and single slashes"))
	return host + "/" + path, err
}

// variables returns what fills the {name}s of a part of the base. What gateway.yaml or the document fixed is written as
// it stands there.
func (t *template) variables(args Arguments, allowed func(string) bool, message string) func(string) (string, error) {
	return func(name string) (string, error) {
		if strings.HasPrefix(name, tokenPrefix) {
			return t.tokenVariable(name, args, allowed)
		}
		slot, ok := t.segment(name, true)
		if !ok {
			return "", unfilled(name)
		}
		value, ok := slot.fill(args)
		if !ok {
			return "", unfilled(name)
		}
		text := scalarText(value)
		if slot.argument != "" && !allowed(text) {
			return "", badArgument(slot, message)
		}
		return text, nil
	}
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
	return strings.Trim(text, ".") != "" && !strings.Contains(text, "..") &&
		percentEncode(text, func(c byte) bool { return strings.IndexByte("-._", c) >= 0 }) == text
}

// isPlainPath reports whether a variable's value can stand in the path of the base: names with slashes between them.
func isPlainPath(text string) bool {
	for segment := range strings.SplitSeq(text, "/") {
		if !isHostLabel(segment) {
			return false
		}
	}
	return true
}

// unfilled is the fault of a {name} that nothing fills, which Compile should have found.
func unfilled(name string) error {
	return fault.New(fault.ConfigurationInvalid, "nothing fills {"+name+"} in the URL", nil)
}
