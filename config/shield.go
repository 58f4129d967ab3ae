package config

import (
	"regexp"
	"strings"
)

// YAML gives { } [ ] , : and # a meaning inside {flow: mappings}, so that {token: ${TOKEN}} would not be YAML. Before
// the parser sees the text, these characters inside ${...} become characters that mean nothing to it, and change back
// once it has found the scalars. Positions stay as they are, since each character becomes one character.
//
// The colon of `base_url: sandbox:`, which YAML would take for a key's, is shielded in the same way.
const (
	shielded    = "{}[],:#"
	shieldStart = rune(0x10FF00) // private use, plane 16
)

// bareSandbox is the sandbox's URL without quotes.
var bareSandbox = regexp.MustCompile(`(?m)\bbase_url:[ \t]+sandbox:[ \t]*(?:$|\r|[#,}])`)

// shield replaces the characters inside every ${...} that is closed on its own line, and reports whether it did.
func shield(data []byte) ([]byte, bool) {
	text := string(data)
	bare := bareSandbox.MatchString(text)
	if !bare && !strings.Contains(text, "${") || strings.ContainsFunc(text, isShield) {
		return data, false
	}
	if bare {
		colon := string(shieldStart + rune(strings.IndexByte(shielded, ':')))
		text = bareSandbox.ReplaceAllStringFunc(text, func(found string) string {
			at := strings.LastIndexByte(found, ':')
			return found[:at] + colon + found[at+1:]
		})
	}
	var b strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			break
		}
		length := variableLength(text[start:])
		if length < 0 || strings.ContainsRune(text[start:start+length], '\n') {
			b.WriteString(text[:start+2])
			text = text[start+2:]
			continue
		}
		b.WriteString(text[:start])
		for _, r := range text[start : start+length] {
			if i := strings.IndexRune(shielded, r); i >= 0 {
				r = shieldStart + rune(i)
			}
			b.WriteRune(r)
		}
		text = text[start+length:]
	}
	b.WriteString(text)
	return []byte(b.String()), true
}

// unshield turns the replaced characters of a scalar back.
func unshield(text string) string {
	if !strings.ContainsFunc(text, isShield) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isShield(r) {
			return rune(shielded[r-shieldStart])
		}
		return r
	}, text)
}

func isShield(r rune) bool { return r >= shieldStart && r < shieldStart+rune(len(shielded)) }
