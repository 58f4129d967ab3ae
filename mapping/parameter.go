package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// This file writes a value in one of OpenAPI's styles (OpenAPI 3.1, "Style Examples"; RFC 6570). What the styles leave
// open is settled here: a null, an empty array and an empty object are not sent at all (RFC 6570 section 2.3 calls
// them undefined); an object or array inside an array or object is written as JSON, but in deepObject, which goes on
// as name[key][key] and name[0][key].

// writer is how one value is put together of scalars.
type writer struct {
	escape escaper
	style  string
	// explode gives each item of an array, each member of an object, a name of its own.
	explode bool
	// verbatim is for headers, and for cookies of style cookie: nothing is encoded.
	verbatim bool
}

// pathValue writes a value for a path: in style simple, label or matrix.
func (s slot) pathValue(value any) string {
	w := writer{escape: escapeAll, style: s.style, explode: s.explode}
	if s.contentType != "" {
		return w.escape(s.content(value))
	}
	if undefined(value) {
		return ""
	}
	switch s.style {
	case "label":
		separator := ","
		if s.explode {
			separator = "."
		}
		return "." + w.join(value, separator)
	case "matrix":
		return w.matrix(escapeName(s.name), value)
	}
	return w.join(value, w.delimiter())
}

// headerValue writes a value for a header: style simple, or with another delimiter of Swagger 2.0, not percent-encoded (OpenAPI 3.1, "URL Percent-Encoding").
func (s slot) headerValue(value any) string {
	if s.contentType != "" {
		return s.content(value)
	}
	w := writer{escape: unescaped, style: s.style, explode: s.explode, verbatim: true}
	return w.join(value, w.delimiter())
}

// queryPairs writes a value for a query or a form body, as name=value each.
func (s slot) queryPairs(value any) []string {
	escape := escapeAll
	if s.reserved {
		escape = escapeReserved
	}
	return s.pairs(value, escape)
}

// cookiePairs writes a value for the Cookie header, as name=value each. Style cookie, of OpenAPI 3.2, encodes nothing.
func (s slot) cookiePairs(value any) []string {
	if s.style == "cookie" {
		return s.pairs(value, unescaped)
	}
	return s.pairs(value, escapeCookie)
}

// keepsToItself makes sure that an exploded object, whose keys become names beside those of others, takes none of theirs:
// a model could set what gateway.yaml has fixed.
func (s slot) keepsToItself(value any, others []slot) error {
	object, ok := value.(map[string]any)
	if !ok || !s.explode || s.style == "deepObject" || s.contentType != "" {
		return nil
	}
	for _, other := range others {
		if _, taken := object[other.name]; taken && other.name != s.name {
			return badArgument(s, fmt.Sprintf("must not hold the key %q: that is an argument of its own", other.name))
		}
	}
	return nil
}

func (s slot) pairs(value any, escape escaper) []string {
	if undefined(value) {
		return nil
	}
	name := escapeName(s.name)
	if s.contentType != "" {
		return []string{name + "=" + escape(s.content(value))}
	}
	w := writer{escape: escape, style: s.style, explode: s.explode}
	switch {
	case s.style == "deepObject":
		return w.deep(nil, name, value)
	case s.explode:
		return w.exploded(name, value)
	}
	w.verbatim = s.style == "cookie"
	return []string{name + "=" + w.join(value, w.delimiter())}
}

// content writes a value in the media type that a `content`-typed parameter has: JSON, or a string as it is.
func (s slot) content(value any) string {
	if text, ok := value.(string); ok && !isJSON(s.contentType) {
		return text
	}
	return compactJSON(value)
}

// delimiter stands between the values of an array or object that is not exploded.
func (w writer) delimiter() string {
	delimiter := ","
	switch w.style {
	case "spaceDelimited":
		delimiter = " "
	case "pipeDelimited":
		delimiter = "|"
	case "tabDelimited":
		delimiter = "\t"
	}
	if delimiter == "," || w.verbatim {
		return delimiter
	}
	return escapeAll(delimiter)
}

// join writes a value as one string. An array's items, or an object's keys and values, have the separator between them;
// an exploded object is written key=value.
func (w writer) join(value any, separator string) string {
	var parts []string
	switch value := value.(type) {
	case []any:
		for item := range defined(value) {
			parts = append(parts, w.delimited(item, separator))
		}
	case map[string]any:
		for key, member := range members(value) {
			if w.explode {
				parts = append(parts, w.delimited(key, separator)+"="+w.delimited(member, separator))
			} else {
				parts = append(parts, w.delimited(key, separator), w.delimited(member, separator))
			}
		}
	default:
		return w.escape(scalarText(value))
	}
	return strings.Join(parts, separator)
}

// delimited writes one of several values. A separator inside one is percent-encoded even where its kind may stand, or it
// would arrive as two; a header has no way to say that.
func (w writer) delimited(value any, separator string) string {
	text := w.escape(scalarText(value))
	switch {
	case w.verbatim:
	case separator == ",":
		text = strings.ReplaceAll(text, ",", "%2C")
	case separator == ".":
		text = strings.ReplaceAll(text, ".", "%2E")
	}
	return text
}

// exploded writes name=item for each item of an array, and key=value for each member of an object.
func (w writer) exploded(name string, value any) []string {
	var pairs []string
	switch value := value.(type) {
	case []any:
		for item := range defined(value) {
			pairs = append(pairs, name+"="+w.escape(scalarText(item)))
		}
	case map[string]any:
		for key, member := range members(value) {
			pairs = append(pairs, escapeName(key)+"="+w.escape(scalarText(member)))
		}
	default:
		pairs = append(pairs, name+"="+w.escape(scalarText(value)))
	}
	return pairs
}

// deep writes name[key]=value, and goes on inside arrays and objects. The brackets are percent-encoded: RFC 3986 does
// not allow them in a query, and Tomcat answers 400 to them.
func (w writer) deep(pairs []string, name string, value any) []string {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			pairs = w.deep(pairs, name+"%5B"+strconv.Itoa(i)+"%5D", item)
		}
	case map[string]any:
		for key, member := range members(value) {
			pairs = w.deep(pairs, name+"%5B"+escapeAll(key)+"%5D", member)
		}
	case nil:
	default:
		pairs = append(pairs, name+"="+w.escape(scalarText(value)))
	}
	return pairs
}

// matrix writes ;name=value, with ;name alone for an empty one.
func (w writer) matrix(name string, value any) string {
	pairs := []string{name + "=" + w.join(value, ",")}
	if w.explode {
		pairs = w.exploded(name, value)
	}
	var text strings.Builder
	for _, pair := range pairs {
		text.WriteString(";" + strings.TrimSuffix(pair, "="))
	}
	return text.String()
}

// undefined reports whether a value is written as nothing at all.
func undefined(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case []any:
		for range defined(value) {
			return false
		}
		return true
	case map[string]any:
		for range members(value) {
			return false
		}
		return true
	}
	return false
}

// defined yields the items of an array that are not null.
func defined(items []any) func(yield func(any) bool) {
	return func(yield func(any) bool) {
		for _, item := range items {
			if item != nil && !yield(item) {
				return
			}
		}
	}
}

// members yields the members of an object that are not null, sorted, so that the same call makes the same request.
func members(object map[string]any) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			if object[key] != nil && !yield(key, object[key]) {
				return
			}
		}
	}
}

// scalarText writes a single value; what is not single becomes JSON. A json.Number keeps its digits.
func scalarText(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return compactJSON(value)
}

// compactJSON writes a value as JSON, <, > and & as they are. What can't be written is a defect of the caller: arguments
// come from JSON and fixed values from YAML.
func compactJSON(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
