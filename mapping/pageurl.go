package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

var (
	errForeign = errors.New("the next page is on another host, or outside of the API")
	errNoURL   = errors.New("the next page has no URL that can be followed")
)

// follow resolves what an answer names as the next page's URL. Only one of the same scheme, host and port, below the
// API's root, is followed: the request carries a credential.
func follow(base *url.URL, root, target string) (*url.URL, error) {
	next, err := base.Parse(target)
	if err != nil {
		return nil, errNoURL
	}
	path := next.EscapedPath()
	switch {
	case next.User != nil || next.Opaque != "" || next.Scheme != base.Scheme || !strings.EqualFold(hostPort(next), hostPort(base)):
		return nil, errForeign
	case path != root && !strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/"):
		return nil, errForeign
	case hasDotSegment(path):
		return nil, errForeign
	}
	next.Host, next.Fragment, next.RawFragment = base.Host, "", ""
	return next, nil
}

// hostPort names the port that a URL leaves out.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.TrimSuffix(u.Hostname(), ".") + ":" + port
}

// isReference reports whether a text is meant as a URL: a cursor isn't.
func isReference(text string) bool {
	return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "?") || strings.HasPrefix(text, "http://") ||
		strings.HasPrefix(text, "https://")
}

// nextLink returns the target of the first link with rel=next (RFC 8288), "" where there is none.
func nextLink(header http.Header) string {
	for _, field := range header.Values("Link") {
		for field != "" {
			start := strings.IndexByte(field, '<')
			end := strings.IndexByte(field, '>')
			if start < 0 || end < start {
				break
			}
			target := field[start+1 : end]
			var parameters string
			parameters, field = cutLink(field[end+1:])
			if isNext(parameters) {
				return strings.TrimSpace(target)
			}
		}
	}
	return ""
}

// cutLink splits at the comma that ends a link: commas in quotes don't.
func cutLink(text string) (parameters, rest string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// isNext reports whether next is among the relation types of a link. Its first rel counts (RFC 8288 section 3.3).
func isNext(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for relation := range strings.FieldsSeq(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
		return false
	}
	return false
}

// queryValue returns a parameter of an encoded query.
func queryValue(query, name string) string {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); queryText(key) == name {
			return queryText(value)
		}
	}
	return ""
}

// withQueryValue sets a parameter. The others stay as they are written.
func withQueryValue(query, name, value string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(pair, "="); pair != "" && queryText(key) != name {
			kept = append(kept, pair)
		}
	}
	return strings.Join(append(kept, escapeName(name)+"="+escapeAll(value)), "&")
}

func queryText(text string) string {
	out, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return out
}

// bodyOf reads a request's JSON body without using it up; nil where it is no object.
func bodyOf(req *http.Request) map[string]json.RawMessage {
	if req.GetBody == nil {
		return nil
	}
	reader, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer reader.Close()
	var fields map[string]json.RawMessage
	if data, err := io.ReadAll(reader); err != nil || json.Unmarshal(data, &fields) != nil {
		return nil
	}
	return fields
}

// setBody puts a JSON body on a request, such that it can be sent again.
func setBody(req *http.Request, fields map[string]json.RawMessage) error {
	data, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	req.ContentLength = int64(len(data))
	req.Body, err = req.GetBody()
	return err
}
