package gateway

import (
	"fmt"
	"maps"
	"slices"

	"mcpgate/mapping"
	"mcpgate/specs"
)

// longName is what some clients leave for a tool's name: they take 64 characters in all, and put up to 24 and more before it.
const longName = 40

// nameWarnings tells about tools with names, their upstream's prefix included, that some clients can't take.
func nameWarnings(tools []*mapping.Tool) []specs.Warning {
	long := map[string][]string{}
	for _, t := range tools {
		if len(t.Name) > longName {
			long[t.Upstream] = append(long[t.Upstream], t.Name)
		}
	}
	var warnings []specs.Warning
	for _, upstream := range slices.Sorted(maps.Keys(long)) {
		names := long[upstream]
		longest := slices.MaxFunc(names, func(a, b string) int { return len(a) - len(b) })
		warnings = append(warnings, specs.Warning{Message: fmt.Sprintf("upstream %s: %d of its tools' names are longer than %d characters, up to %d (%s); "+
			"clients that put a name of their own before it take no more than 64 in all: name the tools that matter under tools:, or shorten prefix:",
			upstream, len(names), longName, len(longest), longest)})
	}
	return warnings
}
