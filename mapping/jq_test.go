package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/itchyny/gojq"
)

// evaluate runs an expression over JSON text, and returns what it yields, as JSON texts.
func evaluate(t *testing.T, expression, input string) ([]string, error) {
	t.Helper()
	p, err := compileProgram(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	value, ok := decodeLoosely([]byte(input))
	if !ok {
		t.Fatalf("%s is no JSON", input)
	}
	values, err := p.run(t.Context(), value)
	var out []string
	for _, v := range values {
		text, marshalErr := gojq.Marshal(v)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		out = append(out, string(text))
	}
	return out, err
}

// What docs/responses.md says of numbers.
func TestJQNumbers(t *testing.T) {
	tests := []struct{ expression, input, want string }{
		{".", "12345678901234567890", "12345678901234567890"},
		{".", "1.50", "1.50"},
		{".", "1e400", "1e400"},
		{"{a: .[0]}", "[0.1000000000000000055511151231257827]", `{"a":0.1000000000000000055511151231257827}`},
		{". + 1", "9007199254740993", "9007199254740994"},
		{". + 1", "12345678901234567890", "12345678901234567891"},
		{". * 2", "1.50", "3"},
		{". * 3", "[1]", ""},
		{".a * .b", `{"a": 12345678901234567890, "b": 10}`, "123456789012345678900"},
		{".a *= 3 | .a", `{"a": 14}`, "42"},
		{`. * 3`, `"ab"`, `"ababab"`},
		{`{a: 1} * {b: 2}`, "null", `{"a":1,"b":2}`},
		{"tonumber + 1", `"41"`, "42"},
		{"tostring", "1.50", `"1.50"`},
		{"keys", `{"b": 1, "a": 2}`, `["a","b"]`},
		{".", `{"b": 1, "a": 2}`, `{"a":2,"b":1}`},
		{".", strings.Repeat("9", 2000), `"` + strings.Repeat("9", 2000) + `"`},
	}
	for _, test := range tests {
		got, err := evaluate(t, test.expression, test.input)
		if test.want == "" {
			if err == nil {
				t.Errorf("%s of %s: %s, want an error", test.expression, test.input, got)
			}
			continue
		}
		if err != nil || len(got) != 1 || got[0] != test.want {
			t.Errorf("%s of %s: %s, %v, want %s", test.expression, test.input, got, err, test.want)
		}
	}
}

// Whatever an expression does with whatever answer, it ends soon, and with an error that is no answer.
func TestJQBounds(t *testing.T) {
	long := `{"price": "` + strings.Repeat("x", 1000) + `", "quantity": 2000000000, "digits": "` + strings.Repeat("1", 1<<20) + `"}`
	tests := []struct {
		name, expression, want string
		bound                  bool
	}{
		{"no end", "def f: f; f", "takes longer than 1s", true},
		{"many values", "range(1000000)", "more than 100000 values", true},
		{"many bytes", `range(1000) | "` + strings.Repeat("x", 10000) + `" * 10`, "more than 32 MiB", true},
		{"much memory", `[limit(40; repeat(1))] | reduce .[] as $i ("xxxxxxxx"; . + .)`, "it takes", true},
		{"a text times a number", ".price * .quantity", "longer than 16 MiB", false},
		{"a text times a number, assigned", ".price *= 2000000000", "longer than 16 MiB", false},
		{"a text within a text", `"\(.price * .quantity)"`, "longer than 16 MiB", false},
		{"in a function", "def f: .price * .quantity; [f]", "longer than 16 MiB", false},
		{"long products", "reduce range(100) as $i (3; . * .)", "can't be multiplied", false},
		{"many digits", ".digits | tonumber", "no number", false},
		{"deep", "reduce range(5000) as $i (0; [.])", "more than 32 MiB", true},
		{"halt", "halt", "halt", false},
		{"its own error", `error("no")`, "no", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			_, err := evaluate(t, test.expression, long)
			if errors.Is(err, errBound) && strings.Contains(err.Error(), "takes longer") && test.bound {
				return // on a slow machine the time is over before anything else is
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, errBound) != test.bound {
				t.Errorf("%v, want %s", err, test.want)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

// The call's own end is not the expression's fault.
func TestJQCancelled(t *testing.T) {
	p, err := compileProgram("def f: f; f")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.run(ctx, nil); !errors.Is(err, context.Canceled) || errors.Is(err, errBound) {
		t.Error(err)
	}
}

// One compiled expression serves many calls at once.
func TestJQConcurrently(t *testing.T) {
	p, err := compileProgram(`[.items[] | {id, n: (.n * 2)}] | sort_by(.n) | .[0].id`)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 8 {
		go func() {
			for range 50 {
				value, _ := decodeLoosely([]byte(`{"items": [{"id": "b", "n": 2}, {"id": "a", "n": 1}]}`))
				values, err := p.run(context.Background(), value)
				if err == nil && (len(values) != 1 || values[0] != "a") {
					err = errors.New("wrong value")
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A mistake is placed where it is.
func TestJQMistakes(t *testing.T) {
	tests := []struct {
		expression, at, message, hint string
	}{
		{".a | frist(.[])", "frist(.[])", "function not defined: frist/1", `did you mean "first"?`},
		{".env | env.HOME", "env.HOME", "env and $ENV are not available here", "${NAME}"},
		{".inputs | [inputs]", "inputs]", "not allowed", "the whole answer"},
		{".a[", "", "ends too early", ""},
		{".a | | .b", "| .b", `unexpected token "|"`, ""},
		{`"\(.a`, "", "ends too early", ""},
		{".a $x", "$x", `unexpected token`, ""},
		{"debug", "debug", "function not defined", ""},
		{strings.Repeat(".", maxJQ+1), strings.Repeat(".", maxJQ+1), "longer than 16 KiB", ""},
	}
	for _, test := range tests {
		_, err := compileProgram(test.expression)
		wrong, ok := errors.AsType[*programError](err)
		if !ok || !strings.Contains(wrong.message, test.message) || !strings.Contains(wrong.hint, test.hint) {
			t.Errorf("%.50s: %+v", test.expression, err)
		} else if got := test.expression[wrong.offset:]; got != test.at {
			t.Errorf("%.50s: the mistake is said to be at %q", test.expression, got)
		}
	}
}

// FuzzJQ: no expression over no answer takes longer than a run may, yields more than one may, or panics; and what it
// yields is JSON.
func FuzzJQ(f *testing.F) {
	for _, expression := range []string{
		".", ".a * .b", ".[] | tonumber", "[range(.a)]", "def f: f; f", "repeat(.)", "reduce range(99) as $i (.; . * .)",
		"[.[] | . + .]", "tojson | fromjson", `gsub("x"; "yy")`, ".a *= .b", "[paths]", "getpath([\"a\"]) |= . + .", "@base64", "splits(\"a\")",
		"limit(5; repeat(.[] * 2))", "group_by(.a)", "input", "$ENV", "ltrimstr(\"a\")", "walk(.)", "[recurse]", "flatten", "halt",
	} {
		f.Add(expression, `{"a": 3, "b": "x", "c": [1, 2.50, null, {"d": 1e400}]}`)
		f.Add(expression, `["1", 2, 12345678901234567890]`)
	}
	f.Fuzz(func(t *testing.T, expression, input string) {
		if len(expression) > 200 || len(input) > 10000 {
			return
		}
		p, err := compileProgram(expression)
		if err != nil {
			if wrong, ok := errors.AsType[*programError](err); !ok || wrong.message == "" || wrong.offset < 0 || wrong.offset > len(expression) {
				t.Fatalf("%q: %+v", expression, err)
			}
			return
		}
		value, ok := decodeLoosely([]byte(input))
		if !ok {
			return
		}
		start := time.Now()
		values, err := p.run(t.Context(), value)
		if took := time.Since(start); took > 10*jqTime {
			t.Fatalf("%q took %s", expression, took)
		}
		if err != nil {
			return
		}
		if len(values) > jqOutputs {
			t.Fatalf("%d values", len(values))
		}
		size := 0
		for _, v := range values {
			text, err := gojq.Marshal(v)
			if err != nil || !json.Valid(text) {
				t.Fatalf("%q yields %.100q: %v", expression, text, err)
			}
			size += len(text)
		}
		if size > 8*jqBytes { // measure counts a character as one, and JSON writes some as six
			t.Fatalf("%d bytes", size)
		}
	})
}

// TestReasonQuotesNothing: why an expression does not fit tells nothing of the answer, which it may keep back.
func TestReasonQuotesNothing(t *testing.T) {
	const answer = `[{"password": "hunter2"}, "hunter2 ("]`
	for expression, want := range map[string]string{
		`getpath(["a", "b"])`:                "getpath cannot be applied to what is there",
		`.[1000000000] = 1`:                  "setpath cannot be applied to what is there",
		`.[1] | @base64d`:                    "@base64d cannot be applied to what is there",
		`.[1] | fromjson`:                    "fromjson cannot be applied to what is there",
		`ltrimstr(.[1])`:                     "ltrimstr cannot be applied to: array",
		`.[1] as $x | [1] | test($x)`:        "test cannot be applied to: array",
		`.[0] + .[1]`:                        "cannot add: object",
		`.password`:                          "expected an object but got: array",
		`.[0] | error("as the author says")`: "error: as the author says",
	} {
		_, err := evaluate(t, expression, answer)
		if err == nil {
			t.Errorf("%s fits", expression)
			continue
		}
		if got := unquotedReason(err); got != want {
			t.Errorf("%s: %s\nwant %s", expression, got, want)
		}
	}
}
