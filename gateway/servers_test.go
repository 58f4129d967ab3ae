package gateway

import (
	"strings"
	"testing"

	"mcpgate/specs"
)

func TestDocumentsThatNameAServerInside(t *testing.T) {
	tests := []struct {
		name, lines, server string
		warned              bool
	}{
		{"localhost", "spec: x.yaml", "http://localhost:8080/v1", true},
		{"address", "spec: x.yaml", "http://[::1]:8080", true},
		{"metadata", "spec: x.yaml", "http://169.254.169.254", true},
		{"public", "spec: x.yaml", "https://api.example/v1", false},
		{"relative", "spec: x.yaml", "/v1", false},
		{"base_url", "spec: x.yaml\n    base_url: http://localhost:8080", "http://localhost:8080", false},
		{"sandbox", "spec: x.yaml\n    base_url: 'sandbox:'", "http://localhost:8080", false},
		{"beside the document", "spec: http://localhost:8080/openapi.json", "http://localhost:8080/v1", false},
		{"another port", "spec: http://localhost:8081/openapi.json", "http://localhost:8080/v1", true},
		{"allowed by name", "spec: x.yaml\noutbound: {allow: [localhost]}", "http://localhost:8080", false},
		{"allowed by address", "spec: x.yaml\noutbound: {allow: [127.0.0.0/8]}", "http://localhost:8080", false},
		{"nothing denied", "spec: x.yaml\noutbound: {deny_private: false}", "http://localhost:8080", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := loadConfig(t, "upstreams:\n  up:\n    "+test.lines+"\n")
			documents := map[string][]*specs.Document{"up": {{Location: "x.yaml", Servers: []specs.Server{{URL: test.server}}}}}
			warnings := serverWarnings(cfg, documents)
			if (len(warnings) == 1) != test.warned {
				t.Fatalf("%v", warnings)
			}
			if test.warned && (!strings.Contains(warnings[0].Message, "upstreams.up.base_url") || warnings[0].Pos.File != "x.yaml") {
				t.Errorf("%v", warnings[0])
			}
		})
	}
}
