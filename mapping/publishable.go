package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// VetSchema reports why an input schema can't be shown to clients: it isn't JSON, isn't an object's, doesn't compile, or
// refers to anything outside itself. Patterns are held to Go's engine, as mcp-go and other clients in Go do.
func VetSchema(schema json.RawMessage) error {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fmt.Errorf("not valid JSON: %w", err)
	}
	if root, ok := document.(map[string]any); !ok || root["type"] != "object" {
		return errors.New(`not an object's: clients demand "type": "object" at the root`)
	}
	if ref := foreignRef(document); ref != "" {
		return fmt.Errorf("refers to %q, which is outside of it", ref)
	}
	const location = "mem:///schema.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(location, document); err != nil {
		return err
	}
	_, err = compiler.Compile(location)
	return err
}

// foreignRef returns the first reference that isn't a fragment, wherever it stands: the values of enum, const, default
// and examples are data and are not looked at, nor is a property that happens to be called $ref.
func foreignRef(node any) string {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			if ref := foreignRef(child); ref != "" {
				return ref
			}
		}
	case map[string]any:
		for key, child := range node {
			ref := ""
			switch key {
			case "$ref", "$dynamicRef":
				if text, ok := child.(string); ok && !strings.HasPrefix(text, "#") {
					ref = text
				}
			case "enum", "const", "default", "examples", "example":
			case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas":
				named, _ := child.(map[string]any)
				for _, schema := range named {
					if ref = foreignRef(schema); ref != "" {
						return ref
					}
				}
			default:
				ref = foreignRef(child)
			}
			if ref != "" {
				return ref
			}
		}
	}
	return ""
}
