package mapping

import (
	"fmt"
	"slices"
	"strings"

	"mcpgate/config"
)

// suggest returns `did you mean "x"?` for the candidate that is nearest to a word, or "" where none is near.
func suggest(word string, candidates []string) string {
	others := slices.DeleteFunc(slices.Sorted(slices.Values(candidates)), func(candidate string) bool { return candidate == word })
	if near := config.Nearest(word, others); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// listed writes at most ten names for a message: `a, b, c`, and how many more there are.
func listed(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
