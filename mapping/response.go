package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"mcpgate/internal/fault"
)

// maxForeseen bounds the room that is made for what Content-Length only announces.
const maxForeseen = 1 << 20

// ReadPage reads an answer up to MaxBytes and closes it. A status outside 2xx is a fault, as is an answer that isn't
// what it says it is. An answer that breaks off is the error of the connection, not a fault. Of a Page's Body, JSON is
// valid and compact and text is UTF-8.
func (t *Tool) ReadPage(resp *http.Response) (Page, error) {
	defer resp.Body.Close()
	page := Page{Status: resp.StatusCode, Header: resp.Header, MediaType: baseType(resp.Header.Get("Content-Type"))}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return page, t.statusFault(resp)
	}
	limit := cmp.Or(t.MaxBytes, defaultMaxBytes)
	if resp.ContentLength > limit && t.template.method != http.MethodHead {
		return page, t.tooLarge(limit)
	}
	reader, err := t.uncompressed(resp)
	if err != nil {
		return page, err
	}
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), limit, maxForeseen)) + bytes.MinRead)
	_, err = body.ReadFrom(io.LimitReader(reader, limit+1))
	switch {
	case errors.Is(err, fault.Gateway):
		return page, err
	case err != nil:
		return page, fmt.Errorf("reading the answer of %s: %w", t.Upstream, err)
	case int64(body.Len()) > limit:
		return page, t.tooLarge(limit)
	}
	page.Body = body.Bytes()
	if err = t.settle(&page); err == nil {
		err = t.toldError(contextOf(resp), page)
	}
	return page, err
}

// settle finds out what the body is, and makes JSON compact and text UTF-8.
func (t *Tool) settle(page *Page) error {
	if !isJSON(page.MediaType) && isBinary(page.MediaType, page.Body) && len(page.Body) > 0 {
		return nil
	}
	contentType := page.Header.Get("Content-Type")
	if isXML(page.MediaType) {
		contentType = xmlType(contentType, page.Body)
	}
	text := toUTF8(page.Body, contentType)
	page.Body = text
	if len(bytes.TrimSpace(text)) == 0 {
		page.Body = nil
		return nil
	}
	if isJSON(page.MediaType) {
		data, err := compacted(text)
		if err != nil {
			return t.notJSON(page, err)
		}
		page.Body = data
		return nil
	}
	if isXML(page.MediaType) {
		if data, ok := t.xmlData(page, text); ok {
			page.MediaType, page.Body = "application/json", data
		}
		return nil
	}
	if data, ok := disguisedJSON(page.MediaType, text); ok {
		page.MediaType, page.Body = "application/json", data
		return nil
	}
	if looksLikeHTML(text) && t.expectsJSON(page) {
		return t.notJSON(page, nil)
	}
	return nil
}

// compacted returns JSON without white space, each number and string as it was. A line that keeps browsers from running
// it as a script is dropped.
func compacted(text []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte(")]}'")); ok {
		text = bytes.TrimLeft(rest, ",")
	}
	var out bytes.Buffer
	out.Grow(len(text))
	if err := json.Compact(&out, text); err != nil {
		return nil, err
	}
	return withoutLoneSurrogates(out.Bytes()), nil
}

// disguisedJSON reads an object or array that came as something else: many servers call all they send text/html, or
// leave the type out.
func disguisedJSON(mediaType string, body []byte) ([]byte, bool) {
	switch mediaType {
	case "", "text/plain", "text/html", "application/octet-stream", "text/javascript", "application/javascript":
	default:
		return nil, false
	}
	if first := bytes.TrimSpace(body)[0]; first != '{' && first != '[' {
		return nil, false
	}
	data, err := compacted(body)
	return data, err == nil
}

// isBinary reports whether an answer is neither text nor JSON. Where the type leaves it open, its first bytes decide.
func isBinary(mediaType string, body []byte) bool {
	if textual(mediaType) {
		return false
	}
	for _, family := range []string{"image/", "audio/", "video/", "font/"} {
		if strings.HasPrefix(mediaType, family) {
			return true
		}
	}
	return !strings.HasPrefix(http.DetectContentType(body), "text/")
}

// expectsJSON reports whether a web page can't be the answer: where the document does not promise one. An endpoint that
// no document describes may well be a page, but for one that asks for a password or leads to a single sign-on.
func (t *Tool) expectsJSON(page *Page) bool {
	if len(t.responses) == 0 {
		text := bytes.ToLower(page.Body)
		return pageKind(text) == loginPage && bytes.Contains(text, []byte("password")) || isSignOn(text)
	}
	types := t.promised(page.Status)
	return len(types) == 0 || !slices.ContainsFunc(types, func(mediaType string) bool {
		base := baseType(mediaType)
		return base == "text/html" || base == "application/xhtml+xml" || base == "text/*" || base == "*/*"
	})
}

// promised returns the media types that the document gives for a status: by itself, by its class, or by default.
func (t *Tool) promised(status int) []string {
	for _, key := range []string{fmt.Sprint(status), fmt.Sprintf("%dXX", status/100), "default"} {
		for _, response := range t.responses {
			if strings.EqualFold(response.Status, key) {
				types := make([]string, len(response.Content))
				for i, media := range response.Content {
					types[i] = media.Type
				}
				return types
			}
		}
	}
	return nil
}

// notJSON is the fault of an answer that should have been JSON.
func (t *Tool) notJSON(page *Page, cause error) error {
	text := page.Body
	if !looksLikeHTML(text) {
		message := fmt.Sprintf("%s answered %d with JSON that is broken or incomplete", t.Upstream, page.Status)
		if cause != nil && strings.Contains(cause.Error(), "exceeded max depth") { // encoding/json has no type for it
			message = fmt.Sprintf("%s answered %d with JSON that is nested too deep (over 10000 levels)", t.Upstream, page.Status)
		}
		f := fault.New(fault.UnexpectedResponse, message, cause)
		f.Upstream = &fault.Upstream{Status: page.Status, RequestID: requestID(page.Header)}
		return f
	}
	message := fmt.Sprintf("%s answered %d with a web page instead of JSON", t.Upstream, page.Status)
	if title := t.clean(pageTitle(text)); title != "" {
		message += fmt.Sprintf(" (%q)", title)
	}
	f := fault.New(fault.UnexpectedResponse, message+"; it looks like "+pageKind(text), cause)
	f.Hint = "The operator of the gateway should check this API's base_url and credential."
	f.Upstream = &fault.Upstream{Status: page.Status, RequestID: requestID(page.Header)}
	return f
}

// isSignOn reports whether a page in lower case is a form that a browser sends on to an identity provider (SAML 2.0
// bindings, section 3.5; OpenID Connect's form post).
func isSignOn(text []byte) bool {
	return bytes.Contains(text, []byte("<form")) &&
		(bytes.Contains(text, []byte(`name="samlrequest"`)) || bytes.Contains(text, []byte(`name="samlresponse"`)) || bytes.Contains(text, []byte(`name="id_token"`)))
}

const loginPage = "a login page"

// pageKind guesses what a web page is that came in place of JSON.
func pageKind(page []byte) string {
	text := bytes.ToLower(page[:min(len(page), 64<<10)])
	if isSignOn(text) {
		return loginPage
	}
	for _, sign := range []string{`type="password"`, "type='password'", "type=password", "log in", "login", "sign in", "signin", "single sign-on"} {
		if bytes.Contains(text, []byte(sign)) {
			return loginPage
		}
	}
	return "an error page, or the page of another server"
}

// tooLarge is the fault of an answer with more bytes than the tool takes.
func (t *Tool) tooLarge(limit int64) error {
	f := fault.New(fault.TooLarge, fmt.Sprintf("the answer of %s is larger than %s, more than this tool takes", t.Upstream, byteSize(limit)), nil)
	f.Hint = t.askForLess()
	return f
}

// byteSize writes a number of bytes for people.
func byteSize(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.3g MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.3g KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
