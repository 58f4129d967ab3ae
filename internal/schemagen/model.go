package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strconv"
	"strings"
)

// model is what the source of package config says of gateway.yaml.
type model struct {
	structs map[string]*structure
}

// structure is a struct with at least one key.
type structure struct {
	name   string
	doc    string
	fields []field
}

// field is one key.
type field struct {
	name     string // in Go
	key      string // in YAML
	typ      string // as the source writes it, without *
	pointer  bool   // nil means that the file says nothing
	doc      string
	fallback string // the default, in YAML
	enum     []string
	later    []string // choices that are not built yet
	items    []string // choices for the items of a list
}

// available reports whether the feature of the key is built.
func (f *field) available() bool { return f.typ != "Later" }

// element is the type of a list's items or a map's values, "" where the field is neither.
func (f *field) element() string {
	if rest, ok := strings.CutPrefix(f.typ, "[]"); ok {
		return rest
	}
	if rest, ok := strings.CutPrefix(f.typ, "map[string]"); ok {
		return strings.TrimPrefix(rest, "*")
	}
	return ""
}

// readModel parses the structs of the package in dir.
func readModel(dir string) (*model, error) {
	notTest := func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), dir, notTest, parser.ParseComments) //nolint:staticcheck // no build tags here
	if err != nil {
		return nil, err
	}
	m := &model{structs: map[string]*structure{}}
	for _, pkg := range packages {
		for _, file := range pkg.Files {
			for _, decl := range file.Decls {
				if general, ok := decl.(*ast.GenDecl); ok {
					if err := m.declaration(general); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	if m.structs["Config"] == nil {
		return nil, fmt.Errorf("%s has no struct Config", dir)
	}
	return m, nil
}

func (m *model) declaration(decl *ast.GenDecl) error {
	for _, spec := range decl.Specs {
		typ, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		body, ok := typ.Type.(*ast.StructType)
		if !ok {
			continue
		}
		s := &structure{name: typ.Name.Name}
		for _, each := range body.Fields.List {
			f, ok, err := readField(each)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if ok {
				s.fields = append(s.fields, f)
			}
		}
		if len(s.fields) > 0 {
			s.doc = s.prose(decl.Doc.Text(), s.name)
			for i := range s.fields {
				f := &s.fields[i]
				f.doc = s.prose(f.doc, f.name)
			}
			m.structs[s.name] = s
		}
	}
	return nil
}

// readField reads a field; ok is false where it is no key.
func readField(each *ast.Field) (f field, ok bool, err error) {
	if each.Tag == nil || len(each.Names) != 1 {
		return field{}, false, nil
	}
	text, err := strconv.Unquote(each.Tag.Value)
	if err != nil {
		return field{}, false, err
	}
	tag := reflect.StructTag(text)
	key := tag.Get("yaml")
	if key == "" || key == "-" {
		return field{}, false, nil
	}
	f = field{name: each.Names[0].Name, key: key, typ: typeName(each.Type), doc: each.Doc.Text(), fallback: tag.Get("default")}
	_, f.pointer = each.Type.(*ast.StarExpr)
	for name, target := range map[string]*[]string{"enum": &f.enum, "later": &f.later, "items": &f.items} {
		if list := tag.Get(name); list != "" {
			*target = strings.Split(list, ",")
		}
	}
	return f, true, nil
}

// typeName writes a type as the source does; a pointer is what it points to.
func typeName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.StarExpr:
		return typeName(expr.X)
	case *ast.ArrayType:
		return "[]" + typeName(expr.Elt)
	case *ast.MapType:
		return "map[string]" + typeName(expr.Value)
	}
	return fmt.Sprintf("%T", expr)
}
