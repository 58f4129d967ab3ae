package sandbox

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"unicode/utf8"
)

// parts reads a form of several parts (RFC 7578). A file that is no text is base64, as in the arguments of a tool.
func parts(sent []byte, mediaType string) (url.Values, error) {
	_, params, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return nil, err
	}
	form := url.Values{}
	for reader := multipart.NewReader(bytes.NewReader(sent), params["boundary"]); ; {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		value := string(data)
		if !utf8.Valid(data) {
			value = base64.StdEncoding.EncodeToString(data)
		}
		form.Add(part.FormName(), value)
	}
}

// formBody is a form as the object that the document describes: values by their types, objects and lists from JSON too.
func (c *call) formBody(form url.Values) map[string]any {
	schema := c.endpoint.bodySchema()
	out := map[string]any{}
	for name, values := range form {
		p, _ := c.endpoint.defs.resolve(properties(schema)[name])
		if typeOf(p) != "array" {
			out[name] = typed(p, values[0])
			continue
		}
		if list, ok := structured(values[0]).([]any); ok && len(values) == 1 {
			out[name] = list
			continue
		}
		given, _ := asSchema(p["items"])
		item, _ := c.endpoint.defs.resolve(given)
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = typed(item, v)
		}
		out[name] = list
	}
	return out
}

// structured is the JSON object or list that a text holds, or nil.
func structured(v string) any {
	var out any
	decoder := json.NewDecoder(bytes.NewReader([]byte(v)))
	decoder.UseNumber()
	if !json.Valid([]byte(v)) || decoder.Decode(&out) != nil {
		return nil
	}
	switch out.(type) {
	case map[string]any, []any:
		return out
	}
	return nil
}
