package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxFiles bounds how many files one configuration is made of.
const maxFiles = 500

// read parses the file and everything it includes, and returns one tree. It returns nil where the file itself could
// not be read; problems say why. from is where the file is named, at path; nil for the first one.
func (l *loader) read(name string, from *node, path Path) *node {
	data, err := readBounded(name, maxFileBytes)
	if err != nil {
		l.unreadable(name, from, path, reason(err))
		return nil
	}
	f, yamlRoot, ok := l.parse(name, data)
	l.files[name] = f
	if !ok {
		return nil
	}
	if yamlRoot == nil {
		l.report(f, 0, 0, nil, "the file is empty", emptyHint(from))
		return nil
	}
	b := &builder{loader: l, file: f, active: map[*yaml.Node]bool{}}
	root := b.build(yamlRoot, nil, 0)
	switch {
	case b.failed:
		return nil
	case root.kind == null:
		l.report(f, 0, 0, nil, "the file is empty", emptyHint(from))
		return nil
	case root.kind != mapping:
		l.report(f, root.line, root.column, nil, fmt.Sprintf("the file is %s", root.kind.describe()), "it has to be a mapping that begins with keys such as upstreams:")
		return nil
	}
	l.include(root, name)
	return root
}

func emptyHint(from *node) string {
	if from != nil {
		return ""
	}
	return "`mcpgate init SPEC` writes one to start from"
}

// unreadable reports a file that can't be opened: where it is named, or as a whole.
func (l *loader) unreadable(name string, from *node, path Path, why string) {
	if from != nil {
		l.problemAt(from, path, fmt.Sprintf("%s: %s", shortName(name), why), "")
		return
	}
	hint := ""
	if why == "no such file" {
		hint = "`mcpgate init SPEC` writes one, and `-c FILE` names another"
	}
	l.report(&file{name: name}, 0, 0, nil, why, hint)
}

// include merges the files that root names into root.
func (l *loader) include(root *node, name string) {
	list := root.get("include")
	if list == nil || list.kind != sequence {
		return // decoding says what is wrong
	}
	l.stack = append(l.stack, name)
	defer func() { l.stack = l.stack[:len(l.stack)-1] }()
	for i, item := range list.items {
		pattern, err := l.expander.expand(item.text, item.file.dir())
		if err != nil || item.kind != scalar {
			continue // decoding says what is wrong
		}
		for _, included := range l.matches(pattern, item, i) {
			if part := l.includeOne(included, item, i); part != nil {
				l.mergeInto(root, part)
			}
		}
	}
}

// matches are the files that a pattern of include names, sorted.
func (l *loader) matches(pattern string, item *node, index int) []string {
	path := Path{"include", fmt.Sprint(index)}
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(item.file.dir(), pattern)
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return []string{filepath.Clean(pattern)}
	}
	names, err := filepath.Glob(pattern)
	if err != nil {
		l.problemAt(item, path, fmt.Sprintf("%q is not a pattern", item.text), "* stands for any part of a name, ? for one character, [a-z] for a range")
		return nil
	}
	if len(names) == 0 {
		l.problemAt(item, path, fmt.Sprintf("%q names no file", item.text), fmt.Sprintf("it is looked up in %s", shortName(item.file.dir())))
	}
	slices.Sort(names)
	return names
}

// includeOne reads one file, unless it is being read already.
func (l *loader) includeOne(name string, item *node, index int) *node {
	path := Path{"include", fmt.Sprint(index)}
	if slices.Contains(l.stack, name) {
		l.problemAt(item, path, fmt.Sprintf("%s includes itself", shortName(name)), "by the way of "+l.way(name))
		return nil
	}
	if l.files[name] != nil {
		l.problemAt(item, path, fmt.Sprintf("%s is included twice", shortName(name)), "")
		return nil
	}
	if len(l.files) >= maxFiles {
		l.problemAt(item, path, fmt.Sprintf("more than %d files are included", maxFiles), "")
		return nil
	}
	return l.read(name, item, path)
}

// way names the files from name to the one that is being read, as an include cycle goes.
func (l *loader) way(name string) string {
	var names []string
	for _, each := range l.stack[slices.Index(l.stack, name):] {
		names = append(names, shortName(each))
	}
	return strings.Join(append(names, shortName(name)), " -> ")
}

// mergeInto adds the sections of part to root: what is in a section twice is a problem that names both places.
func (l *loader) mergeInto(root, part *node) {
	for _, e := range part.entries {
		if e.key == "include" {
			continue
		}
		at := slices.IndexFunc(root.entries, func(have entry) bool { return have.key == e.key })
		switch {
		case at < 0:
			root.entries = append(root.entries, e)
		case root.entries[at].value.kind == mapping && e.value.kind == mapping:
			have := *root.entries[at].value // a section may be shared by an alias: change a copy
			have.entries = slices.Clone(have.entries)
			for _, inner := range e.value.entries {
				if twice := slices.IndexFunc(have.entries, func(x entry) bool { return x.key == inner.key }); twice >= 0 {
					l.twice(Path{e.key}, inner, have.entries[twice])
					continue
				}
				have.entries = append(have.entries, inner)
			}
			root.entries[at].value = &have
		default:
			l.twice(nil, e, root.entries[at])
		}
	}
}

// twice reports a name that two files say.
func (l *loader) twice(path Path, again, first entry) {
	f := again.value.file
	l.report(f, again.line, again.column, path, fmt.Sprintf("%q is said twice", again.key),
		"it stands in "+Position{File: first.value.file.name, Line: first.line, Column: first.column}.String()+" already")
}
