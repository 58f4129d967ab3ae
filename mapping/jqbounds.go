package mapping

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"github.com/itchyny/gojq"
)

// The steps of jq that take as much time or memory as their arguments say, and not as these are long, so that an answer
// such as {"price": "xxxxxxxx", "quantity": 200000000} would be enough to fill a machine: a text times a number, products
// of long numbers, and the reading of numbers with millions of digits. bounded puts functions of our own in their place.

const (
	maxRepeated = 16 << 20 // bytes of a text times a number
	maxDigits   = 1000     // of a number that is calculated with
)

// bounded rewrites a parsed expression in place.
func bounded(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		bounded(v.Elem())
		switch node := v.Interface().(type) {
		case *gojq.Query:
			boundProduct(node)
		case *gojq.Func:
			if node.Name == "tonumber" && len(node.Args) == 0 {
				node.Name = "_tonumber"
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				bounded(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			bounded(v.Index(i))
		}
	}
}

// boundProduct makes _times(a; b) of a * b, and b as $x | a |= _times(.; $x) of a *= b.
func boundProduct(q *gojq.Query) {
	call := func(name string, args ...*gojq.Query) *gojq.Query {
		return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
	}
	switch q.Op {
	case gojq.OpMul:
		product := call("_times", q.Left, q.Right)
		product.Meta, product.Imports, product.FuncDefs = q.Meta, q.Imports, q.FuncDefs
		*q = *product
	case gojq.OpUpdateMul:
		const factor = "$__factor"
		identity := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
		q.Left, q.Right = q.Right, &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: call("_times", identity, call(factor))}
		q.Op, q.Patterns = gojq.OpPipe, []*gojq.Pattern{{Name: factor}}
	}
}

// multiply and readNumber are jq's own, for arguments that are known to be short.
var (
	multiply   = mustCompile(".[0] * .[1]")
	readNumber = mustCompile("tonumber")
)

func mustCompile(text string) *gojq.Code {
	query, err := gojq.Parse(text)
	if err != nil {
		panic(err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		panic(err)
	}
	return code
}

// apply runs a compiled expression that yields one value.
func apply(code *gojq.Code, value any) any {
	out, _ := code.Run(value).Next()
	return out
}

// times is the operator *.
func times(_ any, args []any) any {
	for i, factor := range args {
		if text, ok := factor.(string); ok {
			if n, ok := gojq.ToFloat64(args[1-i]); ok && n*float64(len(text)) > maxRepeated {
				return fmt.Errorf("a text times %v is longer than %s", args[1-i], byteSize(maxRepeated))
			}
		}
		if n, ok := factor.(*big.Int); ok && n.BitLen() > 4*maxDigits {
			return fmt.Errorf("a number of more than %d digits can't be multiplied", maxDigits)
		}
	}
	return apply(multiply, args)
}

// toNumber is the function tonumber.
func toNumber(value any, _ []any) any {
	if text, ok := value.(string); ok && len(text) > maxDigits {
		return fmt.Errorf("a text of more than %d characters is no number", maxDigits)
	}
	return apply(readNumber, value)
}

// tame replaces the numbers that no calculation comes to an end with: their digits are kept, as a text. It changes
// value, which is a decoded answer that nobody else has.
func tame(value any) any {
	switch v := value.(type) {
	case json.Number:
		if len(v) > maxDigits {
			return strings.Clone(v.String())
		}
	case []any:
		for i, item := range v {
			v[i] = tame(item)
		}
	case map[string]any:
		for key, item := range v {
			if changed, ok := item.(json.Number); !ok || len(changed) > maxDigits {
				v[key] = tame(item)
			}
		}
	}
	return value
}
