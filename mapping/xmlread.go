package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"mcpgate/specs"
)

// An answer in XML that nests deeper or has more elements and attributes stays the text that it is. There is no bound on
// entities since none are expanded: a document that declares its own does not parse.
const (
	maxXMLDepth = 100
	maxXMLNodes = 200_000
)

// xmlNode is an element as it was read.
type xmlNode struct {
	name     string
	attrs    []xml.Attr
	children []*xmlNode
	text     bytes.Buffer
}

// xmlData is an answer in XML as JSON, in the document's order: what the schema calls an attribute, a number or a list is
// one. Where it says nothing, @name is an attribute, #text the text beside elements, and what is there twice a list.
func (t *Tool) xmlData(page *Page, text []byte) ([]byte, bool) {
	root, err := parseXML(text)
	if err != nil {
		return nil, false
	}
	var out bytes.Buffer
	for _, key := range []string{fmt.Sprint(page.Status), fmt.Sprintf("%dXX", page.Status/100), "DEFAULT"} {
		if s := t.xmlAnswers[key]; s != nil && root.fits(s) {
			list := *s.content()
			list.wrapped = true
			root.write(&out, &list)
			return out.Bytes(), true
		}
	}
	out.WriteString("{" + compactJSON(root.name) + ":")
	root.write(&out, &xmlShape{})
	out.WriteString("}")
	return out.Bytes(), true
}

// xmlAnswers are the shapes of the answers that are XML, by their status; nil where there are none.
func xmlAnswers(document *specs.Document, responses []specs.Response) map[string]*xmlShape {
	var out map[string]*xmlShape
	for _, r := range responses {
		for _, m := range r.Content {
			if !isXML(m.Type) || m.Schema == nil {
				continue
			}
			if s := xmlRoot(document, m.Schema, false); s != nil {
				if out == nil {
					out = map[string]*xmlShape{}
				}
				out[strings.ToUpper(r.Status)] = s
			}
		}
	}
	return out
}

// fits reports whether the root is the one that the schema names, where it names one.
func (n *xmlNode) fits(s *xmlShape) bool {
	return s.name == "" || localName(s.name) == n.name || s.content().kind == "array"
}

func localName(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// parseXML reads a document, within bounds.
func parseXML(text []byte) (*xmlNode, error) {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 already
	document := &xmlNode{}
	open := []*xmlNode{document}
	for count := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if count += 1 + len(token.Attr); count > maxXMLNodes || len(open) > maxXMLDepth {
				return nil, errors.New("too many elements, or too deep")
			}
			node := &xmlNode{name: token.Name.Local, attrs: token.Attr}
			top.children = append(top.children, node)
			open = append(open, node)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 1 {
				top.text.Write(token)
			}
		}
	}
	if len(document.children) != 1 {
		return nil, errors.New("not one root")
	}
	return document.children[0], nil
}

// write writes the element as JSON.
func (n *xmlNode) write(out *bytes.Buffer, s *xmlShape) {
	c := s.content()
	attrs := n.plainAttrs()
	switch {
	case n.isNil():
		out.WriteString("null")
	case c.kind == "array" && s.wrapped:
		writeXMLList(out, n.children, c.items)
	case len(attrs) == 0 && len(n.children) == 0 && c.kind != "object":
		out.WriteString(xmlScalar(n.text.String(), c.kind))
	default:
		n.writeObject(out, c, attrs)
	}
}

// isNil reports xsi:nil.
func (n *xmlNode) isNil() bool {
	for _, attr := range n.attrs {
		if attr.Name.Local == "nil" && attr.Name.Space == "http://www.w3.org/2001/XMLSchema-instance" {
			return attr.Value == "true" || attr.Value == "1"
		}
	}
	return false
}

// plainAttrs are the attributes that say something: no namespaces.
func (n *xmlNode) plainAttrs() []xml.Attr {
	var out []xml.Attr
	for _, attr := range n.attrs {
		if attr.Name.Space != "xmlns" && attr.Name.Local != "xmlns" {
			out = append(out, attr)
		}
	}
	return out
}

// writeObject writes attributes, elements by their names, and text beside them.
func (n *xmlNode) writeObject(out *bytes.Buffer, c *xmlShape, attrs []xml.Attr) {
	used := map[string]bool{}
	key := func(name string) {
		for used[name] {
			name += "_"
		}
		begin := ","
		if len(used) == 0 {
			begin = "{"
		}
		used[name] = true
		out.WriteString(begin + compactJSON(name) + ":")
	}
	for _, attr := range attrs {
		name, property := c.property(attr.Name.Local, true)
		if property == nil {
			key("@" + attr.Name.Local)
			property = &xmlShape{}
		} else {
			key(name)
		}
		out.WriteString(xmlScalar(attr.Value, property.content().kind))
	}
	groups := map[string][]*xmlNode{}
	var order []string
	for _, child := range n.children {
		if groups[child.name] == nil {
			order = append(order, child.name)
		}
		groups[child.name] = append(groups[child.name], child)
	}
	for _, element := range order {
		name, property := c.property(element, false)
		key(cmp.Or(name, element))
		writeXMLGroup(out, groups[element], property)
	}
	if text := strings.TrimSpace(n.text.String()); text != "" {
		name, property := "#text", &xmlShape{}
		for candidate, p := range c.properties {
			if p.text {
				name, property = candidate, p
			}
		}
		key(name)
		out.WriteString(xmlScalar(text, property.content().kind))
	}
	if len(used) == 0 {
		out.WriteString("{")
	}
	out.WriteString("}")
}

// property finds the property that is written as an element or attribute of a name.
func (s *xmlShape) property(name string, attribute bool) (string, *xmlShape) {
	for _, key := range sortedKeys(s.properties) {
		p := s.properties[key]
		written := cmp.Or(p.name, key)
		if items := p.content().items; items != nil && !p.wrapped {
			written = cmp.Or(items.name, key)
		}
		if p.attribute == attribute && localName(written) == name {
			return key, p
		}
	}
	return "", nil
}

// writeXMLGroup writes the elements of one name: a list, or one value.
func writeXMLGroup(out *bytes.Buffer, group []*xmlNode, property *xmlShape) {
	if property == nil {
		property = &xmlShape{}
	}
	if c := property.content(); c.kind == "array" && !property.wrapped {
		writeXMLList(out, group, c.items)
		return
	}
	if len(group) > 1 {
		writeXMLList(out, group, property)
		return
	}
	group[0].write(out, property)
}

func writeXMLList(out *bytes.Buffer, nodes []*xmlNode, item *xmlShape) {
	if item == nil {
		item = &xmlShape{}
	}
	out.WriteByte('[')
	for i, node := range nodes {
		if i > 0 {
			out.WriteByte(',')
		}
		node.write(out, item)
	}
	out.WriteByte(']')
}

// xmlScalar writes text as what the schema says it is, where it is that; a number keeps its digits.
func xmlScalar(text, kind string) string {
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "" && kind != "" && kind != "string":
		return "null"
	case (kind == "integer" || kind == "number") && json.Valid([]byte(trimmed)) && strings.IndexAny(trimmed, "-0123456789") == 0:
		return trimmed
	case kind == "boolean" && (trimmed == "true" || trimmed == "1"):
		return "true"
	case kind == "boolean" && (trimmed == "false" || trimmed == "0"):
		return "false"
	}
	return compactJSON(text)
}

// xmlEncoding is the charset that a document itself names (XML 1.0, section 4.3.3).
var xmlEncoding = regexp.MustCompile(`^\s*<\?xml[^>]{0,80}encoding=["']([A-Za-z0-9._-]+)["']`)

// xmlType is the Content-Type of an answer, with the charset that the document names where the header names none.
func xmlType(contentType string, body []byte) string {
	match := xmlEncoding.FindSubmatch(body[:min(len(body), 200)])
	if match == nil || strings.Contains(strings.ToLower(contentType), "charset") {
		return contentType
	}
	return baseType(contentType) + "; charset=" + string(match[1])
}
