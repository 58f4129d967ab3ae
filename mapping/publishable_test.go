package mapping

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVetSchema(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(secret, []byte(`{"type":"string"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, schema, want string }{
		{"plain", `{"type":"object","properties":{"id":{"type":"integer"}}}`, ""},
		{"its own definition", `{"type":"object","$defs":{"a":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/a"}}}`, ""},
		{"itself", `{"type":"object","properties":{"child":{"$ref":"#"}}}`, ""},
		{"a property called $ref", `{"type":"object","properties":{"$ref":{"type":"string"}}}`, ""},
		{"a default called $ref", `{"type":"object","properties":{"a":{"default":{"$ref":"http://x/y"}}}}`, ""},
		{"a lookahead", `{"type":"object","properties":{"a":{"type":"string","pattern":"^(?!x)y"}}}`, "pattern"}, // many clients can't read it
		{"nothing", ``, "not valid JSON"},
		{"not JSON", `{"type":"object"`, "not valid JSON"},
		{"JSON twice", `{"type":"object"}{}`, "not valid JSON"},
		{"no object", `{"type":"array"}`, "not an object's"},
		{"a boolean", `true`, "not an object's"},
		{"a file", `{"type":"object","properties":{"a":{"$ref":"file://` + filepath.ToSlash(secret) + `"}}}`, "outside of it"},
		{"a URL", `{"type":"object","allOf":[{"$ref":"https://example.com/a.json"}]}`, "outside of it"},
		{"a URL in a definition", `{"type":"object","$defs":{"a":{"items":{"$ref":"a.json"}}}}`, "outside of it"},
		{"left over from the document", `{"type":"object","properties":{"a":{"$ref":"#/components/schemas/a"}}}`, "schemas/a"},
		{"a type that is none", `{"type":"object","properties":{"a":{"type":"file"}}}`, "type"},
		{"a pattern that is none", `{"type":"object","properties":{"a":{"pattern":"("}}}`, "pattern"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := VetSchema(json.RawMessage(tt.schema))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
