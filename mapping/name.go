package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxName is what model APIs take as a tool's or an argument's name.
const maxName = 64

// legalName reports whether clients and model APIs take s as a tool's name.
func legalName(s string) bool {
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, notNameRune) < 0
}

func notNameRune(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
}

func notArgumentRune(r rune) bool { return r != '.' && notNameRune(r) }

// clean puts one underscore in the place of each run of runes that are not allowed, and none at the ends.
func clean(s string, illegal func(rune) bool) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if illegal(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte('_')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// toolName is the document's own name for an operation where it is legal, and one made of method and path where there
// is none. It depends on the operation alone, so the order of a document changes no name.
func toolName(prefix, id, method, path string) string {
	name := clean(id, notNameRune)
	if name == "" {
		name = strings.ToLower(method)
		if words := clean(path, notNameRune); words != "" {
			name += "_" + words
		}
	}
	return shorten(prefix+name, method+" "+path)
}

// shorten cuts a name that is too long at a word, and ends it with a hash of itself and key, so that two long names
// which begin alike stay two.
func shorten(name, key string) string {
	if len(name) <= maxName {
		return name
	}
	return withHash(name, name+"\n"+key)
}

// withHash returns name with a hash of key behind it, no longer than maxName.
func withHash(name, key string) string {
	sum := sha256.Sum256([]byte(key))
	suffix := "_" + hex.EncodeToString(sum[:])[:6]
	if limit := maxName - len(suffix); len(name) > limit {
		name = name[:limit]
		if word := strings.LastIndexAny(name, "_-."); word > limit/2 {
			name = name[:word]
		}
	}
	return name + suffix
}
