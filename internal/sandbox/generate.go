package sandbox

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mcpgate/specs"
)

// What bounds made-up values, since schemas may contain themselves: down to maxDepth there is all that a schema has,
// below it what is required, and nothing below maxRequired.
const (
	maxDepth    = 3
	maxRequired = 12
)

// maxMade bounds the parts of one made-up value: a schema that requires itself three times has no end within maxRequired.
const maxMade = 5_000

// generate makes a value up that fits the schema: the n-th of several, the same one every time. name is the property's.
func (d definitions) generate(s specs.Schema, name string, n, depth int) any {
	return (&generator{d, maxMade}).value(s, name, n, depth)
}

// generator makes one value up.
type generator struct {
	definitions
	left int // parts that may still be made
}

func (d *generator) value(s specs.Schema, name string, n, depth int) any {
	d.left--
	s, _ = d.resolve(s)
	list, _ := s["enum"].([]any)
	if v, ok := s["const"]; ok && (len(list) == 0 || slices.ContainsFunc(list, func(one any) bool { return text(one) == text(v) })) {
		return clone(v)
	}
	if len(list) > 0 {
		return clone(list[n%len(list)])
	}
	if list, ok := s["examples"].([]any); ok && len(list) > 0 {
		// Documents give examples that break their own schemas; those are not taken.
		if n < len(list) && (checker{d.definitions, false}).check(s, list[n], "", 1) == nil {
			return clone(list[n])
		}
		if v, ok := another(list[0], n); ok && (checker{d.definitions, false}).check(s, v, "", 1) == nil {
			return v
		}
	}
	// An empty object as the default stands for "nothing said", whatever is required of it.
	if v, ok := s["default"]; ok && !isEmpty(v) {
		return clone(v)
	}
	switch typeOf(s) {
	case "object":
		return d.object(s, n, depth)
	case "array":
		return d.array(s, name, n, depth)
	case "integer":
		return json.Number(strconv.FormatFloat(math.Floor(within(s, float64(wholeNumber(name, n)))), 'f', -1, 64))
	case "number":
		return json.Number(strconv.FormatFloat(within(s, amount(n)), 'f', -1, 64))
	case "boolean":
		return n%2 == 0
	case "null":
		return nil
	case "string", "":
		return fitLength(s, words(s, name, n))
	}
	return nil
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return v == nil
}

// another makes the n-th value in the manner of an example, where it is plain how: numbers count up.
func another(example any, n int) (any, bool) {
	number, ok := example.(json.Number)
	if !ok {
		return nil, false
	}
	i, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil {
		return nil, false
	}
	return json.Number(strconv.FormatInt(i+int64(n), 10)), true
}

func (d *generator) object(s specs.Schema, n, depth int) map[string]any {
	out := map[string]any{}
	if depth > maxRequired || d.left < 0 {
		return out
	}
	need := required(s)
	all := properties(s)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		resolved, _ := d.resolve(all[name])
		if resolved["writeOnly"] == true {
			continue
		}
		if !slices.Contains(need, name) {
			kind := typeOf(resolved)
			if depth > maxDepth || depth >= 2 && (kind == "object" || kind == "array") {
				continue
			}
		}
		out[name] = d.value(resolved, name, n, depth+1)
	}
	for _, name := range need {
		if _, described := all[name]; !described {
			out[name] = d.value(specs.Schema{}, name, n, depth+1)
		}
	}
	if extra, ok := asSchema(s["additionalProperties"]); ok && len(out) == 0 && len(extra) > 0 {
		out["example"] = d.value(extra, "example", n, depth+1)
	}
	return out
}

func (d *generator) array(s specs.Schema, name string, n, depth int) []any {
	least, demanded := number(s["minItems"])
	if depth > maxRequired || d.left < 0 || depth > maxDepth && !demanded {
		return []any{}
	}
	item, ok := asSchema(s["items"])
	if !ok {
		return []any{}
	}
	count := 1
	if least > 1 {
		count = int(min(least, 20))
	}
	out := make([]any, 0, count)
	for i := range count {
		out = append(out, d.value(item, singular(name), n+i, depth+1))
	}
	return out
}

func wholeNumber(name string, n int) int {
	p := plain(name)
	switch {
	case strings.HasSuffix(p, "id"):
		return n + 1
	case strings.Contains(p, "year"):
		return 2026
	case strings.Contains(p, "quantity"), strings.Contains(p, "count"):
		return 2 + n
	case strings.Contains(p, "price"), strings.Contains(p, "amount"), strings.Contains(p, "total"):
		return 100 * (n + 1)
	}
	return n + 1
}

func amount(n int) float64 { return 19.5 + 20*float64(n) }

// within moves x into the schema's bounds, to a multiple that it demands.
func within(s specs.Schema, x float64) float64 {
	if least, ok := number(s["minimum"]); ok {
		x = math.Max(x, least)
	}
	if least, ok := number(s["exclusiveMinimum"]); ok && x <= least {
		x = math.Floor(least) + 1
	}
	if most, ok := number(s["maximum"]); ok {
		x = math.Min(x, most)
	}
	if most, ok := number(s["exclusiveMaximum"]); ok && x >= most {
		x = math.Ceil(most) - 1
	}
	if step, ok := number(s["multipleOf"]); ok && step > 0 {
		if multiple := math.Ceil(x/step) * step; !math.IsInf(multiple, 0) { // JSON has no word for that
			x = multiple
		}
	}
	return x
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}
