package mapping

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"mcpgate/config"
	"mcpgate/internal/fault"
)

// nothingSelected is said where response.select yields no value.
const nothingSelected = "response.select of gateway.yaml takes nothing out of this answer"

// selection is the jq expression of a tool's response.select.
func (c *compilation) selection(p *plan) *program {
	text, path := p.entry.Response.Select, p.path.Child("response", "select")
	if text == "" {
		text, path = p.upstream.Response.Select, p.upstream.Path().Child("response", "select")
	}
	return c.program(path, text)
}

// program compiles an expression of gateway.yaml; nil where there is none, or where it is a problem.
func (c *compilation) program(path config.Path, text string) *program {
	if text == "" {
		return nil
	}
	if known, ok := c.programs[text]; ok && known != nil {
		return known
	}
	out, err := compileProgram(text)
	if wrong, ok := errors.AsType[*programError](err); ok {
		c.report(c.cfg.ProblemWithin(path, wrong.offset, wrong.message, wrong.hint))
	}
	c.programs[text] = out
	return out
}

// selected is what response.select makes of an answer, and what is to be said of it. data is valid JSON. One value comes
// back as it is, several as a list, none as null. An answer that the expression does not fit is a fault: what it takes
// out may be what the model must not see, so the whole is no way out.
func (t *Tool) selected(ctx context.Context, status int, data []byte) (json.RawMessage, string, error) {
	if t.selection == nil {
		return data, "", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, "", t.selectFault(status, err)
	}
	values, err := t.selection.run(ctx, value)
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	if err != nil {
		return nil, "", t.selectFault(status, err)
	}
	var out any = values
	switch len(values) {
	case 0:
		return json.RawMessage("null"), nothingSelected, nil
	case 1:
		out = values[0]
	}
	text, err := gojq.Marshal(out)
	if err != nil {
		return nil, "", t.selectFault(status, err)
	}
	return text, "", nil
}

// selectFault is the fault of an expression that an answer does not fit.
func (t *Tool) selectFault(status int, cause error) error {
	message := fmt.Sprintf("%s answered %d, but response.select of the gateway's file does not fit the answer: %s", t.Upstream,
		status, cutText(t.clean(unquotedReason(cause)), 300))
	f := fault.New(fault.ConfigurationInvalid, message, cause)
	f.Hint = "The call was carried out: do not repeat it for this. The operator of the gateway has to mend response.select."
	if t.Annotations.ReadOnly {
		f.Hint = "The operator of the gateway has to mend response.select; other arguments may bring an answer that it fits."
	}
	f.Upstream = &fault.Upstream{Status: status}
	return f
}

// unquotedReason is why jq failed without what it quotes of the answer: behind a parenthesis, and in "setpath(...) cannot
// be applied to ...: ...". What the expression itself says with error is its author's.
func unquotedReason(err error) string {
	text := err.Error()
	function, what, applied := strings.Cut(text, " cannot be applied to")
	if !applied {
		reason, _, _ := strings.Cut(text, " (")
		return reason
	}
	function, _, _ = strings.Cut(function, "(")
	what, isType := strings.CutPrefix(what, ": ")
	if !isType {
		return function + " cannot be applied to what is there"
	}
	what, _, _ = strings.Cut(what, " (")
	return function + " cannot be applied to: " + what
}
