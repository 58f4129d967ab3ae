package mapping

import (
	"strconv"
	"strings"
)

// escaper writes text so that its place can hold it.
type escaper func(string) string

// unescaped leaves all as it is.
func unescaped(text string) string { return text }

// escapeAll leaves only the unreserved characters of RFC 3986 section 2.3, so that a value can stand anywhere in a URL.
func escapeAll(text string) string {
	return percentEncode(text, func(c byte) bool { return strings.IndexByte("-._~", c) >= 0 })
}

// escapeName keeps what is legal in a query and separates nothing, so that $top and @id stay readable.
func escapeName(text string) string {
	return percentEncode(text, func(c byte) bool { return strings.IndexByte("-._~$@:/!()*'", c) >= 0 })
}

// escapeReserved is for allowReserved: reserved characters and percent-encoded triples pass (RFC 6570 section 3.2.3), but
// those that would end the value, or that RFC 3986 does not allow in a query: # & + ; [ ].
func escapeReserved(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && isTriple(text[i:]) {
			out.WriteString(text[i : i+3])
			i += 2
			continue
		}
		out.WriteString(percentEncode(text[i:i+1], func(c byte) bool {
			return strings.IndexByte("-._~:/?@!$'()*,=", c) >= 0
		}))
	}
	return out.String()
}

// escapeCookie leaves what a cookie-octet may be (RFC 6265 section 4.1.1), but not the percent sign.
func escapeCookie(text string) string {
	return percentEncode(text, func(c byte) bool { return strings.IndexByte("!#$&'()*+-./:<=>?@[]^_`{|}~", c) >= 0 })
}

// percentEncode writes every byte as %XX that is neither an ASCII letter or digit nor one that keep names.
func percentEncode(text string, keep func(byte) bool) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || keep(c) {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}

// isTriple reports whether text begins with %XX.
func isTriple(text string) bool {
	if len(text) < 3 || text[0] != '%' {
		return false
	}
	_, err := strconv.ParseUint(text[1:3], 16, 8)
	return err == nil
}
