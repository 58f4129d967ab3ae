package mapping

import (
	"bytes"
	"context"
	"io"
	"net/http"
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

// fill returns the slot's value, and whether there is one.
func (s slot) fill(args Arguments) (any, bool) {
	if s.argument == "" {
		return s.value, true
	}
	value, ok := args[s.argument]
	return s.sent(value), ok
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
		value, ok := slot.fill(args)
		if !ok {
			continue
		}
		if err := slot.keepsToItself(value, t.cookies); err != nil {
			return err
		}
		for _, pair := range slot.cookiePairs(value) {
			if slot.style == "cookie" && strings.ContainsFunc(pair, func(r rune) bool { return r <= ' ' || r == ';' || r == 0x7f }) {
				return badArgument(slot, "must not hold semicolons, spaces or control characters: it is sent as a cookie")
			}
			cookies = append(cookies, pair)
		}
	}
	for _, header := range t.static {
		if strings.EqualFold(header.name, "Host") {
			req.Host = header.value.Reveal()
			continue
		}
		if strings.EqualFold(header.name, "Content-Type") && strings.HasPrefix(mediaType, "multipart/") {
			continue // the boundary stands there
		}
		if strings.EqualFold(header.name, "Cookie") {
			cookies = append(cookies, header.value.Reveal())
			continue
		}
		req.Header.Set(header.name, header.value.Reveal())
	}
	if len(cookies) > 0 {
		req.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return nil
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
