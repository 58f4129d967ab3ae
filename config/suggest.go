package config

import (
	"fmt"
	"reflect"
	"strings"
)

// unknown reports a key that a struct does not have, with what was probably meant: a key of this place that is spelt
// nearly so, or one that belongs to another place.
func (d *decoder) unknown(e entry, path Path, t reflect.Type) {
	var keys, ready []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.key)
		if t.Field(f.index).Type != reflect.TypeFor[Later]() {
			ready = append(ready, f.key)
		}
	}
	near := Nearest(e.key, keys)
	if secretKey.MatchString(near) {
		e.value.hide()
	}
	hint := "known here: " + strings.Join(ready, ", ")
	homes := homesOf(e.key)
	switch {
	case near != "" && (len(homes) == 0 || EditDistance(e.key, near) < 2 || flat(e.key) == flat(near)):
		hint = fmt.Sprintf("did you mean %q?", near)
	case len(homes) > 0:
		hint = "it belongs to " + alternatives(homes)
	}
	d.loader.report(e.value.file, e.line, e.column, path, fmt.Sprintf("unknown key %q", e.key), hint)
}

// homesOf are the places where a key is known, such as upstreams.NAME. It returns none where there are more than three:
// that helps nobody.
func homesOf(key string) []string {
	var homes []string
	var visit func(t reflect.Type, path string)
	visit = func(t reflect.Type, path string) {
		for _, f := range fieldsOf(t) {
			if f.key == key && path != "" {
				homes = append(homes, path)
			}
			at := strings.TrimPrefix(path+"."+f.key, ".")
			switch inner := t.Field(f.index).Type; {
			case inner.Kind() == reflect.Struct:
				visit(inner, at)
			case inner.Kind() == reflect.Map && inner.Elem().Kind() == reflect.Pointer:
				visit(inner.Elem().Elem(), at+".NAME")
			case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
				visit(inner.Elem(), at)
			}
		}
	}
	visit(reflect.TypeFor[Config](), "")
	if len(homes) > 3 {
		return nil
	}
	return homes
}

// Nearest returns the candidate that was probably meant by word, or "": spelt alike apart from case and separators, or at
// most a third of its letters away, and one where it is short, or else beginning with it, or ending with it. Of two that
// are as near, the one with the word's numbers is meant: getThing7, not getThing17.
func Nearest(word string, candidates []string) string {
	best, distance := "", max(len(word)/3, 1)+1
	for _, candidate := range candidates {
		if flat(candidate) == flat(word) {
			return candidate
		}
		d := EditDistance(strings.ToLower(word), strings.ToLower(candidate))
		if d < max(len(word), len(candidate)) && (d < distance || d == distance && best != "" && digits(candidate) == digits(word) && digits(best) != digits(word)) {
			best, distance = candidate, d
		}
	}
	if best != "" && (digits(best) == digits(word) || digits(word) == "") {
		return best
	}
	for _, fits := range []struct {
		like  func(candidate, word string) bool
		least int // letters of the word
	}{{strings.HasPrefix, 3}, {strings.HasSuffix, 5}} {
		for _, candidate := range candidates {
			if len(word) >= fits.least && fits.like(flat(candidate), flat(word)) {
				return candidate
			}
		}
	}
	return best
}

// digits are the numbers in a name.
func digits(word string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, word)
}

func flat(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(word))
}

// EditDistance counts the letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
func EditDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if len(s) > 100 || len(t) > 100 {
		return max(len(s), len(t))
	}
	var before, previous []int
	current := make([]int, len(t)+1)
	for j := range current {
		current[j] = j
	}
	for i := 1; i <= len(s); i++ {
		before, previous, current = previous, current, make([]int, len(t)+1)
		current[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
	}
	return current[len(t)]
}
