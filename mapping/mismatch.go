package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"mcpgate/internal/fault"
)

// mismatches says in a model's words what a validation found: which argument, and what is allowed there.
func mismatches(err error) []fault.Field {
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []fault.Field{{Message: err.Error()}}
	}
	var fields []fault.Field
	collectMismatches(invalid, &fields)
	slices.SortStableFunc(fields, func(a, b fault.Field) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(fields)
}

func collectMismatches(e *jsonschema.ValidationError, fields *[]fault.Field) {
	path := fieldPath(e.InstanceLocation)
	add := func(path, format string, args ...any) {
		*fields = append(*fields, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			add(fieldPath(append(slices.Clone(e.InstanceLocation), name)), "is required")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			add(fieldPath(append(slices.Clone(e.InstanceLocation), name)), "is not known here")
		}
	case *kind.Type:
		add(path, "must be %s, not %s", alternatives(k.Want), article(k.Got))
	case *kind.Enum:
		add(path, "must be one of %s", values(k.Want))
	case *kind.Const:
		add(path, "must be %s", values([]any{k.Want}))
	case *kind.OneOf, *kind.AnyOf:
		branch(e, path, fields)
	default:
		if len(e.Causes) == 0 {
			add(path, "%s", strings.ReplaceAll(k.LocalizedString(printer), "'", ""))
		}
		for _, cause := range e.Causes {
			collectMismatches(cause, fields)
		}
	}
}

var printer = message.NewPrinter(language.English)

// branch reports the alternative that came nearest: the one whose mismatch lies deepest, and of these the first.
func branch(e *jsonschema.ValidationError, path string, fields *[]fault.Field) {
	var best []fault.Field
	depth := -1
	for _, cause := range e.Causes {
		var found []fault.Field
		collectMismatches(cause, &found)
		deepest := 0
		for _, f := range found {
			deepest = max(deepest, strings.Count(f.Path, ".")+strings.Count(f.Path, "["))
		}
		if deepest > depth {
			best, depth = found, deepest
		}
	}
	if best == nil {
		best = []fault.Field{{Path: path, Message: "fits more than one of the alternatives; say more"}}
	}
	*fields = append(*fields, best...)
}

// fieldPath writes a place as items[0].name.
func fieldPath(location []string) string {
	var b strings.Builder
	for i, part := range location {
		if _, err := strconv.Atoi(part); err == nil && i > 0 {
			b.WriteString("[" + part + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}

func alternatives(types []string) string {
	var out []string
	for _, name := range types {
		out = append(out, article(name))
	}
	return strings.Join(out, " or ")
}

func article(name string) string {
	switch name {
	case "null":
		return name
	case "integer", "array", "object":
		return "an " + name
	}
	return "a " + name
}

// values writes what is allowed as JSON, at most twenty of them.
func values(list []any) string {
	const most = 20
	var out []string
	for _, v := range list[:min(len(list), most)] {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(fmt.Sprint(v))
		}
		out = append(out, cut(string(text), 100))
	}
	if len(list) > most {
		out = append(out, fmt.Sprintf("%d more", len(list)-most))
	}
	return strings.Join(out, ", ")
}
