package sandbox

import (
	"net/url"
	"regexp"
	"strings"
)

// pattern is a path of a document, ready to be compared with the path of a request.
type pattern struct {
	text     string
	segments []segment
	// key is the same for paths that differ in the names of their placeholders alone.
	key string
}

// segment is one part of a path between slashes: a literal, or a text with placeholders in it.
type segment struct {
	literal string
	match   *regexp.Regexp // nil for a literal
	names   []string       // of the placeholders
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

func parsePattern(path string) pattern {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	p := pattern{text: path}
	for _, part := range splitPath(path) {
		found := placeholder.FindAllStringSubmatchIndex(part, -1)
		if found == nil {
			p.segments = append(p.segments, segment{literal: part})
			continue
		}
		var s segment
		var expr strings.Builder
		at := 0
		for _, f := range found {
			expr.WriteString(regexp.QuoteMeta(part[at:f[0]]) + `(.+?)`)
			s.names = append(s.names, part[f[2]:f[3]])
			at = f[1]
		}
		s.match = regexp.MustCompile(`(?s)^` + expr.String() + regexp.QuoteMeta(part[at:]) + `$`)
		p.segments = append(p.segments, s)
	}
	p.key = keyOf(p.segments)
	return p
}

func splitPath(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// isItem reports whether the path ends in a placeholder, as that of one record does.
func (p pattern) isItem() bool {
	return len(p.segments) > 0 && p.segments[len(p.segments)-1].match != nil
}

// endsInID reports whether the last placeholder asks for an id ({petId}, {uuid}) and not for a name ({repo}).
func (p pattern) endsInID() bool {
	if !p.isItem() {
		return false
	}
	names := p.segments[len(p.segments)-1].names
	return strings.HasSuffix(plain(names[len(names)-1]), "id")
}

// parent is the path without its last segment.
func (p pattern) parent() pattern {
	if len(p.segments) == 0 {
		return p
	}
	text := strings.TrimRight(p.text, "/")
	above := p.segments[:len(p.segments)-1]
	return pattern{text: text[:strings.LastIndex(text, "/")], segments: above, key: keyOf(above)}
}

func keyOf(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		if s.match != nil {
			b.WriteString(s.match.String())
		} else {
			b.WriteString(strings.ToLower(s.literal))
		}
	}
	return b.String()
}

// lastLiteral is the last segment that is not a placeholder: what the records at the path are called.
func (p pattern) lastLiteral() string {
	for i := len(p.segments) - 1; i >= 0; i-- {
		if p.segments[i].match == nil {
			return p.segments[i].literal
		}
	}
	return ""
}

// values returns what the placeholders stand for in path, in their order, or false where the path is another.
func (p pattern) values(path []string) ([]string, bool) {
	if len(path) != len(p.segments) {
		return nil, false
	}
	var values []string
	for i, s := range p.segments {
		if s.match == nil {
			if s.literal != path[i] {
				return nil, false
			}
			continue
		}
		found := s.match.FindStringSubmatch(path[i])
		if found == nil {
			return nil, false
		}
		values = append(values, found[1:]...)
	}
	return values, true
}

// moreLiteral reports whether p says more of its segments than q does: /pet/mine before /pet/{id}.
func (p pattern) moreLiteral(q pattern) bool {
	for i := range p.segments {
		if (p.segments[i].match == nil) != (q.segments[i].match == nil) {
			return p.segments[i].match == nil
		}
	}
	return false
}

// requestPath returns the segments of a URL's path, unescaped one by one, so that an escaped slash stays in its own.
func requestPath(u *url.URL) []string {
	parts := splitPath(u.EscapedPath())
	for i, part := range parts {
		if text, err := url.PathUnescape(part); err == nil {
			parts[i] = text
		}
	}
	return parts
}

// route finds the endpoint for a method and a path. Where the path is known and the method is not, allowed has the
// methods that are.
func (s *Sandbox) route(method string, path []string) (found *endpoint, values []string, allowed []string) {
	if method == "HEAD" {
		method = "GET"
	}
	for _, e := range s.endpoints {
		v, ok := e.path.values(path)
		if !ok {
			continue
		}
		if e.method != method {
			allowed = append(allowed, e.method)
			continue
		}
		if found == nil || e.path.moreLiteral(found.path) {
			found, values = e, v
		}
	}
	return found, values, allowed
}
