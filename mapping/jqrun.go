package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/metrics"
	"time"
)

// Bounds of one run of a jq expression. The expression is the operator's, but what it runs over is anybody's.
const (
	jqTime    = time.Second
	jqOutputs = 100_000
	jqBytes   = 32 << 20  // of what it yields, as JSON
	jqDepth   = 1000      // of what it yields
	jqMemory  = 256 << 20 // by which the heap may grow meanwhile; others' work counts, so it is generous
)

// errBound is why a run was ended: it took more than one may.
var errBound = errors.New("too much")

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
