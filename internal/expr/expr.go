// Package expr compiles conditions (CEL, https://cel.dev) at load and decides them later. It does not know what they
// decide.
package expr

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// What a condition may need. The cost is CEL's own measure, about one for each step and each character that is looked
// at: a list of a thousand groups costs a few thousand.
const (
	maxLength = 4 << 10 // characters of its text
	maxDepth  = 64      // of parentheses
	maxNested = 2       // exists within exists
	maxCost   = 1_000_000
	maxTime   = 200 * time.Millisecond
	checkTime = 100 // steps of a macro between two looks at the clock
)

// Error says what is wrong with a condition, and where in its text.
type Error struct {
	Message string
	Offset  int // bytes of the text before the mistake
	Column  int // the same in characters of the line, from 1
	Line    int // from 1
}

// Error returns the message with its place.
func (e *Error) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("column %d: %s", e.Column, e.Message)
}

// Condition is a compiled condition. It is safe for concurrent use.
type Condition struct {
	text    string
	program cel.Program
}

// Compile reads a condition over these variables, such as "claims", each of which is an object. Functions of strings
// (lowerAscii, split, replace ...) are known besides CEL's own. An *Error says where in the text it is wrong.
func Compile(text string, variables ...string) (*Condition, error) {
	env, err := environment(variables)
	if err != nil {
		return nil, err
	}
	if n := len([]rune(text)); n > maxLength {
		return nil, &Error{Message: fmt.Sprintf("a condition of %d characters is too long; %d is the most", n, maxLength), Line: 1, Column: 1}
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, firstOf(text, variables, issues)
	}
	// A single claim has a type only when it is there: what it turns out to be is looked at in Holds.
	if typ := ast.OutputType(); typ.Kind() != types.BoolKind && typ.Kind() != types.DynKind {
		return nil, &Error{Message: fmt.Sprintf("this is %s, and a condition has to be true or false", kind(typ)), Line: 1, Column: 1}
	}
	program, err := env.Program(ast, cel.CostTracking(costs{}), cel.CostLimit(maxCost), cel.InterruptCheckFrequency(checkTime))
	if err != nil {
		return nil, &Error{Message: err.Error(), Line: 1, Column: 1}
	}
	return &Condition{text, program}, nil
}

// String is the condition's text.
func (c *Condition) String() string { return c.text }

// Holds decides it, within bounds of time and cost. What can't be decided does not hold: a claim that is missing, one of
// another type, a condition that costs too much. A variable that is not given is an empty object.
func (c *Condition) Holds(variables map[string]any) bool {
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	value, _, err := c.program.ContextEval(ctx, &activation{variables})
	return err == nil && value == types.True
}

// costs are those of the functions that CEL does not count by itself: the characters that they read and write, so that no
// chain of replace makes gigabytes out of a claim.
type costs struct{}

// CallCost returns what a call cost, nil for CEL's own count.
func (costs) CallCost(_, _ string, args []ref.Val, result ref.Val) *uint64 {
	text, ok := result.(types.String)
	if !ok {
		return nil
	}
	cost := uint64(len(text))
	for _, arg := range args {
		if text, ok := arg.(types.String); ok {
			cost += uint64(len(text))
		}
	}
	cost = cost/10 + 1 // as CEL counts its own
	return &cost
}

// activation gives a condition its variables.
type activation struct{ variables map[string]any }

// ResolveName returns a variable, with its numbers as CEL has them.
func (a *activation) ResolveName(name string) (any, bool) {
	value, ok := a.variables[name]
	if !ok || value == nil {
		return map[string]any{}, true
	}
	return plain(value), true
}

// Parent returns nil: there is no scope around.
func (a *activation) Parent() cel.Activation { return nil }

// plain turns what encoding/json gave as json.Number into a number. Most values hold none and are returned as they are.
func plain(value any) any {
	switch value := value.(type) {
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		number, err := value.Float64()
		if err != nil {
			return value.String()
		}
		return number
	case map[string]any:
		out := maps.Clone(value)
		for key := range out {
			out[key] = plain(out[key])
		}
		return out
	case []any:
		out := slices.Clone(value)
		for i := range out {
			out[i] = plain(out[i])
		}
		return out
	}
	return value
}

// base is what all conditions have in common. It is made for the first one: a gateway without conditions never pays for it.
var base = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		ext.Strings(ext.StringsVersion(3)),
		cel.CrossTypeNumericComparisons(true), // a JSON number is a double, and people write 3
		cel.ParserRecursionLimit(maxDepth),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(),
			cel.ValidateComprehensionNestingLimit(maxNested)),
	)
})

func environment(variables []string) (*cel.Env, error) {
	env, err := base()
	if err != nil {
		return nil, err
	}
	options := make([]cel.EnvOption, len(variables))
	for i, name := range variables {
		options[i] = cel.Variable(name, cel.MapType(cel.StringType, cel.DynType))
	}
	return env.Extend(options...)
}

// firstOf is the first mistake, in words for who wrote the condition.
func firstOf(text string, variables []string, issues *cel.Issues) *Error {
	first := issues.Errors()[0]
	e := &Error{Message: strings.TrimSuffix(first.Message, " (in container '')"), Line: max(first.Location.Line(), 1), Column: max(first.Location.Column(), 0) + 1}
	if name, ok := strings.CutPrefix(e.Message, "undeclared reference to "); ok {
		e.Message = "nothing is called " + strings.Replace(name, " (did you mean ", "; did you mean ", 1)
		if e.Message, ok = strings.CutSuffix(e.Message, "?)"); ok {
			e.Message += "?"
		} else {
			e.Message += "; known: " + strings.Join(variables, ", ")
		}
	}
	if rest, ok := strings.CutPrefix(e.Message, "Syntax error: "); ok {
		e.Message = syntax(rest)
	}
	e.Offset = offset(text, e.Line, e.Column)
	return e
}

// syntax says what the parser stumbled over, without the list of all that it would have taken instead.
func syntax(message string) string {
	for _, begin := range []string{"mismatched input ", "extraneous input ", "no viable alternative at input "} {
		rest, ok := strings.CutPrefix(message, begin)
		if !ok {
			continue
		}
		found, _, _ := strings.Cut(rest, " expecting ")
		if strings.HasSuffix(found, "<EOF>'") {
			return "the condition ends too early"
		}
		return "unexpected " + found
	}
	if rest, ok := strings.CutPrefix(message, "token recognition error at: "); ok {
		return "unexpected " + rest
	}
	if missing, ok := strings.CutSuffix(message, " at '<EOF>'"); ok {
		return missing + " at the end"
	}
	return message
}

// offset counts the bytes before a place.
func offset(text string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			return len(text)
		}
		at += next + 1
	}
	for i := range text[at:] {
		if column--; column == 0 {
			return at + i
		}
	}
	return len(text)
}

// kind names a type for people.
func kind(typ *types.Type) string {
	switch typ.Kind() {
	case types.StringKind:
		return "a string"
	case types.IntKind, types.UintKind, types.DoubleKind:
		return "a number"
	case types.ListKind:
		return "a list"
	case types.MapKind, types.StructKind:
		return "an object"
	}
	return typ.String()
}
