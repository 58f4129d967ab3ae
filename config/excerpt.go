package config

import (
	"regexp"
	"slices"
	"strings"
)

// secretKey matches the keys whose values no excerpt shows, also where the file is too broken to be decoded.
var secretKey = regexp.MustCompile(`(?i)(^|[_-])(token|secret|password|passwd|authorization|cookie)$|key$|^sha256$`)

// userInfo finds a password in a URL.
var userInfo = regexp.MustCompile(`://[^/@\s"']*:[^/@\s"']*@`)

// secretMapping are the keys under which a mapping holds secrets: what stands there instead of one may be a secret itself.
var secretMapping = map[string]bool{"credential": true, "headers": true}

// secretLine finds such a key in a line of a file that is not YAML.
var secretLine = regexp.MustCompile(`(?i)((?:token|secret|password|passwd|authorization|cookie|key|sha256)["']?\s*[:=]\s*)\S.*`)

// hide keeps a value out of excerpts. A ${NAME} may be seen: it says where the secret comes from.
func (n *node) hide() {
	for _, e := range n.entries {
		e.value.hide()
	}
	for _, item := range n.items {
		item.hide()
	}
	if n.file == nil || n.kind != scalar || n.text == "" || strings.HasPrefix(n.text, "${") {
		return
	}
	if n.file.hidden == nil {
		n.file.hidden = map[int][]*node{}
	}
	if !slices.Contains(n.file.hidden[n.line], n) {
		n.file.hidden[n.line] = append(n.file.hidden[n.line], n)
	}
}

// hideBare keeps a plain value, or the plain values of a list, out of excerpts.
func (n *node) hideBare() {
	for _, v := range append([]*node{n}, n.items...) {
		if v.kind == scalar {
			v.hide()
		}
	}
}

// secretVariable finds a variable whose name says that it holds a secret, or a file, which is how platforms mount one.
var secretVariable = regexp.MustCompile(`(?i)\$\{(file:|[^}]*(token|secret|passw|key))`)

// shown is what a message says of a value: the variable where that holds a secret, and stands in a wrong place.
func (n *node) shown(value string) string {
	if secretVariable.MatchString(n.text) {
		return n.text
	}
	return value
}

// excerpt is the line at pos without the secrets in it.
func (f *file) excerpt(pos Position) string {
	line := f.line(pos.Line)
	if f == nil || line == "" {
		return line
	}
	if f.broken {
		return userInfo.ReplaceAllString(secretLine.ReplaceAllString(line, "${1}"+hidden), "://"+hidden+"@")
	}
	secrets := slices.Clone(f.hidden[pos.Line])
	slices.SortFunc(secrets, func(a, b *node) int { return b.column - a.column }) // the last first: columns stay
	for _, n := range secrets {
		line = maskFrom(line, n, pos.Column > n.column)
	}
	return line
}

// maskFrom hides a value in its line. aligned keeps the length, so that a caret behind the value is under its column.
func maskFrom(line string, n *node, aligned bool) string {
	runes := []rune(line)
	if n.column-1 > len(runes) {
		return line
	}
	before, rest := string(runes[:n.column-1]), string(runes[n.column-1:])
	at := strings.Index(rest, n.text)
	if at < 0 { // written with escapes, or over several lines
		return before + hidden
	}
	mask := hidden
	if aligned {
		mask = strings.Repeat("*", len([]rune(n.text)))
	}
	return before + rest[:at] + mask + rest[at+len(n.text):]
}
