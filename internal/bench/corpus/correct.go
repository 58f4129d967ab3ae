package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"mcpgate/internal/fault"
	"mcpgate/mapping"
)

// maxTries is how often arguments are given: a schema that was too long is shortened for clients, and says what else it
// wants when it refuses. A model then leaves out what it knew nothing of, and so does this.
const maxTries = 6

// parse hands arguments to a tool, and again without what it refuses.
func parse(t *mapping.Tool, drawn map[string]any) (raw []byte, args mapping.Arguments, tries int, err error) {
	for {
		tries++
		if raw, err = json.Marshal(drawn); err != nil {
			return raw, nil, tries, err
		}
		if args, err = t.ParseArguments(raw); err == nil {
			return raw, args, tries, nil
		}
		var f *fault.Fault
		if tries == maxTries || !errors.As(err, &f) || !leaveOut(drawn, f.Fields) {
			return raw, nil, tries, fmt.Errorf("arguments %.300s: %w", raw, err)
		}
	}
}

// leaveOut takes away the innermost values that the mismatches are in, and says whether there were any.
func leaveOut(drawn map[string]any, fields []fault.Field) bool {
	changed := false
	for _, field := range fields {
		steps := pathSteps.FindAllString(field.Path, -1)
		changed = without(drawn, steps) || changed
	}
	return changed
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
		}
	}
	delete(owner, steps[0])
	return true
}
