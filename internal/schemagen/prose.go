package main

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	word    = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]*\b`)
	verbEnd = regexp.MustCompile(`^[a-z]+[^s']s$`)
)

// prose turns a doc comment into a sentence for people who know YAML and no Go: it does not begin with the field's name,
// and speaks of keys.
func (s *structure) prose(doc, name string) string {
	text := strings.Join(strings.Fields(doc), " ")
	if text == "" {
		return ""
	}
	if first, rest, _ := strings.Cut(text, " "); first == name {
		verb, object, _ := strings.Cut(rest, " ")
		switch {
		case verb == "is" || verb == "are":
			text = object
		case verbEnd.MatchString(verb) || verb == "name" || verb == "fill" || verb == "make" || verb == "rules" || verb == "changes,":
			text = rest
		case verb == "hold":
			text = "holds " + object
		}
	}
	text = s.keys(text)
	first := []rune(text)
	first[0] = unicode.ToUpper(first[0])
	return string(first)
}

// keys replaces the Go names of fields by their keys. A word at the beginning of a sentence is no name.
func (s *structure) keys(text string) string {
	var b strings.Builder
	last := 0
	for _, at := range word.FindAllStringIndex(text, -1) {
		name, before := text[at[0]:at[1]], strings.TrimRight(text[:at[0]], ` "(`)
		begins := before == "" || strings.HasSuffix(before, ".") || strings.HasSuffix(before, ":")
		for _, f := range s.fields {
			if f.name != name || (begins && strings.ToUpper(name[:2]) != name[:2] && !camel(name)) || quoted(text, at) {
				continue
			}
			b.WriteString(text[last:at[0]] + "`" + f.key + "`")
			last = at[1]
			break
		}
	}
	return b.String() + text[last:]
}

// camel reports a capital behind the first letter: no English word.
func camel(name string) bool { return strings.ToLower(name[1:]) != name[1:] }

// quoted reports whether a word is part of a text in backquotes or of a path, where it stands for itself.
func quoted(text string, at []int) bool {
	return strings.Count(text[:at[0]], "`")%2 == 1 || strings.HasPrefix(text[at[1]:], "-") || strings.HasSuffix(text[:at[0]], "$")
}
