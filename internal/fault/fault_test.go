package fault

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestCodesAreATree(t *testing.T) {
	tests := []struct {
		above, below Code
		want         bool
	}{
		{Authentication, Authentication, true},
		{Authentication, Token, true},
		{Authentication, TokenExpired, true},
		{Token, TokenExpired, true},
		{Token, Authentication, false},
		{Token, CredentialsInvalid, false},
		{TokenExpired, TokenInvalid, false},
		{API, RateLimit, true},
		{API, APIPermission, true},
		{Permission, APIPermission, false},
		{NotFound, RecordNotFound, false},
		{Gateway, Internal, true},
		{Gateway, Gateway, true},
		{Internal, Gateway, false},
		{"api", "apiary", false},
	}
	for _, test := range tests {
		if got := test.above.Contains(test.below); got != test.want {
			t.Errorf("%s contains %s: %v", test.above, test.below, got)
		}
		err := fmt.Errorf("wrapped: %w", New(test.below, "message", nil))
		if got := errors.Is(err, test.above); got != test.want {
			t.Errorf("errors.Is(%s, %s): %v", test.below, test.above, got)
		}
	}
}

func TestFaultKeepsItsCauseToItself(t *testing.T) {
	f := New(Connection, "the upstream refused", fmt.Errorf("dial 10.0.0.1: %w", context.DeadlineExceeded))
	if f.Error() != "the upstream refused" || fmt.Sprintf("%v %s", f, f) != "the upstream refused the upstream refused" {
		t.Errorf("%v", f)
	}
	if !errors.Is(f, context.DeadlineExceeded) || errors.Is(f, context.Canceled) {
		t.Error("the cause is not found")
	}
}

func TestFrom(t *testing.T) {
	inner := New(RateLimit, "slow down", nil)
	if From(fmt.Errorf("wrapped: %w", inner)) != inner {
		t.Error("a wrapped fault is not found")
	}
	if outer := New(Record, "outer", inner); From(outer) != outer {
		t.Error("the outermost fault is what counts")
	}
	plain := errors.New("dial 10.0.0.1")
	got := From(plain)
	if got.Code != Internal || !errors.Is(got, plain) || strings.Contains(got.Error(), "10.0.0.1") {
		t.Errorf("%+v", got)
	}
}

func TestCodeOf(t *testing.T) {
	if got := CodeOf(nil); got != "" {
		t.Error(got)
	}
	if got := CodeOf(errors.New("x")); got != Internal {
		t.Error(got)
	}
	if got := CodeOf(fmt.Errorf("x: %w", New(Conflict, "m", nil))); got != Conflict {
		t.Error(got)
	}
}

// Every code but a root has its parent in the tree, and none stands there twice.
func TestEveryCodeHasItsParent(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if named, ok := spec.Type.(*ast.Ident); !ok || named.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || codes[text] {
			t.Errorf("%s: %v, or said twice", text, err)
		}
		codes[text] = true
		return true
	})
	if len(codes) < 30 {
		t.Fatalf("only %d codes were found", len(codes))
	}
	listed := Codes()
	if len(listed) != len(codes) || !slices.IsSorted(listed) {
		t.Errorf("Codes has %d of %d codes, or not in order", len(listed), len(codes))
	}
	for code := range codes {
		if !slices.Contains(listed, Code(code)) {
			t.Errorf("Codes has no %s", code)
		}
		if i := strings.LastIndex(code, "."); i > 0 && !codes[code[:i]] {
			t.Errorf("%s has no parent", code)
		}
	}
}

// FuzzContains: the codes are a partial order with Gateway at its top, whatever they are called.
func FuzzContains(f *testing.F) {
	f.Add("api", "api.timeout", "api.timeout.read")
	f.Add("api", "apiary", "")
	f.Add("gateway", "internal", ".")
	f.Fuzz(func(t *testing.T, x, y, z string) {
		a, b, c := Code(x), Code(y), Code(z)
		if !a.Contains(a) || !Gateway.Contains(a) {
			t.Errorf("%q is not in itself or in the root", a)
		}
		if a.Contains(b) && b.Contains(c) && !a.Contains(c) {
			t.Errorf("%q contains %q, which contains %q", a, b, c)
		}
		if a.Contains(b) && b.Contains(a) && a != b {
			t.Errorf("%q and %q contain each other", a, b)
		}
		if got := errors.Is(New(b, "", nil), a); got != a.Contains(b) {
			t.Errorf("errors.Is(%q, %q) is %v", b, a, got)
		}
	})
}
