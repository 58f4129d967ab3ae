package mapping

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"

	"mcpgate/specs"
)

// xmlShape is what a schema says of an element or attribute (OpenAPI 3.1, "XML Object").
type xmlShape struct {
	name       string // with its prefix; "" where the property's name or that of the list is its name
	xmlns      string // the attribute that declares its namespace
	attribute  bool
	text       bool // it is the text of its element
	wrapped    bool // a list has an element of its own around it
	kind       string
	properties map[string]*xmlShape
	items      *xmlShape
	target     *xmlShape // of a reference: what it is made of
}

// isXML reports whether a media type is XML that stands for data: drawings and web pages do not.
func isXML(mediaType string) bool {
	switch base := baseType(mediaType); base {
	case "application/xml", "text/xml":
		return true
	case "image/svg+xml", "application/xhtml+xml":
		return false
	default:
		return strings.HasSuffix(base, "+xml")
	}
}

// content is what a shape is made of.
func (s *xmlShape) content() *xmlShape {
	for s.target != nil {
		s = s.target
	}
	return s
}

// xmlShapes reads the shapes of one document's schemas.
type xmlShapes struct {
	document *specs.Document
	named    map[string]*xmlShape
}

// xmlRoot returns the shape of a whole document; nil where the schema does not say enough: no structure, or no name for
// the root where one is needed to write it.
func xmlRoot(document *specs.Document, schema specs.Schema, write bool) *xmlShape {
	r := &xmlShapes{document: document, named: map[string]*xmlShape{}}
	root := r.shape(map[string]any(schema), 0)
	if root.name == "" {
		name, _ := definitionName(schema["$ref"])
		named := *root
		if named.target == nil {
			named.target = root
		}
		named.name = cmp.Or(root.content().name, clean(name, notNameRune))
		root = &named
	}
	if kind := root.content().kind; kind != "object" && kind != "array" || write && root.name == "" {
		return nil
	}
	return root
}

// shape reads one schema.
func (r *xmlShapes) shape(schema map[string]any, depth int) *xmlShape {
	s := &xmlShape{}
	if depth > maxDepth {
		return s
	}
	if name, ok := definitionName(schema["$ref"]); ok && r.document != nil && r.document.Defs[name] != nil {
		target := r.named[name]
		if target == nil {
			target = &xmlShape{}
			r.named[name] = target
			*target = *r.shape(map[string]any(r.document.Defs[name]), depth+1)
		}
		s.target = target
		s.name, s.xmlns, s.attribute, s.wrapped, s.text = target.name, target.xmlns, target.attribute, target.wrapped, target.text
	} else {
		r.fill(s, schema, depth)
	}
	s.take(schema["xml"])
	return s
}

// fill reads what a schema is made of; of allOf and of alternatives all there is.
func (r *xmlShapes) fill(s *xmlShape, schema map[string]any, depth int) {
	for _, name := range nameListOf(schema["type"]) {
		if name != "null" {
			s.kind = name
			break
		}
	}
	if items, ok := object(schema["items"]); ok {
		s.items, s.kind = r.shape(items, depth+1), cmp.Or(s.kind, "array")
	}
	properties, _ := object(schema["properties"])
	for _, name := range sortedKeys(properties) {
		property, _ := object(properties[name])
		s.add(name, r.shape(property, depth+1))
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		parts, _ := schema[keyword].([]any)
		for _, part := range parts {
			in, _ := object(part)
			from := r.shape(in, depth+1).content()
			s.kind = cmp.Or(s.kind, from.kind)
			s.items = cmp.Or(s.items, from.items)
			s.name, s.xmlns = cmp.Or(s.name, from.name), cmp.Or(s.xmlns, from.xmlns)
			for name, property := range from.properties {
				s.add(name, property)
			}
		}
	}
}

func (s *xmlShape) add(name string, property *xmlShape) {
	if s.properties == nil {
		s.properties = map[string]*xmlShape{}
	}
	s.kind = cmp.Or(s.kind, "object")
	s.properties[name] = property
}

// nameListOf is nameList for a keyword that may be one name alone.
func nameListOf(value any) []string {
	if name, ok := value.(string); ok {
		return []string{name}
	}
	return nameList(value)
}

// take reads an xml object.
func (s *xmlShape) take(value any) {
	in, ok := object(value)
	if !ok {
		return
	}
	text := func(key string) string { text, _ := in[key].(string); return text }
	flag := func(key string) bool { flag, _ := in[key].(bool); return flag }
	prefix := text("prefix")
	if name := text("name"); xmlName.MatchString(name) {
		s.name = name
		if xmlName.MatchString(prefix) {
			s.name = prefix + ":" + name
		}
	}
	if namespace := text("namespace"); namespace != "" {
		s.xmlns = "xmlns"
		if xmlName.MatchString(prefix) {
			s.xmlns += ":" + prefix
		}
		s.xmlns += `="` + xmlText(namespace) + `"`
	}
	s.attribute = s.attribute || flag("attribute") || text("nodeType") == "attribute"
	s.wrapped = s.wrapped || flag("wrapped") || s.kind == "array" && text("nodeType") == "element"
	s.text = text("nodeType") == "text" || text("nodeType") == "cdata"
}

// xmlName is a name that needs no thought: XML itself allows more.
var xmlName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}._-]*$`)

func xmlText(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes everything
	return out.String()
}

// write writes a whole document.
func (s *xmlShape) write(value any) ([]byte, error) {
	out := bytes.NewBufferString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	err := s.element(out, s.name, value)
	return out.Bytes(), err
}

// element writes one element.
func (s *xmlShape) element(out *bytes.Buffer, name string, value any) error {
	if !xmlName.MatchString(strings.Replace(name, ":", "_", 1)) {
		return badArgument(slot{argument: name}, "can't be the name of an XML element")
	}
	out.WriteString("<" + name)
	if s.xmlns != "" {
		out.WriteString(" " + s.xmlns)
	}
	var err error
	switch value := value.(type) {
	case map[string]any:
		err = s.members(out, value)
	case []any:
		out.WriteString(">")
		err = s.list(out, name, value)
	default:
		out.WriteString(">" + xmlText(scalarText(value)))
	}
	out.WriteString("</" + name + ">")
	return err
}

// members writes the attributes of an element, the end of its tag, and what is in it.
func (s *xmlShape) members(out *bytes.Buffer, object map[string]any) error {
	c := s.content()
	var inside []string
	text := ""
	for key, value := range members(object) {
		property := c.properties[key]
		bare, isAttribute := strings.CutPrefix(key, "@")
		switch {
		case property != nil && property.text, property == nil && key == "#text":
			text += scalarText(value)
			continue
		case property != nil:
			bare, isAttribute = cmp.Or(property.name, key), property.attribute
		}
		if !isAttribute {
			inside = append(inside, key)
			continue
		}
		if !xmlName.MatchString(strings.Replace(bare, ":", "_", 1)) {
			return badArgument(slot{argument: key}, "can't be the name of an XML attribute")
		}
		out.WriteString(" " + bare + `="` + xmlText(scalarText(value)) + `"`)
	}
	out.WriteString(">" + xmlText(text))
	for _, key := range slices.Sorted(slices.Values(inside)) {
		if err := c.member(out, key, object[key]); err != nil {
			return err
		}
	}
	return nil
}

// member writes a property that is no attribute.
func (s *xmlShape) member(out *bytes.Buffer, key string, value any) error {
	property := s.properties[key]
	if property == nil {
		property = &xmlShape{}
	}
	items, isList := value.([]any)
	if isList && !property.wrapped {
		return property.list(out, key, items)
	}
	return property.element(out, cmp.Or(property.name, key), value)
}

// list writes an element for each item; name is theirs where they have none of their own.
func (s *xmlShape) list(out *bytes.Buffer, name string, items []any) error {
	item := s.content().items
	if item == nil {
		item = &xmlShape{}
	}
	for value := range defined(items) {
		if err := item.element(out, cmp.Or(item.name, name), value); err != nil {
			return err
		}
	}
	return nil
}
