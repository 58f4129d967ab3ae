package mapping

import "strings"

// baseType is a media type without its parameters, in lower case.
func baseType(mediaType string) string {
	base, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

// isJSON reports whether a media type is JSON: application/json, or anything +json (RFC 6839).
func isJSON(mediaType string) bool {
	base := baseType(mediaType)
	return base == "application/json" || base == "text/json" || strings.HasSuffix(base, "+json")
}

// isLines reports whether a media type is one JSON value a line.
func isLines(mediaType string) bool {
	switch baseType(mediaType) {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/json-lines":
		return true
	}
	return false
}

// structured reports whether a body is made of properties, and can be flattened.
func structured(mediaType string) bool {
	base := baseType(mediaType)
	return isJSON(base) || base == "application/x-www-form-urlencoded" || strings.HasPrefix(base, "multipart/")
}

// textual reports whether a body that has no structure for us is text.
func textual(mediaType string) bool {
	base := baseType(mediaType)
	if strings.HasPrefix(base, "text/") || strings.HasSuffix(base, "+xml") || strings.HasSuffix(base, "+yaml") {
		return true
	}
	switch base {
	case "application/xml", "application/yaml", "application/x-yaml", "application/javascript", "application/graphql",
		"application/csv", "application/sql", "application/xhtml+xml":
		return true
	}
	return isLines(base)
}
