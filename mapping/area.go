package mapping

import (
	"cmp"
	"slices"
	"strings"
)

// Area is a part of an upstream: a tag of its document, or where it has none, the first segment of its paths.
type Area struct {
	Upstream string
	Name     string
	Tools    int
}

// Areas counts the tools of each area: by upstream, the largest area first.
func Areas(tools []*Tool) []Area {
	counts := map[Area]int{}
	for _, t := range tools {
		counts[Area{Upstream: t.Upstream, Name: t.area()}]++
	}
	areas := make([]Area, 0, len(counts))
	for area, n := range counts {
		area.Tools = n
		areas = append(areas, area)
	}
	slices.SortFunc(areas, func(a, b Area) int {
		return cmp.Or(cmp.Compare(a.Upstream, b.Upstream), cmp.Compare(b.Tools, a.Tools), cmp.Compare(a.Name, b.Name))
	})
	return areas
}

func (t *Tool) area() string {
	if len(t.Tags) > 0 {
		return t.Tags[0]
	}
	for segment := range strings.SplitSeq(t.Path, "/") {
		if segment != "" && !strings.Contains(segment, "{") {
			return segment
		}
	}
	return "other"
}
