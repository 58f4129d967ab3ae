package mapping

import (
	"fmt"
	"strings"
)

// marker stands in place of a value of which nothing is kept. It says what was there as well as budget allows.
func marker(value []byte, budget int) []byte {
	for _, text := range []string{
		"[cut: " + outline(value, 1) + ", " + byteSize(int64(len(value))) + "]",
		"[cut: " + outline(value, 0) + "]",
		"[cut]",
	} {
		if quoted := compactJSON(text); len(quoted) <= budget {
			return []byte(quoted)
		}
	}
	if budget < len("null") {
		return []byte("0")
	}
	return []byte("null")
}

// outline is a value's shape in a few words: array of 340 {id: number, name: string}.
func outline(value []byte, depth int) string {
	switch value[0] {
	case '{':
		if depth < 0 {
			return "object"
		}
		var parts []string
		for key, value := range rawMembers(value) {
			if len(parts) == 8 {
				parts = append(parts, "...")
				break
			}
			name := cutText(strings.Trim(string(key), `"`), 32)
			if depth > 0 {
				name += ": " + outline(value, depth-2)
			}
			parts = append(parts, name)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case '[':
		text := fmt.Sprintf("array of %d", count(rawItems(value)))
		for first := range rawItems(value) {
			if depth >= 0 {
				text += " " + outline(first, depth)
			}
			break
		}
		return text
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}
