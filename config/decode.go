package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decoder fills the structs from the tree. It is strict: it reports every key and value that does not belong, and goes
// on. Variables are filled in here, so what is read as a number may come from the environment.
type decoder struct {
	loader *loader
}

// custom is a type that reads its own value.
type custom interface {
	decode(d *decoder, n *node, path Path)
}

// decode fills target, a pointer to a struct, from n.
func (d *decoder) decode(n *node, path Path, target any) {
	d.structure(n, path, reflect.ValueOf(target).Elem())
}

// value fills v, whatever it is, from n, which is not null.
func (d *decoder) value(n *node, path Path, v reflect.Value) {
	if v.CanAddr() {
		if reader, ok := v.Addr().Interface().(custom); ok {
			reader.decode(d, n, path)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, path, v)
	case reflect.Pointer:
		d.pointer(n, path, v)
	case reflect.Map:
		d.names(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	case reflect.Interface:
		if value := d.free(n, path); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		d.plain(n, path, v)
	}
}

// pointer sets v where the file has a value: an empty variable leaves it as it is.
func (d *decoder) pointer(n *node, path Path, v reflect.Value) {
	fresh := reflect.New(v.Type().Elem())
	if fresh.Elem().Kind() == reflect.Struct {
		v.Set(fresh)
		d.value(n, path, fresh.Elem())
	} else if d.plain(n, path, fresh.Elem()) {
		v.Set(fresh)
	}
}

// structure fills the fields of v; n is nil where the file has nothing there, and then only defaults are filled in.
func (d *decoder) structure(n *node, path Path, v reflect.Value) {
	fields := fieldsOf(v.Type())
	if n != nil && n.kind != mapping && n.kind != null {
		d.mismatch(n, path, "a mapping (key: value)")
		n = nil
	}
	if n != nil {
		for _, e := range n.entries {
			if !slices.ContainsFunc(fields, func(f field) bool { return f.key == e.key }) {
				d.unknown(e, path, v.Type())
			}
		}
	}
	for _, f := range fields {
		target, given := v.Field(f.index), n.get(f.key)
		if f.fallback != nil {
			d.value(f.fallback, path.Child(f.key), target)
		}
		switch {
		case given != nil && given.kind != null:
			d.value(given, path.Child(f.key), target)
			if f.path {
				d.resolve(given, target)
			}
			d.allowed(given, path.Child(f.key), f, target)
		case target.Kind() == reflect.Struct:
			d.structure(nil, path.Child(f.key), target)
		}
	}
}

// names fills a map whose keys are the author's own names.
func (d *decoder) names(n *node, path Path, v reflect.Value) {
	if n.kind != mapping {
		d.mismatch(n, path, "a mapping (name: ...)")
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.entries)))
	for _, e := range n.entries {
		element := reflect.New(v.Type().Elem()).Elem()
		switch {
		case e.value.kind != null:
			d.value(e.value, path.Child(e.key), element)
		case element.Kind() == reflect.Pointer:
			element.Set(reflect.New(element.Type().Elem()))
			d.structure(e.value, path.Child(e.key), element.Elem())
		}
		v.SetMapIndex(reflect.ValueOf(e.key), element)
	}
}

func (d *decoder) list(n *node, path Path, v reflect.Value) {
	if n.kind != sequence {
		hint := ""
		if n.kind == scalar {
			hint = "write [" + n.text + "]"
		}
		d.report(n, path, "this has to be a list, and is "+n.kind.describe(), hint)
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(n.items))
	for i, item := range n.items {
		at := path.Child(strconv.Itoa(i))
		element := reflect.New(v.Type().Elem()).Elem()
		if item.kind == null && element.Kind() != reflect.Interface {
			d.report(item, at, "this item is empty", "")
			continue
		}
		d.value(item, at, element)
		if element.Kind() == reflect.String && element.Len() == 0 && item.text != "" {
			continue // an empty variable adds no item
		}
		out = reflect.Append(out, element)
	}
	v.Set(out)
}

// plain fills a string, boolean or number, and reports whether it did: not where a variable is empty, which says nothing.
func (d *decoder) plain(n *node, path Path, v reflect.Value) bool {
	text, ok := d.text(n, path)
	if !ok || (text == "" && n.text != "") {
		return false
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var value bool
		value, err = parseBoolean(text)
		v.SetBool(value)
	case reflect.Int:
		var value int
		value, err = parseInteger(text)
		v.SetInt(int64(value))
	case reflect.Float64:
		var value float64
		value, err = parseNumber(text)
		v.SetFloat(value)
	default:
		err = &notationError{v.Type().String(), "which gateway.yaml has no notation for: this is a defect"}
	}
	if err != nil {
		d.notMeant(n, path, text, err)
	}
	return err == nil
}

// text is a scalar with its variables filled in.
func (d *decoder) text(n *node, path Path) (string, bool) {
	if n.kind != scalar {
		hint := ""
		if n.kind == mapping && len(n.entries) > 0 {
			hint = "put quotes around a value that begins with { or holds a colon and a space"
		}
		d.report(n, path, "this has to be a plain value, and is "+n.kind.describe(), hint)
		return "", false
	}
	if n.file == nil {
		return n.text, true
	}
	text, err := d.loader.expander.expand(n.text, n.file.dir())
	if err == nil && strings.Contains(text, keyVaultPending) {
		d.report(n, path, "the value is a Key Vault reference that the platform did not resolve",
			"check the reference and the app's access to the vault")
		return "", false
	}
	if err == nil {
		return text, true
	}
	if wrong, ok := errors.AsType[*expandError](err); ok {
		d.report(n, path, wrong.message, wrong.hint)
	} else {
		d.report(n, path, err.Error(), "")
	}
	return "", false
}

// notMeant reports a text that is not what belongs there.
func (d *decoder) notMeant(n *node, path Path, text string, err error) {
	wrong, ok := errors.AsType[*notationError](err)
	if !ok {
		wrong = &notationError{hint: err.Error()}
	}
	d.report(n, path, fmt.Sprintf("%q is not %s", n.shown(text), wrong.kind), wrong.hint)
}

func (d *decoder) mismatch(n *node, path Path, want string) {
	d.report(n, path, fmt.Sprintf("this has to be %s, and is %s", want, n.kind.describe()), "")
}

func (d *decoder) report(n *node, path Path, message, hint string) {
	if n.file == nil { // a default: a defect of ours, and never silent
		message = "default: " + message
		n = &node{file: &file{}}
	}
	d.loader.problemAt(n, path, message, hint)
}
