package mapping

import (
	"mcpgate/internal/fault"
)

// encode returns the body and its Content-Type; nil where there is nothing to send.
func (b *bodyTemplate) encode(args Arguments) ([]byte, string, error) {
	if b == nil {
		return nil, "", nil
	}
	value, ok := b.value(args)
	if !ok {
		return nil, "", nil
	}
	if isJSON(b.mediaType) {
		return []byte(compactJSON(value)), b.mediaType, nil
	}
	return nil, "", fault.New(fault.ConfigurationInvalid, "the gateway can't write a body of "+b.mediaType, nil)
}

// value returns what the body holds, and whether it holds anything.
func (b *bodyTemplate) value(args Arguments) (any, bool) {
	if b.whole != "" {
		value, ok := args[b.whole]
		return value, ok
	}
	object := map[string]any{}
	for _, slot := range b.properties {
		if value, ok := slot.fill(args); ok {
			object[slot.name] = value
		}
	}
	return object, b.required || len(object) > 0
}
