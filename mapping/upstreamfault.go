package mapping

import (
	"cmp"
	"context"
	"net/http"

	"mcpgate/internal/fault"
)

// failed is an answer that is an error, with what is known of it.
type failed struct {
	status int
	header http.Header
	value  any // its JSON; nil where it has none
	found  detail
	rule   statusRule
	page   bool // it is a web page
}

// upstreamFault makes the fault of an answer: what the status says, what the upstream says, and what gateway.yaml says of
// that. Where the rules find several errors, the first is the fault, and the others are in its More.
func (t *Tool) upstreamFault(ctx context.Context, a failed) *fault.Fault {
	list := []upstreamError{{code: a.found.code, message: a.found.message, fields: a.found.fields}}
	if t.errors != nil {
		list = t.errors.read(ctx, a.value, a.found)
	}
	first := t.oneFault(a, list[0])
	for _, e := range list[1:] {
		first.More = append(first.More, t.oneFault(a, e))
	}
	return first
}

func (t *Tool) oneFault(a failed, e upstreamError) *fault.Fault {
	rule := a.rule
	if e.fault != "" {
		rule = toldRule(e.fault, a.rule)
	}
	f := fault.New(rule.code, t.statusMessage(a.status, a.header, t.clean(e.message)), nil)
	f.Hint, f.Retryable = rule.hint, rule.retryable
	f.Upstream = &fault.Upstream{
		Status: a.status, Code: cutText(t.clean(e.code), 100), RequestID: t.clean(requestID(a.header)),
	}
	for _, field := range e.fields[:min(len(e.fields), maxErrorFields)] {
		message := cmp.Or(field.Message, e.message)
		f.Fields = append(f.Fields, fault.Field{Path: t.clean(t.argumentOf(field.Path)), Message: cutText(t.clean(message), 300)})
	}
	if e.fault == "" {
		t.asRecord(f, a)
	}
	return f
}

// toldRule is the rule of a code that gateway.yaml chose; byStatus is what the status alone would mean.
func toldRule(code fault.Code, byStatus statusRule) statusRule {
	if code == byStatus.code {
		return byStatus
	}
	switch code {
	case fault.RateLimit, fault.Unavailable, fault.Timeout, fault.Server:
		return statusRule{code: code, retryable: true}
	case fault.CredentialsInvalid:
		return statusRuleOf(http.StatusUnauthorized)
	case fault.APIPermission:
		return statusRuleOf(http.StatusForbidden)
	case fault.NotFound:
		return statusRuleOf(http.StatusNotFound)
	case fault.RecordNotFound:
		return statusRule{code: code, hint: notFoundHint}
	case fault.Conflict:
		return statusRuleOf(http.StatusConflict)
	case fault.Validation:
		return statusRuleOf(http.StatusBadRequest)
	case fault.RecordValidation:
		return statusRule{code: code, hint: validationHint}
	case fault.RecordDuplicate:
		return statusRule{code: code, hint: "There is one already: look for it, and change that one if that is what you want."}
	case fault.TokenExpired, fault.TokenInvalid, fault.TokenRefreshFailed, fault.Token:
		return statusRule{code: code, hint: "The gateway's token for this API is not valid any more. Its operator has to renew it; other arguments won't help."}
	}
	return statusRule{code: code}
}

// asRecord says of a tool of records: what the API says of any resource.
func (t *Tool) asRecord(f *fault.Fault, a failed) {
	switch {
	case t.record == nil:
	case f.Code == fault.NotFound && t.record.one && !a.page:
		f.Code = fault.RecordNotFound
	case f.Code == fault.Validation && t.record.writes() && len(f.Fields) > 0 &&
		(a.status == http.StatusBadRequest || a.status == http.StatusUnprocessableEntity):
		f.Code = fault.RecordValidation
	}
}
