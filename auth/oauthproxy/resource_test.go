package oauthproxy

import "testing"

func TestSameResource(t *testing.T) {
	for _, tt := range []struct {
		asked, ours string
		want        bool
	}{
		{"https://tools.example/mcp", "https://tools.example/mcp", true},
		{"HTTPS://Tools.Example/mcp", "https://tools.example/mcp", true},
		{"https://tools.example:443/mcp", "https://tools.example/mcp", true},
		{"https://tools.example/mcp/", "https://tools.example/mcp", true},
		{"https://tools.example/mcp?client=chatgpt", "https://tools.example/mcp", true},
		{"http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp", true},
		{"https://tools.example", "https://tools.example/", true},
		{"https://tools.example/mcp//", "https://tools.example/mcp", false},
		{"https://tools.example/MCP", "https://tools.example/mcp", false},
		{"https://tools.example/m%63p", "https://tools.example/mcp", false},
		{"https://tools.example/other", "https://tools.example/mcp", false},
		{"https://tools.example", "https://tools.example/mcp", false},
		{"https://tools.example/mcp/../mcp", "https://tools.example/mcp", false},
		{"https://tools.example:8443/mcp", "https://tools.example/mcp", false},
		{"http://tools.example/mcp", "https://tools.example/mcp", false},
		{"https://tools.example/mcp#", "https://tools.example/mcp", false},
		{"https://anne@tools.example/mcp", "https://tools.example/mcp", false},
		{"https://other.example/mcp", "https://tools.example/mcp", false},
		{"tools.example/mcp", "https://tools.example/mcp", false},
		{"/mcp", "https://tools.example/mcp", false},
		{"%", "https://tools.example/mcp", false},
	} {
		if got := sameResource(tt.asked, tt.ours); got != tt.want {
			t.Errorf("%s for %s: %v", tt.asked, tt.ours, got)
		}
	}
}
