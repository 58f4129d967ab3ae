package mapping

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// maxErrors bounds how many errors of one answer are passed on.
const maxErrors = 20

// errorRules are errors: of an upstream, compiled.
type errorRules struct {
	message, code, fields, when *program
	faults                      []faultRule // the longest first
}

// faultRule says which fault a code of the upstream is.
type faultRule struct {
	code  *regexp.Regexp
	fault fault.Code
}

// upstreamError is one error of an answer, as the rules read it.
type upstreamError struct {
	code, message string
	fault         fault.Code // "" where the rules name none
	fields        []fault.Field
}

// tellable are the places of the tree that an upstream can speak of: the others are the gateway's own.
var tellable = []fault.Code{fault.API, fault.Record, fault.Authentication, fault.Permission, fault.Input, fault.TooLarge, fault.Unavailable}

// errorRules compiles errors: of an upstream; nil where it has none.
func (c *compilation) errorRules(u *config.Upstream) *errorRules {
	e, path := u.Errors, u.Path().Child("errors")
	rules := &errorRules{
		message: c.program(path.Child("message"), e.Message), code: c.program(path.Child("code"), e.Code),
		fields: c.program(path.Child("fields"), e.Fields), when: c.program(path.Child("when"), e.When),
	}
	var known []string
	for _, code := range fault.Codes() {
		if slices.ContainsFunc(tellable, func(above fault.Code) bool { return above.Contains(code) }) {
			known = append(known, string(code))
		}
	}
	byLength := func(a, b string) int {
		return cmp.Or(len(strings.ReplaceAll(b, "*", ""))-len(strings.ReplaceAll(a, "*", "")), strings.Count(a, "*")-strings.Count(b, "*"), cmp.Compare(a, b))
	}
	for _, code := range slices.SortedFunc(maps.Keys(e.Faults), byLength) {
		name := e.Faults[code]
		if !slices.Contains(known, name) {
			c.problem(path.Child("faults", code), cmp.Or(suggest(name, known), "there are "+listed(known)), "%q is no fault that an upstream can tell of", name)
			continue
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(code), `\*`, `.*`)
		rules.faults = append(rules.faults, faultRule{regexp.MustCompile(`(?s)^` + pattern + `$`), fault.Code(name)})
	}
	if rules.message == nil && rules.code == nil && rules.fields == nil && rules.when == nil && len(rules.faults) == 0 {
		return nil
	}
	return rules
}

// faultOf returns what a code of the upstream is; "" where nothing says so.
func (r *errorRules) faultOf(code string) fault.Code {
	if r == nil || code == "" {
		return ""
	}
	for _, rule := range r.faults {
		if rule.code.MatchString(code) {
			return rule.fault
		}
	}
	return ""
}

// isError reports whether a 2xx answer is an error all the same. A condition that an answer does not fit, such as
// .error of a list, does not hold; one that comes to no end is a fault.
func (r *errorRules) isError(ctx context.Context, value any) (bool, error) {
	values, err := r.when.run(ctx, value)
	if errors.Is(err, errBound) || ctx.Err() != nil {
		return false, err
	}
	return err == nil && len(values) > 0 && values[0] != nil && values[0] != false, nil
}

// read returns the errors that the rules find in an answer. What the rules don't find, found without them, completes a
// single error.
func (r *errorRules) read(ctx context.Context, value any, found detail) []upstreamError {
	codes, messages := r.code.texts(ctx, value), r.message.texts(ctx, value)
	list := make([]upstreamError, min(max(len(codes), len(messages), 1), maxErrors))
	for i := range list {
		if i < len(codes) {
			list[i].code = codes[i]
		}
		if i < len(messages) {
			list[i].message = messages[i]
		}
	}
	if len(list) == 1 {
		list[0].code, list[0].message = cmp.Or(list[0].code, found.code), cmp.Or(list[0].message, found.message)
	}
	fields := r.fields.fields(ctx, value)
	for i := range list {
		list[i].fault = r.faultOf(list[i].code)
		if len(fields) == len(list) { // a value for each error
			list[i].fields = fields[i]
		}
	}
	if len(fields) != len(list) {
		list[0].fields = slices.Concat(fields...)
	}
	if len(fields) == 0 {
		for _, field := range found.fields {
			owner := max(slices.IndexFunc(list, func(e upstreamError) bool { return e.message == field.Message }), 0)
			list[owner].fields = append(list[owner].fields, field)
		}
	}
	return list
}

// texts are the values that an expression yields, as texts; none where the answer does not fit it. A nil program yields
// nothing.
func (p *program) texts(ctx context.Context, value any) []string {
	if p == nil {
		return nil
	}
	values, err := p.run(ctx, value)
	if err != nil {
		return nil
	}
	var out []string
	for _, v := range values[:min(len(values), maxErrors)] {
		switch v := v.(type) {
		case nil:
			if len(values) > 1 { // what belongs together has one place in each list
				out = append(out, "")
			}
		case string:
			out = append(out, oneLine(v))
		default:
			out = append(out, oneLine(compactJSON(v)))
		}
	}
	return out
}

// fields reads each value that an expression yields as fields: names, lists of names, {path, message}, or {name: message}.
func (p *program) fields(ctx context.Context, value any) [][]fault.Field {
	if p == nil {
		return nil
	}
	values, err := p.run(ctx, value)
	if err != nil {
		return nil
	}
	var out [][]fault.Field
	for _, v := range values[:min(len(values), maxErrors)] {
		var d detail
		d.addFields(v)
		out = append(out, d.fields)
	}
	return out
}

func (d *detail) addFields(value any) {
	switch value := value.(type) {
	case string:
		if name := plainField(value); name != "" {
			d.fields = append(d.fields, fault.Field{Path: name})
		}
	case []any:
		for _, item := range value {
			d.addFields(item)
		}
	case map[string]any:
		before := len(d.fields)
		if d.readObject(value, true, 0); len(d.fields) > before {
			return
		}
		if perField(value) {
			d.readPerField(value)
		} else if name := plainField(textOf(value, itemFieldNames)); name != "" {
			d.fields = append(d.fields, fault.Field{Path: name})
		}
	}
}

// toldError is the fault of a 2xx answer that errors.when says is none of success; nil of any other.
func (t *Tool) toldError(ctx context.Context, page Page) error {
	if t.errors == nil || t.errors.when == nil || !isJSON(page.MediaType) || len(page.Body) == 0 {
		return nil
	}
	value, ok := decodeLoosely(page.Body)
	if !ok {
		return nil
	}
	is, err := t.errors.isError(ctx, value)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		f := fault.New(fault.ConfigurationInvalid, fmt.Sprintf("%s answered %d, and errors.when of the gateway's file can't say whether that is an error: %v",
			t.Upstream, page.Status, err), err)
		f.Hint = "The operator of the gateway has to mend errors.when. What the call was to do may have been done."
		f.Upstream = &fault.Upstream{Status: page.Status, RequestID: t.clean(requestID(page.Header))}
		return f
	}
	if !is {
		return nil
	}
	return t.upstreamFault(ctx, failed{
		status: page.Status, header: page.Header, value: value, found: readDetail(page.Body, page.MediaType),
		rule: statusRule{code: fault.API, hint: t.partlyDone()},
	})
}

// partlyDone is what to think of an error that came with the status of a success.
func (t *Tool) partlyDone() string {
	if t.Annotations.ReadOnly {
		return ""
	}
	return "A part of it may have been carried out: look before you call again."
}

// TellsOf returns the fault that errors.faults of gateway.yaml makes of an answer, before it is read: who decides about
// another attempt has to know. "" where nothing is told. The answer can be read afterwards as if nobody had.
func (t *Tool) TellsOf(resp *http.Response) fault.Code {
	success := resp.StatusCode >= 200 && resp.StatusCode <= 299
	if t.errors == nil || len(t.errors.faults) == 0 || success && t.errors.when == nil {
		return ""
	}
	raw, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), failedReader{err}))
	if err != nil {
		return "" // whoever reads the answer finds the same
	}
	copied := *resp
	copied.Body = io.NopCloser(bytes.NewReader(raw))
	_, err = t.ReadPage(&copied)
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || f.Upstream == nil || t.errors.faultOf(f.Upstream.Code) != f.Code {
		return ""
	}
	return f.Code
}

// failedReader ends a body as its first reader saw it end.
type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	return 0, io.EOF
}
