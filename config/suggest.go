package config

import (
	"fmt"
	"reflect"
	"strings"
)

// unknown reports a key that a struct does not have, with the nearest that it has.
func (d *decoder) unknown(e entry, path Path, t reflect.Type) {
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.key)
	}
	hint := "known here: " + strings.Join(keys, ", ")
	if near := nearest(e.key, keys); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
		if secretKey.MatchString(near) {
			e.value.hide()
		}
	}
	d.loader.report(e.value.file, e.line, e.column, path, fmt.Sprintf("unknown key %q", e.key), hint)
}

// nearest returns the candidate that was probably meant, or "": spelt alike apart from case and separators, or at most
// a third of its letters away.
func nearest(word string, candidates []string) string {
	best, distance := "", len(word)/3+2
	for _, candidate := range candidates {
		if flat(candidate) == flat(word) {
			return candidate
		}
		if d := editDistance(word, candidate); d < distance && d < max(len(word), len(candidate)) {
			best, distance = candidate, d
		}
	}
	return best
}

func flat(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(word))
}

// editDistance counts the letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
func editDistance(a, b string) int {
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
