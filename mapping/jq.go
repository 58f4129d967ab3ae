package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/itchyny/gojq"
)

// Bounds of one run of a jq expression. The expression is the operator's, but what it runs over is anybody's.
const (
	jqTime    = time.Second
	jqOutputs = 100_000
	jqBytes   = 32 << 20  // of what it yields, as JSON
	jqDepth   = 1000      // of what it yields
	jqMemory  = 256 << 20 // by which the heap may grow meanwhile; others' work counts, so it is generous
	maxJQ     = 16 << 10  // of the expression
)

// program is a jq expression, compiled. It sees neither environment nor files nor modules, and is safe for concurrent use.
type program struct{ code *gojq.Code }

// programError says what is wrong with an expression, and at which byte of it.
type programError struct {
	offset        int
	message, hint string
}

func (e *programError) Error() string { return e.message }

// errBound is why a run was ended: it took more than one may.
var errBound = errors.New("too much")

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

// run yields what the expression makes of a value that was decoded with UseNumber. A number that is only handed on keeps
// its digits. The error is jq's own, or wraps errBound.
func (p *program) run(ctx context.Context, value any) (out []any, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("jq: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, jqTime)
	defer cancel()
	m := newMeter(ctx)
	size := 0
	for iter := p.code.RunWithContext(m, tame(value)); ; {
		next, ok := iter.Next()
		if !ok {
			return out, nil
		}
		if err, failed := next.(error); failed {
			return nil, m.explain(err)
		}
		if len(out) == jqOutputs {
			return nil, fmt.Errorf("it yields more than %d values: %w", jqOutputs, errBound)
		}
		if size += measure(next, 0, jqBytes-size); size > jqBytes {
			return nil, fmt.Errorf("it yields more than %s: %w", byteSize(jqBytes), errBound)
		}
		out = append(out, next)
	}
}

// measure estimates the bytes of a value as JSON, not much further than to limit. What nests too deeply has no end.
func measure(value any, depth, limit int) int {
	if depth > jqDepth {
		return jqBytes + 1
	}
	switch value := value.(type) {
	case string:
		return len(value) + 2
	case json.Number:
		return len(value)
	case []any:
		size := 2
		for _, item := range value {
			if size += 1 + measure(item, depth+1, limit-size); size > limit {
				break
			}
		}
		return size
	case map[string]any:
		size := 2
		for key, item := range value {
			if size += len(key) + 4 + measure(item, depth+1, limit-size); size > limit {
				break
			}
		}
		return size
	}
	return 4
}

// meter is the context of a run. gojq asks for Done before each of its steps, and so the meter sees how much memory the
// last ones took: [.[] | . + .] over and over fills any machine within the time that a run has.
type meter struct {
	context.Context
	steps int
	last  time.Time
	start uint64 // bytes on the heap
	full  bool
}

func newMeter(ctx context.Context) *meter {
	return &meter{Context: ctx, last: time.Now(), start: heapBytes()}
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is closed where the time is up or the memory used.
func (m *meter) Done() <-chan struct{} {
	if m.full {
		return closed
	}
	if m.steps++; m.steps%8 == 0 {
		// Whoever fills much memory needs time for it: after a few quick steps there is nothing to look for.
		if now := time.Now(); now.Sub(m.last) > 200*time.Microsecond {
			m.last = now
			if heap := heapBytes(); heap > m.start+jqMemory {
				m.full = true
				return closed
			}
		}
	}
	return m.Context.Done()
}

// Err says why Done is closed.
func (m *meter) Err() error {
	if m.full {
		return fmt.Errorf("it takes more than %s of memory: %w", byteSize(jqMemory), errBound)
	}
	return m.Context.Err()
}

// explain tells the end of the run's own time from the end of the call's.
func (m *meter) explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("it takes longer than %s: %w", jqTime, errBound)
	}
	return err
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
