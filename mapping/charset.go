package mapping

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// byteOrderMark is how some servers begin UTF-8; JSON must not have one (RFC 8259 section 8.1).
var byteOrderMark = []byte("\xef\xbb\xbf")

// toUTF8 returns text as valid UTF-8. What its charset parameter does not explain is replaced by U+FFFD.
func toUTF8(text []byte, contentType string) []byte {
	_, params, _ := mime.ParseMediaType(contentType)
	if charset := charsetOf(params["charset"], text); charset != nil {
		if decoded, err := charset.NewDecoder().Bytes(text); err == nil {
			text = decoded
		}
	}
	text = bytes.TrimPrefix(text, byteOrderMark)
	if utf8.Valid(text) {
		return text
	}
	return bytes.ToValidUTF8(text, []byte("\uFFFD"))
}

// charsetOf returns the encoding of a charset other than UTF-8 that business systems still speak; nil for UTF-8. ISO
// 8859-1 is read as Windows 1252, of which it is a part, as browsers do (WHATWG Encoding).
func charsetOf(name string, text []byte) encoding.Encoding {
	switch strings.ToLower(name) {
	case "iso-8859-1", "latin1", "iso8859-1", "windows-1252", "cp1252", "us-ascii":
		if strings.EqualFold(name, "us-ascii") && utf8.Valid(text) {
			return nil
		}
		return charmap.Windows1252
	case "iso-8859-2", "latin2":
		return charmap.ISO8859_2
	case "iso-8859-15", "latin9":
		return charmap.ISO8859_15
	case "windows-1250", "cp1250":
		return charmap.Windows1250
	case "windows-1251", "cp1251":
		return charmap.Windows1251
	case "utf-16", "utf-16le", "utf-16be":
		order := unicode.BigEndian
		if strings.HasSuffix(strings.ToLower(name), "le") {
			order = unicode.LittleEndian
		}
		return unicode.UTF16(order, unicode.UseBOM)
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	}
	return nil
}
