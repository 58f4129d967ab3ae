package mapping

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Declare returns a tool that is the caller's own: no request stands behind it, and of its methods only ParseArguments
// has a use. properties are the JSON Schemas of its arguments, without references; required names some of them.
func Declare(name, title, description string, properties map[string]any, required []string, a Annotations) (*Tool, error) {
	t := &Tool{Name: name, Title: title, Description: description, Annotations: a, Idempotent: a.Idempotent,
		names: slices.Sorted(maps.Keys(properties))}
	demanded := make([]any, len(required))
	for i, name := range required {
		demanded[i] = name
	}
	schema := map[string]any{"type": "object", "properties": properties, "required": demanded, "additionalProperties": false}
	var err error
	if t.arguments, err = newDefinitions(nil).compile(schema); err != nil {
		return nil, err
	}
	t.InputSchema, err = json.Marshal(schema)
	return t, err
}

// Required names the arguments that a call has to give, sorted.
func (t *Tool) Required() []string {
	if t.arguments == nil {
		return nil
	}
	return slices.Sorted(slices.Values(t.arguments.Required))
}

// maxLine bounds a description that has one line, in bytes.
const maxLine = 160

// Line is the first sentence of the description.
func (t *Tool) Line() string {
	line, _, more := strings.Cut(t.Description, ". ")
	if more {
		line += "."
	}
	return cut(line, maxLine)
}
