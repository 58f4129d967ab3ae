package mapping

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"mcpgate/internal/fault"
)

// branch reports a value that fits none of several alternatives, or too many: all that would be allowed where the
// alternatives are simple, else what is wrong with the nearest one.
func branch(e *jsonschema.ValidationError, path string, fields *[]fault.Field) {
	if len(e.Causes) == 0 {
		*fields = append(*fields, fault.Field{Path: path, Message: "fits more than one of the alternatives; say more"})
		return
	}
	if message, ok := allowed(e); ok {
		*fields = append(*fields, fault.Field{Path: path, Message: message})
		return
	}
	nearest := e.Causes[0]
	for _, cause := range e.Causes[1:] {
		if nearness(cause, len(e.InstanceLocation)) > nearness(nearest, len(e.InstanceLocation)) {
			nearest = cause
		}
	}
	collectMismatches(nearest, fields)
}

// allowed joins what each alternative would take, where each fails over the value itself and not over a part of it.
func allowed(e *jsonschema.ValidationError) (string, bool) {
	var takes, needs []string
	got := ""
	for _, cause := range e.Causes {
		for len(cause.Causes) == 1 {
			cause = cause.Causes[0]
		}
		if len(cause.InstanceLocation) != len(e.InstanceLocation) {
			return "", false
		}
		switch k := cause.ErrorKind.(type) {
		case *kind.Type:
			takes = append(takes, alternatives(k.Want))
			got = ", not " + article(k.Got)
		case *kind.Enum:
			takes = append(takes, values(k.Want))
		case *kind.Const:
			takes = append(takes, values([]any{k.Want}))
		case *kind.Required:
			needs = append(needs, strings.Join(k.Missing, " and "))
		default:
			return "", false
		}
	}
	slices.Sort(takes)
	takes = slices.Compact(takes)
	switch {
	case len(needs) == 0:
		return "must be " + strings.Join(takes, " or ") + got, true
	case len(takes) == 0:
		return "needs " + strings.Join(needs, ", or "), true
	}
	return "", false
}

// nearness says how likely an alternative is the one that was meant: one whose fixed values are there (a discriminator, as
// a rule) before one whose are not, one of the value's own type before one that is not, then the one whose first mismatch lies
// deepest. The alternatives are at the given depth.
func nearness(e *jsonschema.ValidationError, depth int) int {
	const fixed = 1 << 10
	if len(e.Causes) > 0 {
		best := fixed
		for _, cause := range e.Causes {
			best = min(best, nearness(cause, depth))
		}
		return best
	}
	near := len(e.InstanceLocation)
	switch e.ErrorKind.(type) {
	case *kind.Const, *kind.Enum:
	case *kind.Type:
		near += fixed / 2
		if len(e.InstanceLocation) > depth {
			near += fixed / 2 // a field of the wrong type is there, at least
		}
	default:
		near += fixed
	}
	return near
}
