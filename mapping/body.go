package mapping

import (
	"encoding/base64"
	"errors"
	"mime"
	"strings"

	"mcpgate/internal/fault"
	"mcpgate/specs"
)

// encode returns the body and its Content-Type; nil where there is nothing to send.
func (b *bodyTemplate) encode(args Arguments) ([]byte, string, error) {
	if b == nil {
		return nil, "", nil
	}
	value, ok := b.value(args)
	if !ok {
		return nil, "", nil
	}
	base := baseType(b.mediaType)
	switch {
	case b.xml != nil:
		data, err := b.xml.write(value)
		return data, textType(b.mediaType), err
	case base == "application/x-www-form-urlencoded":
		data, err := b.form(value)
		return data, b.mediaType, err
	case strings.HasPrefix(base, "multipart/"):
		return b.multipart(value)
	case isLines(base):
		return lines(value), b.mediaType, nil
	case isJSON(base):
		return []byte(compactJSON(value)), b.mediaType, nil
	case base == "" || base == "*/*" || base == "application/*":
		return []byte(compactJSON(value)), "application/json", nil
	case textual(base):
		return []byte(scalarText(value)), textType(b.mediaType), nil
	}
	return b.binary(value)
}

// value returns what the body holds, and whether it holds anything: an optional body with nothing in it is not sent. A
// null stays one, since it is how a merge patch deletes (RFC 7396).
func (b *bodyTemplate) value(args Arguments) (any, bool) {
	switch {
	case b.literal != nil:
		if value, ok := b.fillLiteral(b.literal, args); ok {
			return value, true
		}
		return map[string]any{}, b.required
	case b.whole != "":
		return slot{argument: b.whole, edits: b.edits}.fill(args)
	}
	return b.wrap(args)
}

// fillLiteral copies a template of gateway.yaml with its {name}s filled. A string that is nothing but "{name}" becomes the
// value with its type. What names an argument that the call does not have is left out, with the object or array that
// had nothing else.
func (b *bodyTemplate) fillLiteral(node any, args Arguments) (any, bool) {
	switch node := node.(type) {
	case string:
		return b.fillText(node, args)
	case []any:
		filled := []any{}
		for _, item := range node {
			if value, ok := b.fillLiteral(item, args); ok {
				filled = append(filled, value)
			}
		}
		return filled, len(filled) > 0 || len(node) == 0
	case map[string]any:
		filled := map[string]any{}
		for key, member := range node {
			if value, ok := b.fillLiteral(member, args); ok {
				filled[key] = value
			}
		}
		return filled, len(filled) > 0 || len(node) == 0
	}
	return node, true
}

// fillText fills the {name}s of one string. Braces around anything but the name of an argument are text, as in GraphQL.
func (b *bodyTemplate) fillText(text string, args Arguments) (any, bool) {
	var out strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "{")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, tail, _ := strings.Cut(after, "}")
		slot, ok := b.property(name)
		if !ok {
			out.WriteString("{")
			rest = after
			continue
		}
		value, ok := slot.fill(args)
		if !ok {
			return nil, false
		}
		if text == "{"+name+"}" {
			return value, true
		}
		out.WriteString(scalarText(value))
		rest = tail
	}
}

// property returns the slot of a property, or of an argument that the literal may name.
func (b *bodyTemplate) property(name string) (slot, bool) {
	for _, slot := range b.properties {
		if slot.name == name {
			return slot, true
		}
	}
	return slot{}, false
}

// form writes an object as application/x-www-form-urlencoded; a string is one already.
func (b *bodyTemplate) form(value any) ([]byte, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return []byte(scalarText(value)), nil
	}
	var pairs []string
	for name, member := range members(object) {
		s := formSlot(name, member, b.encoding[name])
		if property, ok := b.property(name); ok {
			s.argument = property.argument
		}
		if err := s.keepsToItself(member, b.properties); err != nil {
			return nil, err
		}
		pairs = append(pairs, s.queryPairs(member)...)
	}
	return []byte(strings.Join(pairs, "&")), nil
}

// formSlot says how one property of a form is written. Where the document says nothing, an array is one pair an item, and
// an object is JSON (OpenAPI 3.1, "Encoding Object").
func formSlot(name string, value any, encoding specs.Encoding) slot {
	s := slot{name: name, style: encoding.Style, explode: encoding.Explode, reserved: encoding.AllowReserved}
	if s.style == "" {
		s.style, s.explode = "form", true
	}
	_, isObject := value.(map[string]any)
	switch {
	case s.style == "deepObject":
	case isJSON(encoding.ContentType), isObject && encoding.Style == "":
		s.contentType = "application/json"
	}
	return s
}

// lines writes each item of an array as JSON on a line of its own.
func lines(value any) []byte {
	items, ok := value.([]any)
	if !ok {
		return []byte(scalarText(value) + "\n")
	}
	var out strings.Builder
	for _, item := range items {
		out.WriteString(compactJSON(item) + "\n")
	}
	return []byte(out.String())
}

// binary writes the bytes that a base64 string stands for; anything else is JSON.
func (b *bodyTemplate) binary(value any) ([]byte, string, error) {
	text, ok := value.(string)
	if !ok {
		return []byte(compactJSON(value)), b.mediaType, nil
	}
	data, mediaType, err := decodeBase64(text)
	if err != nil {
		return nil, "", notBase64(b.whole)
	}
	if strings.Contains(b.mediaType, "*") {
		return data, orOctets(mediaType), nil
	}
	return data, b.mediaType, nil
}

// decodeBase64 reads base64 of either alphabet, padded or not, with or without line breaks; also a data: URL, whose media
// type it returns.
func decodeBase64(text string) (data []byte, mediaType string, err error) {
	if rest, isURL := strings.CutPrefix(text, "data:"); isURL {
		head, content, found := strings.Cut(rest, ",")
		mediaType, isBase64 := strings.CutSuffix(head, ";base64")
		if !found || !isBase64 {
			return nil, "", errors.New("the data: URL is not base64")
		}
		if mediaType, _, err = mime.ParseMediaType(mediaType); err != nil {
			mediaType = "" // it goes into a header: what is no media type must not
		}
		data, _, err = decodeBase64(content)
		return data, mediaType, err
	}
	text = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "", " ", "", "=", "").Replace(text)
	data, err = base64.RawStdEncoding.DecodeString(text)
	return data, "", err
}

func notBase64(name string) error {
	const message = "must be base64: it stands for bytes"
	f := fault.New(fault.Input, name+" "+message, nil)
	f.Fields = []fault.Field{{Path: name, Message: message}}
	return f
}

func orOctets(mediaType string) string {
	if mediaType == "" {
		return "application/octet-stream"
	}
	return mediaType
}

// textType is the Content-Type of a text, which is always sent as UTF-8.
func textType(mediaType string) string {
	base := baseType(mediaType)
	if base == "text/*" {
		base = "text/plain"
	}
	if strings.HasPrefix(base, "text/") {
		return base + "; charset=utf-8"
	}
	return mediaType
}
