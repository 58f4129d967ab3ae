package mapping

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// part is one part of a multipart body.
type part struct {
	name      string
	mediaType string // "" leaves the header out, which means text/plain
	file      bool
	filename  string // of a file; "" for one that is made up
	data      []byte
}

// multipart writes each property as a part, each item of an array as one of its own (OpenAPI 3.1, "Special
// Considerations for multipart Content").
func (b *bodyTemplate) multipart(value any) ([]byte, string, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, "", badArgument(slot{argument: b.whole}, "must be an object: each property is a part of the body")
	}
	var parts []part
	for name, member := range members(object) {
		items, ok := member.([]any)
		if !ok {
			items = []any{member}
		}
		for item := range defined(items) {
			part, err := b.part(name, item)
			if err != nil {
				return nil, "", err
			}
			parts = append(parts, part)
		}
	}
	return writeParts(baseType(b.mediaType), parts)
}

// part writes one value: an object as JSON, the bytes of a binary one as a file, anything else as text.
func (b *bodyTemplate) part(name string, value any) (part, error) {
	declared := firstConcrete(b.encoding[name].ContentType)
	slot, _ := b.property(name)
	if slot.binary {
		return attachment(slot, name, declared, value)
	}
	switch value.(type) {
	case map[string]any, []any:
		if declared == "" {
			declared = "application/json"
		}
		return part{name: name, mediaType: declared, data: []byte(compactJSON(value))}, nil
	}
	if isJSON(declared) {
		return part{name: name, mediaType: declared, data: []byte(compactJSON(value))}, nil
	}
	return part{name: name, mediaType: declared, data: []byte(scalarText(value))}, nil
}

// attachment reads a file as the model gives it: base64, or an object with data or text, and its name and media type. What
// the model says of its type wins over what the document does, which often lists several.
func attachment(s slot, name, declared string, value any) (part, error) {
	p := part{name: name, file: true}
	said := ""
	var err error
	switch value := value.(type) {
	case map[string]any:
		text, isText := value["text"].(string)
		data, isData := value["data"].(string)
		p.filename, _ = value["filename"].(string)
		said, _ = value["media_type"].(string)
		if isText == isData {
			return part{}, badArgument(s, "needs either data, which is base64, or text")
		}
		if p.data = []byte(text); isData {
			p.data, p.mediaType, err = decodeBase64(data)
		} else {
			p.mediaType = "text/plain; charset=utf-8"
		}
	case string:
		p.data, p.mediaType, err = decodeBase64(value)
	}
	if err != nil {
		return part{}, notBase64(s.argument)
	}
	if said != "" {
		if _, _, err := mime.ParseMediaType(said); err != nil || !strings.Contains(said, "/") || !httpguts.ValidHeaderFieldValue(said) {
			return part{}, badArgument(s, fmt.Sprintf("has the media_type %q, which is none; one is such as text/csv", said))
		}
	}
	p.mediaType = cmp.Or(said, declared, p.mediaType, http.DetectContentType(p.data))
	return p, nil
}

// writeParts puts the parts together. The boundary is a hash of them, so that the same call makes the same request, and
// no part can hold it.
func writeParts(mediaType string, parts []part) ([]byte, string, error) {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write([]byte(part.name + "\x00" + part.filename + "\x00" + part.mediaType + "\x00"))
		hash.Write(part.data)
	}
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	if err := writer.SetBoundary(hex.EncodeToString(hash.Sum(nil))[:40]); err != nil {
		return nil, "", err
	}
	for _, part := range parts {
		target, err := writer.CreatePart(part.header())
		if err != nil {
			return nil, "", err
		}
		if _, err := target.Write(part.data); err != nil {
			return nil, "", err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, "", err
	}
	if mediaType == "multipart/*" {
		mediaType = "multipart/form-data"
	}
	return body.Bytes(), mime.FormatMediaType(mediaType, map[string]string{"boundary": writer.Boundary()}), nil
}

func (p part) header() textproto.MIMEHeader {
	header := textproto.MIMEHeader{}
	if p.file {
		header.Set("Content-Disposition", multipart.FileContentDisposition(p.name, cmp.Or(p.filename, p.name+extension(p.mediaType))))
	} else {
		// As mime/multipart writes it where there is no Content-Type.
		name := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "%0D", "\n", "%0A").Replace(p.name)
		header.Set("Content-Disposition", `form-data; name="`+name+`"`)
	}
	if p.mediaType != "" {
		header.Set("Content-Type", p.mediaType)
	}
	return header
}

// firstConcrete is the first media type of a list that is no range; "" where there is none.
func firstConcrete(list string) string {
	for mediaType := range strings.SplitSeq(list, ",") {
		if mediaType = strings.TrimSpace(mediaType); !strings.Contains(mediaType, "*") {
			return mediaType
		}
	}
	return ""
}

// extension is the end of a made-up file name. The list is our own because the system's differs between machines.
func extension(mediaType string) string {
	extensions := map[string]string{
		"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp", "image/svg+xml": ".svg",
		"application/pdf": ".pdf", "application/zip": ".zip", "application/json": ".json", "application/xml": ".xml",
		"text/plain": ".txt", "text/csv": ".csv", "text/html": ".html", "audio/mpeg": ".mp3", "video/mp4": ".mp4",
	}
	return extensions[baseType(mediaType)]
}
