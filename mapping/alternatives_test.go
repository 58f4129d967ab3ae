package mapping

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Of alternatives that are too many to be shown, clients see what they share: the values by which they differ, above all.
func TestJoinedAlternatives(t *testing.T) {
	object := func(required []any, properties map[string]any) map[string]any {
		return map[string]any{"type": "object", "required": required, "properties": properties}
	}
	kind := func(values ...any) map[string]any { return map[string]any{"type": "string", "enum": values} }
	text := map[string]any{"type": "string"}
	card := object([]any{"type", "number"}, map[string]any{"type": kind("card"), "number": text, "holder": text})
	bank := object([]any{"type", "iban"}, map[string]any{"type": kind("bank", "card"), "iban": text, "holder": text})
	tests := []struct {
		name     string
		branches []any
		want     string
	}{
		{"what all have", []any{card, bank},
			`{"properties":{"holder":{},"type":{"enum":["card","bank"]}},"required":["type"],"type":"object"}`},
		{"one allows any value", []any{card, object([]any{"type"}, map[string]any{"type": text})},
			`{"properties":{"type":{}},"required":["type"],"type":"object"}`},
		{"the first allows any value", []any{object([]any{"type"}, map[string]any{"type": text}), card},
			`{"properties":{"type":{}},"required":["type"],"type":"object"}`},
		{"one is no object", []any{card, text}, `null`},
		{"nothing shared", []any{object(nil, nil), card}, `{"type":"object"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := &view{definitions: &definitions{}}
			got, err := json.Marshal(v.join(test.branches))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
