package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// field is one key of a struct, as its tags say:
//
//	yaml:"listen"        the key
//	default:"[429, 500]" what holds where the file says nothing, in YAML
//	enum:"none,api_key"  the only values
//	later:"oauth,jwt"    values whose feature is not built yet
//	path:"file"          a file, relative to the file that names it ("location": a URL stays as it is)
type field struct {
	key      string
	index    int
	fallback *node
	enum     []string
	later    []string
	path     bool
}

var fieldCache sync.Map // reflect.Type -> []field

// fieldsOf returns the keys of a struct in the order of its declaration.
func fieldsOf(t reflect.Type) []field {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.([]field)
	}
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		key, ok := f.Tag.Lookup("yaml")
		if !ok || key == "-" {
			continue
		}
		_, isPath := f.Tag.Lookup("path")
		out := field{key: key, index: i, path: isPath}
		if text, ok := f.Tag.Lookup("default"); ok {
			out.fallback = literal(text)
		}
		if text, ok := f.Tag.Lookup("enum"); ok {
			out.enum = strings.Split(text, ",")
		}
		if text, ok := f.Tag.Lookup("later"); ok {
			out.later = strings.Split(text, ",")
		}
		fields = append(fields, out)
	}
	fieldCache.Store(t, fields)
	return fields
}

// literal parses a default of a struct tag: a scalar, or a list of scalars.
func literal(text string) *node {
	var y yaml.Node
	if err := yaml.Unmarshal([]byte(text), &y); err != nil || len(y.Content) != 1 {
		panic(fmt.Sprintf("config: the default %q of a struct tag is not YAML", text))
	}
	value := y.Content[0]
	if value.Kind == yaml.ScalarNode {
		return &node{kind: scalar, text: value.Value}
	}
	out := &node{kind: sequence}
	for _, item := range value.Content {
		out.items = append(out.items, &node{kind: scalar, text: item.Value})
	}
	return out
}

// allowed reports a value that is not among those of the enum tag.
func (d *decoder) allowed(n *node, path Path, f field, v reflect.Value) {
	if f.enum == nil || n.kind != scalar || v.Kind() != reflect.String {
		return
	}
	value := v.String()
	if slices.Contains(f.enum, value) || (value == "" && n.text != "") { // an empty variable says nothing
		return
	}
	if slices.Contains(f.later, value) {
		d.notYet(n, path[:len(path)-1], f.key+": "+value)
		return
	}
	hint := ""
	if near := Nearest(value, f.enum); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	d.report(n, path, fmt.Sprintf("%q is not one of %s", n.shown(value), alternatives(f.enum)), hint)
}

// resolve makes the paths of a value relative to the file that names them, and leaves URLs alone.
func (d *decoder) resolve(n *node, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(resolvePath(v.String(), n.file.dir()))
	case reflect.Slice:
		for i := range v.Len() {
			v.Index(i).SetString(resolvePath(v.Index(i).String(), n.file.dir()))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			value := resolvePath(v.MapIndex(key).String(), n.get(key.String()).file.dir())
			v.SetMapIndex(key, reflect.ValueOf(value))
		}
	}
}

func resolvePath(path, dir string) string {
	if path == "" || filepath.IsAbs(path) || isURL(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// isURL tells a URL from a path: C:\x is a path.
func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && strings.Contains(text, "://")
}

// alternatives is a list for a message: a, b or c.
func alternatives(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
