package config

import (
	"os"
	"path/filepath"
)

// loader reads one configuration: it collects the files, the tree and every problem on the way.
type loader struct {
	expander *expander
	files    map[string]*file // by absolute name
	stack    []string         // the files being read, the including one first
	problems Problems
}

// Load reads the file at path and everything it includes. env answers ${NAME}; os.LookupEnv is the usual one, nil knows
// no variable. A .env beside the file is read too, and env wins over it. Every error is a Problems.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	return load(path, env, func(*node) {})
}

// load is Load with a last change to what the files say.
func load(path string, env func(string) (string, bool), change func(root *node)) (*Config, error) {
	name, err := filepath.Abs(path)
	if err != nil {
		return nil, Problems{{Message: err.Error(), Pos: Position{File: path}}}
	}
	l := &loader{files: map[string]*file{}}
	l.expander = &expander{env: l.environment(filepath.Dir(name), env)}
	root := l.read(name, nil, nil)
	if root == nil {
		return nil, l.sorted()
	}
	if l.isDocument(root) {
		return nil, l.sorted()
	}
	change(root)
	inherit(root)
	cfg := &Config{Dir: filepath.Dir(name), source: &source{root: root, files: l.files}}
	d := &decoder{loader: l}
	d.decode(root, nil, cfg)
	cfg.complete(l.expander.env)
	l.problems = append(l.problems, cfg.validate(l.problems)...)
	if len(l.problems) > 0 {
		return nil, l.sorted()
	}
	return cfg, nil
}

// isDocument reports that the file is one of those that gateway.yaml names, which is the first mistake that people make.
// It would else be told as a dozen unknown keys.
func (l *loader) isDocument(root *node) bool {
	for _, key := range []string{"openapi", "swagger"} {
		if version := root.get(key); version != nil && root.get("upstreams") == nil {
			l.report(root.file, version.keyLine, version.keyColumn, nil, "this is an API's document, not a gateway.yaml",
				"`mcpgate init FILE` writes a gateway.yaml for it")
			return true
		}
	}
	return false
}

// sorted returns the problems with their excerpts, now that it is known what is secret in them.
func (l *loader) sorted() Problems {
	problems := l.problems.Sort()
	for i := range problems {
		problems[i].Excerpt = l.files[problems[i].Pos.File].excerpt(problems[i].Pos)
	}
	return problems
}

// report adds a problem at a place of a file.
func (l *loader) report(f *file, line, column int, path Path, message, hint string) {
	l.problems = append(l.problems, Problem{
		Path: path, Message: message, Hint: hint,
		Pos: Position{File: f.name, Line: line, Column: column},
	})
}

// problemAt adds a problem at a value.
func (l *loader) problemAt(n *node, path Path, message, hint string) {
	at := n.begin()
	l.report(n.file, at.Line, at.Column, path, message, hint)
}

// source keeps the files and the tree, so that a problem found later still has a line.
type source struct {
	root  *node
	files map[string]*file
}

// position is the place of the value at path, or of the nearest one above it that the file has. A mapping and a list
// begin at their key.
func (s *source) position(path Path) Position {
	if s == nil || s.root == nil {
		return Position{}
	}
	at, pos := s.root, Position{File: s.root.file.name}
	for _, element := range path {
		next, nextPos, ok := at.step(element)
		if !ok {
			return pos
		}
		at, pos = next, nextPos
	}
	return pos
}

// find returns the value at path, nil where the file has none.
func (s *source) find(path Path) *node {
	if s == nil {
		return nil
	}
	at := s.root
	for _, element := range path {
		next, _, ok := at.step(element)
		if !ok {
			return nil
		}
		at = next
	}
	return at
}

// excerpt is the line at pos.
func (s *source) excerpt(pos Position) string {
	if s == nil {
		return ""
	}
	return s.files[pos.File].excerpt(pos)
}

// environment reads the .env of the folder; env wins over it.
func (l *loader) environment(dir string, env func(string) (string, bool)) func(string) (string, bool) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	name := filepath.Join(dir, ".env")
	if _, err := os.Stat(name); os.IsNotExist(err) {
		return env
	}
	values := l.readDotenv(name)
	return func(key string) (string, bool) {
		if value, ok := env(key); ok {
			return value, true
		}
		value, ok := values[key]
		return value, ok
	}
}
