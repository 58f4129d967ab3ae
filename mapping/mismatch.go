package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"mcpgate/internal/fault"
)

// nearest is the choice that was probably meant, for the end of a message.
func nearest(k *kind.Enum) string {
	said, isText := k.Got.(string)
	var choices []string
	for _, choice := range k.Want {
		if text, ok := choice.(string); ok {
			choices = append(choices, text)
		}
	}
	if near := suggest(said, choices); isText && near != "" {
		return "; " + near
	}
	return ""
}

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
		add(path, "must be one of %s%s", values(k.Want), nearest(k))
	case *kind.Const:
		add(path, "must be %s", values([]any{k.Want}))
	case *kind.OneOf, *kind.AnyOf:
		branch(e, path, fields)
	case *kind.DependentRequired:
		add(path, "%s needs %s beside it", k.Prop, strings.Join(k.Missing, ", "))
	case *kind.Contains, *kind.MinContains, *kind.MaxContains, *kind.PropertyNames:
		add(path, "%s", limit(k)) // what is wrong with each item says nothing
	case *kind.Not, *kind.FalseSchema:
		add(path, "is not allowed here")
	default:
		if len(e.Causes) == 0 {
			add(path, "%s", limit(e.ErrorKind))
		}
		for _, cause := range e.Causes {
			collectMismatches(cause, fields)
		}
	}
}

// limit says what a value has to keep to.
func limit(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Minimum:
		return "must be at least " + decimal(k.Want)
	case *kind.Maximum:
		return "must be at most " + decimal(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + decimal(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + decimal(k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %s, and has %d", counted(k.Want, "character"), k.Got)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %s, and has %d", counted(k.Want, "character"), k.Got)
	case *kind.Pattern:
		return fmt.Sprintf("must match the pattern %s", cut(k.Want, 300))
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %s, and has %d", counted(k.Want, "item"), k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %s, and has %d", counted(k.Want, "item"), k.Got)
	case *kind.UniqueItems:
		return fmt.Sprintf("must not have an item twice, as those at %d and %d", k.Duplicates[0], k.Duplicates[1])
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %s, and has %d", counted(k.Want, "field"), k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %s, and has %d", counted(k.Want, "field"), k.Got)
	case *kind.Format:
		return "must be " + formats[k.Want].wanted
	case *kind.Contains:
		return "must have an item of a kind that it has not"
	case *kind.PropertyNames:
		return fmt.Sprintf("%q is no name for a field here", k.Property)
	}
	return fmt.Sprintf("does not fit (%s)", strings.Join(k.KeywordPath(), "."))
}

// decimal writes a number as people do.
func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// counted writes a number with what is counted.
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// fieldPath writes a place as items[0].name. The arguments themselves are called that.
func fieldPath(location []string) string {
	if len(location) == 0 {
		return "arguments"
	}
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
