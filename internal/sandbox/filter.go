package sandbox

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// isFilter reports whether a placeholder at the end of a list's path narrows it, as in /pets/byStatus/{status}.
func (c *call) isFilter(parent string) bool {
	path := c.endpoint.path
	return path.isItem() && plain(path.segments[len(path.segments)-1].names[0]) == parent && c.property(parent) != ""
}

// property finds the records' property that a parameter means; "" where there is none.
func (c *call) property(parameter string) string {
	want := plain(parameter)
	for name := range properties(c.endpoint.of.schema) {
		if plain(name) == want {
			return name
		}
	}
	if sample := c.endpoint.of.sample(); sample != nil {
		for name := range sample.fields {
			if plain(name) == want {
				return name
			}
		}
	}
	return ""
}

// filter keeps what a query parameter asks for: a property's value, one of several, or words anywhere.
func (c *call) filter(rows []map[string]any, parameter string, values []string) []map[string]any {
	key := plain(parameter)
	if isPaging(key) || len(values) == 0 || values[0] == "" {
		return rows
	}
	if name := c.property(strings.TrimSuffix(parameter, "[]")); name != "" {
		var wanted []string
		for _, v := range values {
			wanted = append(wanted, strings.Split(v, ",")...)
		}
		return keep(rows, func(row map[string]any) bool { return oneOf(row[name], wanted) })
	}
	if slices.Contains(searchNames, key) {
		if conditions, ok := parseConditions(values[0]); ok {
			return keep(rows, func(row map[string]any) bool { return allHold(row, conditions) })
		}
		words := strings.ToLower(values[0])
		return keep(rows, func(row map[string]any) bool { return strings.Contains(strings.ToLower(allText(row)), words) })
	}
	return rows
}

func keep(rows []map[string]any, wanted func(map[string]any) bool) []map[string]any {
	var out []map[string]any
	for _, row := range rows {
		if wanted(row) {
			out = append(out, row)
		}
	}
	return out
}

// oneOf reports whether v is one of the texts; of a list, whether one of its items is; of an object, one of its values.
func oneOf(v any, wanted []string) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return oneOf(item, wanted) })
	case map[string]any:
		for _, inner := range v {
			if oneOf(inner, wanted) {
				return true
			}
		}
		return false
	case nil:
		return false
	}
	return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(text(v), strings.TrimSpace(w)) })
}

// condition is `companyName START_WITH "Alder"`.
type condition struct{ field, operator, value string }

var (
	conditionForm = regexp.MustCompile(`(?i)^\s*\(?\s*([\w.]+)\s+(IS_NOT|IS|START_WITH|CONTAIN|END_WITH|EQUAL_NOT|EQUAL|GREATER_OR_EQUAL|GREATER|LESS_OR_EQUAL|LESS|AFTER|BEFORE|ON_OR_AFTER|ON_OR_BEFORE|ON)\s+(?:"([^"]*)"|([^\s"()]+))\s*\)?\s*$`)
	conditionAnd  = regexp.MustCompile(`(?i)\s+AND\s+`)
)

// parseConditions reads the conditions that a q may hold; false where it holds plain words.
func parseConditions(q string) ([]condition, bool) {
	var out []condition
	for _, part := range conditionAnd.Split(q, -1) {
		m := conditionForm.FindStringSubmatch(part)
		if m == nil {
			return nil, false
		}
		out = append(out, condition{m[1], strings.ToUpper(m[2]), m[3] + m[4]})
	}
	return out, true
}

func allHold(row map[string]any, conditions []condition) bool {
	for _, want := range conditions {
		have := text(value(row, want.field))
		a, b := strings.ToLower(have), strings.ToLower(want.value)
		order := compare(have, want.value)
		var ok bool
		switch want.operator {
		case "IS", "EQUAL", "ON":
			ok = order == 0
		case "IS_NOT", "EQUAL_NOT":
			ok = order != 0
		case "START_WITH":
			ok = strings.HasPrefix(a, b)
		case "END_WITH":
			ok = strings.HasSuffix(a, b)
		case "CONTAIN":
			ok = strings.Contains(a, b)
		case "GREATER", "AFTER":
			ok = have != "" && order > 0
		case "GREATER_OR_EQUAL", "ON_OR_AFTER":
			ok = have != "" && order >= 0
		case "LESS", "BEFORE":
			ok = have != "" && order < 0
		case "LESS_OR_EQUAL", "ON_OR_BEFORE":
			ok = have != "" && order <= 0
		}
		if !ok {
			return false
		}
	}
	return true
}

func allText(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		for _, inner := range v {
			b.WriteString(allText(inner) + "\n")
		}
		return b.String()
	case []any:
		var b strings.Builder
		for _, inner := range v {
			b.WriteString(allText(inner) + "\n")
		}
		return b.String()
	}
	return text(v)
}

// value finds a field by its name in any case; dots lead into objects.
func value(row map[string]any, field string) any {
	first, rest, nested := strings.Cut(field, ".")
	v, ok := row[first]
	if !ok {
		for name, candidate := range row {
			if strings.EqualFold(name, first) {
				v = candidate
				break
			}
		}
	}
	if !nested {
		return v
	}
	inner, _ := v.(map[string]any)
	return value(inner, rest)
}

// compare orders two texts: as numbers where both are, else as words in any case.
func compare(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil && len(a) < 16 && len(b) < 16 {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}
