package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// maxJQ bounds an expression, in bytes.
const maxJQ = 16 << 10

// program is a jq expression, compiled. It sees neither environment nor files nor modules, and is safe for concurrent use.
type program struct{ code *gojq.Code }

// programError says what is wrong with an expression, and at which byte of it.
type programError struct {
	offset        int
	message, hint string
}

func (e *programError) Error() string { return e.message }

// compileProgram compiles an expression. The error is a *programError.
func compileProgram(text string) (*program, error) {
	if len(text) > maxJQ {
		return nil, &programError{message: fmt.Sprintf("this expression is longer than %s", byteSize(maxJQ))}
	}
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, syntaxError(text, err)
	}
	bounded(reflect.ValueOf(query))
	var environment bool
	code, err := gojq.Compile(query,
		gojq.WithEnvironLoader(func() []string { environment = true; return nil }),
		gojq.WithFunction("_times", 2, 2, times),
		gojq.WithFunction("_tonumber", 0, 0, toNumber))
	switch {
	case err != nil:
		return nil, meaningError(text, err)
	case environment:
		return nil, &programError{offset: max(offsetOf(text, "env", "$ENV"), 0), message: "env and $ENV are not available here",
			hint: "${NAME} of gateway.yaml puts a variable into the expression"}
	}
	return &program{code}, nil
}

// syntaxError places what gojq could not parse.
func syntaxError(text string, err error) error {
	out := &programError{message: "this is not jq: " + err.Error()}
	if failed, ok := errors.AsType[*gojq.ParseError](err); ok {
		out.offset = min(max(failed.Offset-len(failed.Token), 0), len(text))
		if out.offset == len(text) || failed.Token == "" {
			out.message, out.offset = "this is not jq: it ends too early", len(strings.TrimRight(text, " \n"))
		}
	}
	return out
}

var missingName = regexp.MustCompile(`(?:function|variable) not defined: (\$?[A-Za-z_0-9:]+)`)

// meaningError places a name that jq does not know, or that is not to be used here.
func meaningError(text string, err error) error {
	out := &programError{message: err.Error()}
	if found := missingName.FindStringSubmatch(err.Error()); found != nil {
		out.offset = max(offsetOf(text, found[1]), 0)
		if len(found[1]) > 3 {
			out.hint = suggest(found[1], builtins())
		}
	} else if strings.Contains(err.Error(), "input") {
		out.offset = max(offsetOf(text, "inputs", "input"), 0)
		out.hint = ". is the whole answer"
	}
	return out
}

// offsetOf returns where one of the names stands as a word of its own and not as a field, -1 where none does.
func offsetOf(text string, names ...string) int {
	for _, name := range names {
		for at := 0; ; {
			i := strings.Index(text[at:], name)
			if i < 0 {
				break
			}
			at += i
			end := at + len(name)
			before := at == 0 || !isWordByte(text[at-1]) && text[at-1] != '.'
			if before && (end == len(text) || !isWordByte(text[end])) {
				return at
			}
			at = end
		}
	}
	return -1
}

func isWordByte(b byte) bool {
	return b == '_' || b == '$' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// builtins are the functions that jq has.
var builtins = sync.OnceValue(func() []string {
	var names []string
	query, err := gojq.Parse("builtins | .[]")
	if err != nil {
		return nil
	}
	for iter := query.Run(nil); ; {
		value, ok := iter.Next()
		if !ok {
			return slices.Compact(slices.Sorted(slices.Values(names)))
		}
		if text, ok := value.(string); ok {
			name, _, _ := strings.Cut(text, "/")
			names = append(names, name)
		}
	}
})
