package mapping

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	legalTool     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	legalArgument = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
)

// vet checks what clients demand of every tool.
func vet(t *testing.T, tools []*Tool) {
	t.Helper()
	names := map[string]bool{}
	for _, tool := range tools {
		if !legalTool.MatchString(tool.Name) || names[tool.Name] {
			t.Errorf("%q is not a name of its own", tool.Name)
		}
		names[tool.Name] = true
		if tool.Title == "" || tool.Description == "" || !utf8.ValidString(tool.Title+tool.Description) {
			t.Errorf("%s: title %q, description %q", tool.Name, tool.Title, tool.Description)
		}
		if len(tool.Description) > maxDescription+len(shortened)+2 || len(tool.Title) > maxTitle {
			t.Errorf("%s: a description of %d bytes, a title of %d", tool.Name, len(tool.Description), len(tool.Title))
		}
		vetSchema(t, tool)
	}
}

// vetSchema checks the schema that clients see: an object at the root without combinators, safe names, and no
// reference that leads anywhere but into its own $defs.
func vetSchema(t *testing.T, tool *Tool) {
	t.Helper()
	var schema map[string]any
	if err := json.Unmarshal(tool.InputSchema, &schema); err != nil {
		t.Errorf("%s: %v", tool.Name, err)
		return
	}
	for key := range schema {
		switch key {
		case "type", "properties", "required", "additionalProperties", "$defs":
		default:
			t.Errorf("%s: %s at the root", tool.Name, key)
		}
	}
	for name := range schema["properties"].(map[string]any) {
		if !legalArgument.MatchString(name) {
			t.Errorf("%s: the argument %q", tool.Name, name)
		}
	}
	defs, _ := schema["$defs"].(map[string]any)
	used := map[string]bool{}
	walk(schema, func(object map[string]any) {
		ref, ok := object["$ref"].(string)
		if !ok {
			return
		}
		name, ok := strings.CutPrefix(ref, "#/$defs/")
		if _, there := defs[name]; !ok || !there {
			t.Errorf("%s: %q leads nowhere", tool.Name, ref)
		}
		used[name] = true
	})
	for name := range defs {
		if !used[name] {
			t.Errorf("%s: nothing refers to %s", tool.Name, name)
		}
	}
	if err := VetSchema(tool.InputSchema); err != nil {
		t.Errorf("%s: %v", tool.Name, err)
	}
}

func walk(value any, visit func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		visit(value)
		for _, item := range value {
			walk(item, visit)
		}
	case []any:
		for _, item := range value {
			walk(item, visit)
		}
	}
}
