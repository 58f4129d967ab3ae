package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// validator looks for what is wrong beyond the form of single values. What decoding has reported already is not
// reported again as missing.
type validator struct {
	cfg   *Config
	known Problems
	found Problems
}

// validate returns what is wrong in the decoded file; known is what is known to be.
func (c *Config) validate(known Problems) Problems {
	v := &validator{cfg: c, known: known}
	v.server()
	v.key()
	v.outbound()
	v.auth()
	v.providers()
	v.discovery()
	v.defaults()
	if len(c.Upstreams) == 0 && len(known) == 0 {
		v.add(Path{"upstreams"}, "the file has no upstreams", "write upstreams: {petstore: {spec: petstore.yaml}}; `mcpgate init SPEC` does it")
	}
	for _, name := range sortedNames(c.Upstreams) {
		v.upstream(c.Upstreams[name])
	}
	return v.found
}

// add reports a problem, unless something at the same place or below it is known to be wrong.
func (v *validator) add(path Path, message, hint string) {
	if v.reported(path) {
		return
	}
	v.found = append(v.found, v.cfg.Problem(path, message, hint))
}

// unless adds a problem at path where ok is false.
func (v *validator) unless(ok bool, path Path, message, hint string) {
	if !ok {
		v.add(path, message, hint)
	}
}

// missing reports a key that has to be there and is not: where its value is wrong, decoding has said so.
func (v *validator) missing(path Path, key, message, hint string) {
	if !v.reported(path.Child(key)) {
		v.add(path, message, hint)
	}
}

// reported reports whether decoding found something wrong at path or below it.
func (v *validator) reported(path Path) bool {
	return slices.ContainsFunc(v.known, func(p Problem) bool {
		return len(p.Path) >= len(path) && slices.Equal(p.Path[:len(path)], path)
	})
}

// given reports whether the file has a value at path.
func (v *validator) given(path Path) bool {
	n := v.cfg.source.find(path)
	return n != nil && n.kind != null
}

// empty reports whether the value at path comes from a variable that may be empty, as in ${TOKEN:-}.
func (v *validator) empty(path Path) bool {
	n := v.cfg.source.find(path)
	return n != nil && strings.Contains(n.text, "${")
}

// hide keeps the value at path out of excerpts.
func (v *validator) hide(path Path) {
	if n := v.cfg.source.find(path); n != nil {
		n.hide()
	}
}

// sortedNames are the keys of a map in a fixed order, so that the same file has the same problems in every run.
func sortedNames[T any](m map[string]T) []string {
	return slices.Sorted(maps.Keys(m))
}

var (
	toolName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	nameOfOurs   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	argumentName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	placeholder  = regexp.MustCompile(`\{([^{}]*)\}`)
	token        = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110, section 5.6.2
)

// placeholders are the names in braces, in order.
func placeholders(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// unbalanced reports a brace that is not part of a {name}.
func unbalanced(text string) bool {
	return strings.ContainsAny(placeholder.ReplaceAllString(text, ""), "{}")
}

// address checks host:port.
func (v *validator) address(path Path, text string) {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		v.add(path, fmt.Sprintf("%q is not an address", text), "write host:port, or :port for every address of this machine")
		return
	}
	number, err := strconv.Atoi(port)
	v.unless(err == nil && number >= 0 && number <= 65535, path, fmt.Sprintf("%q is not a port", port), "write a number up to 65535")
}
