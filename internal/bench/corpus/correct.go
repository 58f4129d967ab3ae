package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// maxTries is how often arguments are given. A schema that is too long is shortened for clients, and the refusal says
// what else is wanted. A model then writes what it is told, or leaves out what it knows nothing of, and so does this.
const maxTries = 6

// parse hands arguments to a tool, and again as it says; full are values for all that it may ask for.
func parse(t *mapping.Tool, drawn, full map[string]any) (raw []byte, args mapping.Arguments, tries int, err error) {
	for {
		tries++
		if raw, err = json.Marshal(drawn); err != nil {
			return raw, nil, tries, err
		}
		if args, err = t.ParseArguments(raw); err == nil {
			return raw, args, tries, nil
		}
		var f *fault.Fault
		if tries == maxTries || !errors.As(err, &f) || !mend(drawn, full, f.Fields) {
			return raw, nil, tries, fmt.Errorf("arguments %.300s: %w", raw, err)
		}
	}
}

// mend follows what the mismatches say, else takes away the innermost values that they are in. False where it can't.
func mend(drawn, full map[string]any, fields []fault.Field) bool {
	changed := false
	for _, field := range fields {
		steps := pathSteps.FindAllString(field.Path, -1)
		if strings.HasSuffix(field.Message, "say more") && len(steps) > 0 && full[steps[0]] != nil && !reflect.DeepEqual(drawn[steps[0]], full[steps[0]]) {
			drawn[steps[0]], changed = full[steps[0]], true
			continue
		}
		if value, ok := told(field.Message); ok && replace(drawn, steps, value) {
			changed = true
			continue
		}
		changed = without(drawn, steps) || add(drawn, full, field.Message) || changed
	}
	return changed
}

// add puts in the arguments of the first alternative that a mismatch names: "needs id, or owner and repo".
func add(drawn, full map[string]any, message string) bool {
	needs, ok := strings.CutPrefix(message, "needs ")
	if !ok {
		return false
	}
	if anyOf, ok := strings.CutPrefix(needs, "at least 1 of "); ok {
		needs, _, _ = strings.Cut(anyOf, ", ")
	}
	first, _, _ := strings.Cut(needs, ", or ")
	changed := false
	for name := range strings.SplitSeq(first, " and ") {
		if value, known := full[name]; known && drawn[name] == nil {
			drawn[name], changed = value, true
		}
	}
	return changed
}

// told is the value that a mismatch asks for.
func told(message string) (any, bool) {
	if m := wanted.FindStringSubmatch(message); m != nil {
		var value any
		err := json.Unmarshal([]byte(m[1]), &value)
		return value, err == nil
	}
	if m := tooLong.FindStringSubmatch(message); m != nil {
		n, err := strconv.Atoi(m[1])
		return strings.Repeat("x", min(n, 100)), err == nil
	}
	if _, example, ok := strings.Cut(message, " such as "); ok {
		return example, true
	}
	if pattern, ok := strings.CutPrefix(message, "must match the pattern "); ok {
		return textFor(pattern, 1)
	}
	return nil, false
}

var tooLong = regexp.MustCompile(`^must have at most (\d+) characters`)

// wanted is how a mismatch tells the values that are allowed.
var wanted = regexp.MustCompile(`^must be (?:one of )?("(?:[^"\\]|\\.)*"|-?[0-9.]+|true|false)`)

// replace puts a value where there is one already.
func replace(v any, steps []string, value any) bool {
	switch owner := v.(type) {
	case map[string]any:
		if _, there := owner[steps[0]]; there && len(steps) == 1 {
			owner[steps[0]] = value
			return true
		}
		return len(steps) > 1 && replace(owner[steps[0]], steps[1:], value)
	case []any:
		i, err := strconv.Atoi(steps[0])
		if err != nil || i < 0 || i >= len(owner) {
			return false
		}
		if len(steps) == 1 {
			owner[i] = value
			return true
		}
		return replace(owner[i], steps[1:], value)
	}
	return false
}

var pathSteps = regexp.MustCompile(`[^.\[\]]+`)

// without removes the value at the end of a path. What is missing there makes its owner go; an element of a list takes
// the list with it.
func without(owner map[string]any, steps []string) bool {
	if len(steps) == 0 {
		return false
	}
	child, ok := owner[steps[0]]
	if !ok {
		return false
	}
	if inner, ok := child.(map[string]any); ok && without(inner, steps[1:]) {
		return true
	}
	if items, ok := child.([]any); ok && len(steps) > 1 {
		if i, err := strconv.Atoi(steps[1]); err == nil && i < len(items) {
			if inner, ok := items[i].(map[string]any); ok && without(inner, steps[2:]) {
				return true
			}
			owner[steps[0]] = append(append([]any{}, items[:i]...), items[i+1:]...)
			return true
		}
	}
	delete(owner, steps[0])
	return true
}
