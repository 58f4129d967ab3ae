package gateway

import (
	"strings"
	"testing"

	"mcpgate/mapping"
)

func TestNameWarnings(t *testing.T) {
	long := strings.Repeat("n", longName)
	warnings := nameWarnings([]*mapping.Tool{{Name: long, Upstream: "a"}, {Name: long + "x", Upstream: "b"}, {Name: long + "yy", Upstream: "b"}})
	if len(warnings) != 1 || !strings.Contains(warnings[0].Message, "upstream b: 2 of its tools' names are longer than 40 characters, up to 42 (n") {
		t.Errorf("%v", warnings)
	}
}
