package specs

import (
	"path"
	"strconv"
	"strings"
)

// nameComponents gives the document's own schemas their names first, so that nothing else takes them; and of these
// the names that need no cleaning before the others.
func (r *reader) nameComponents() {
	section := r.root.get("components").get("schemas")
	if r.dialect == swagger2 {
		section = r.root.get("definitions")
	}
	r.doc.components = map[string]string{}
	for _, exact := range []bool{true, false} {
		for _, e := range r.entries(section, "the section of schemas") {
			if exact == (cleanName(e.key) == e.key) {
				r.doc.components[e.key] = r.name(e.value, e.key)
			}
		}
	}
}

// name returns the name of a schema in Defs, and sees to it that it gets there.
func (r *reader) name(n *node, wanted string) string {
	if name, ok := r.names[n]; ok {
		return name
	}
	name := cleanName(wanted)
	for i := 2; r.taken[name] != nil; i++ {
		name = cleanName(wanted) + "_" + strconv.Itoa(i)
	}
	r.names[n], r.taken[name] = name, n
	r.pending = append(r.pending, n)
	return name
}

// cleanName makes a name that needs no escape in "#/$defs/NAME", neither as a JSON pointer nor in a URI.
func cleanName(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
			return c
		}
		return '_'
	}, s)
	if s == "" {
		return "schema"
	}
	return s
}

// targetName proposes a name for a schema that has none: #/components/schemas/A/properties/b is A_b, file.yaml is file.
func targetName(n *node) string {
	tokens := n.tokens()
	if len(tokens) == 0 {
		base := path.Base(n.file.name)
		return strings.TrimSuffix(base, path.Ext(base))
	}
	last := tokens[len(tokens)-1]
	if len(tokens) >= 3 && (tokens[len(tokens)-2] == "properties" || isNumber(last)) {
		owner := tokens[len(tokens)-3]
		return owner + "_" + last
	}
	return last
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// finishDefs converts every named schema; converting one may name others.
func (r *reader) finishDefs() {
	for len(r.pending) > 0 {
		n := r.pending[0]
		r.pending = r.pending[1:]
		r.doc.Defs[r.names[n]] = r.schema(n)
	}
	loops := loopFinder{reader: r, done: map[string]bool{}, open: map[string]bool{}}
	for _, n := range sortedNames(r.doc.Defs) {
		loops.visit(n)
	}
}

// loopFinder cuts schemas that contain themselves at the same place of an instance, as {"A": {"allOf": [A]}}: nothing
// can be checked against them, and validators refuse them.
type loopFinder struct {
	*reader
	done, open map[string]bool
}

func (l *loopFinder) visit(name string) {
	if l.done[name] {
		return
	}
	l.open[name] = true
	l.follow(name, l.doc.Defs[name])
	delete(l.open, name)
	l.done[name] = true
}

// inPlace are the keywords whose schemas apply to the same instance.
var inPlace = []string{"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"}

func (l *loopFinder) follow(owner string, s map[string]any) {
	if ref, ok := s["$ref"].(string); ok {
		target := strings.TrimPrefix(ref, refPrefix)
		if l.open[target] {
			l.warn(l.taken[owner], "the schema %q contains itself through %q without a property between; cut there", owner, target)
			delete(s, "$ref")
		} else {
			l.visit(target)
		}
	}
	for _, keyword := range inPlace {
		switch v := s[keyword].(type) {
		case map[string]any:
			if keyword != "dependentSchemas" {
				l.follow(owner, v)
				continue
			}
			for _, dependent := range sortedNames(v) {
				if inner, ok := v[dependent].(map[string]any); ok {
					l.follow(owner, inner)
				}
			}
		case []any:
			for _, item := range v {
				if inner, ok := item.(map[string]any); ok {
					l.follow(owner, inner)
				}
			}
		}
	}
}
