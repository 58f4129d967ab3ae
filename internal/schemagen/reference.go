package main

import (
	"bytes"
	"fmt"
	"strings"
)

const head = `# Reference: gateway.yaml

<!-- Written by go generate ./config from the doc comments of package config. Change those, not this page. -->

Every key, with its type, its default, and what it costs. The smallest useful file:

` + "```yaml" + `
upstreams:
  petstore:
    spec: specs/petstore.yaml
` + "```" + `

An unknown key, a wrong value and a name said twice are problems, each with its line; ` + "`mcpgate validate`" + ` prints them all. ` +
	"`mcpgate schema`" + ` prints the JSON Schema, with which an editor completes and checks the file. Keys that are *not available yet* in this
version are known, and using one is a problem that says so.

**Notation**

| | |
| --- | --- |
| duration | ` + "`500ms` `30s` `5m` `1h` `30d` `1h30m`" + ` |
| size | ` + "`512KiB` `4MiB` `1GiB` `10MB`" + `, or a plain number of bytes |
| rate | ` + "`20/s` `1000/m` `5000/h` `10000/d`" + ` |
| secret | a string that no log, no message and no dry run shows; take it from a variable |
| file | a path, relative to the file that names it |
| ` + "`${NAME}`" + ` | the variable NAME of the environment, or of ` + "`.env`" + ` beside the file; the environment wins. Not set is a problem |
| ` + "`${NAME:-default}`" + ` | the default where NAME is empty or not set; it may hold variables: ` + "`${PORT:-${WEBSITES_PORT:-8080}}`" + ` |
| ` + "`${NAME:?message}`" + ` | a problem with this message where NAME is empty or not set |
| ` + "`${file:/run/secrets/x}`" + ` | what the file holds, without the line end at its end |
| ` + "`$$`" + ` | a dollar sign |

Variables are filled into values after the YAML is read, so no value can add a key. Numbers and booleans may come from variables, and an empty
one leaves the default. The file is ` + "`-c FILE`, else `$MCPGATE_CONFIG`, else `./gateway.yaml`" + `.
`

// reference writes the page: a section for each struct, under the path at which a reader meets it first.
func (m *model) reference() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	paths := map[string][]string{}
	m.walk("Config", "", func(name, path string) { paths[name] = append(paths[name], path) })
	for _, s := range m.inOrder() {
		m.section(&b, s, paths)
	}
	return b.Bytes()
}

// walk calls visit for every struct below name, with its path.
func (m *model) walk(name, path string, visit func(name, path string)) {
	visit(name, path)
	for _, f := range m.structs[name].fields {
		inner, at := f.typ, strings.TrimPrefix(path+"."+f.key, ".")
		if f.element() != "" {
			inner = f.element()
			if strings.HasPrefix(f.typ, "[]") {
				at += "[]"
			} else {
				at += ".NAME"
			}
		}
		if m.structs[inner] != nil {
			m.walk(inner, at, visit)
		}
	}
}

func (m *model) section(b *bytes.Buffer, s *structure, paths map[string][]string) {
	title, others := paths[s.name][0], paths[s.name][1:]
	if title == "" {
		fmt.Fprint(b, "\n## The file\n\n")
	} else {
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n", title, s.doc)
	}
	if len(others) > 0 {
		fmt.Fprintf(b, "The same keys are in `%s`.\n\n", strings.Join(others, "`, `"))
	}
	b.WriteString("| key | type | default | |\n| --- | --- | --- | --- |\n")
	var later []field
	for _, f := range s.fields {
		if !f.available() {
			later = append(later, f)
			continue
		}
		description := f.doc
		if description == "" {
			description = m.structs[f.typ].doc
		}
		fallback := ""
		switch {
		case f.fallback != "":
			fallback = "`" + f.fallback + "`"
		case f.typ == "bool" && !f.pointer:
			fallback = "`false`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.key, m.typeText(f, paths), fallback, cell(description))
	}
	if len(later) > 0 {
		b.WriteString("\n*Not available yet:*\n\n")
		for _, f := range later {
			fmt.Fprintf(b, "- `%s`: %s\n", f.key, f.doc)
		}
	}
}

// cell keeps a text inside its cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// typeText names a type for people, with a link where it has a section.
func (m *model) typeText(f field, paths map[string][]string) string {
	switch f.typ {
	case "string":
		if f.enum == nil {
			return "string"
		}
		choices := "`" + strings.Join(f.enum, "` `") + "`"
		if f.later != nil {
			choices += "; not available yet: `" + strings.Join(f.later, "` `") + "`"
		}
		return choices
	case "Strings":
		return "string or list"
	case "bool":
		return "boolean"
	case "int":
		return "number"
	case "float64":
		return "number"
	case "any":
		return "anything"
	case "Secret", "Duration", "Size", "Rate":
		return strings.ToLower(f.typ)
	}
	if path, ok := paths[f.typ]; ok {
		return link("mapping", path[0])
	}
	kind := "mapping of "
	if strings.HasPrefix(f.typ, "[]") {
		kind = "list of "
	}
	if path, ok := paths[f.element()]; ok {
		return kind + link("mappings", path[0])
	}
	return kind + map[string]string{"string": "strings", "[]string": "lists", "Secret": "secrets", "any": "values"}[f.element()]
}

// link points to a section, with the anchor that GitHub makes of its title.
func link(text, path string) string {
	anchor := strings.NewReplacer(".", "", "[", "", "]", "").Replace(strings.ToLower(path))
	return fmt.Sprintf("[%s](#%s)", text, anchor)
}
