package mapping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"mcpgate/internal/fault"
)

const (
	// maxErrorBody is how much of an error's body is read: its message lies at the beginning.
	maxErrorBody = 64 << 10
	// maxDetail bounds what of an upstream's message is passed on, in bytes.
	maxDetail = 2 << 10
	// maxErrorFields bounds how many fields of an upstream's message are passed on.
	maxErrorFields = 20
)

// statusFault turns an answer whose status is not a success into a fault, with what the upstream says about it. Where the
// body breaks off, what came of it is taken: the status alone says that the call failed.
func (t *Tool) statusFault(resp *http.Response) error {
	var body []byte
	if reader, err := t.uncompressed(resp); err == nil {
		body, err = io.ReadAll(io.LimitReader(reader, maxErrorBody))
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("reading the answer of %s: %w", t.Upstream, err)
		}
	}
	contentType := resp.Header.Get("Content-Type")
	text := toUTF8(body, contentType)
	failure := failed{
		status: resp.StatusCode, header: resp.Header, found: readDetail(text, baseType(contentType)),
		rule: statusRuleOf(resp.StatusCode), page: looksLikeHTML(body),
	}
	if t.errors != nil {
		failure.value, _ = decodeLoosely(text)
	}
	if resp.StatusCode == http.StatusNotFound && failure.page {
		failure.rule.hint = "The answer is a web page and not the API's: what this tool calls may not be there at all. The operator of the gateway should check base_url."
	}
	return t.upstreamFault(contextOf(resp), failure)
}

// contextOf is the context of the call that an answer belongs to.
func contextOf(resp *http.Response) context.Context {
	if resp.Request == nil {
		return context.Background()
	}
	return resp.Request.Context()
}

// statusMessage is `petstore answered 404 Not Found: no such pet`.
func (t *Tool) statusMessage(status int, header http.Header, detail string) string {
	message := strings.TrimSpace(fmt.Sprintf("%s answered %d %s", t.Upstream, status, http.StatusText(status)))
	if 300 <= status && status < 400 && header.Get("Location") != "" {
		message += ", a redirect that the gateway does not follow"
	}
	if 200 <= status && status < 300 { // errors.when says so
		message += ", which is an error all the same"
	}
	if detail == "" || strings.HasSuffix(message, " "+detail) { // a page of nginx says the status once more
		return message
	}
	return message + ": " + cutText(detail, maxDetail)
}

// secretHeader finds the headers of gateway.yaml that hold a secret: what Accept-Language says must not be blackened in
// a message.
var secretHeader = regexp.MustCompile(`(?i)auth|key|token|secret|cookie|pass|sign|credential|session`)

// clean masks secrets: those that look like one, and those that this tool itself sends.
func (t *Tool) clean(text string) string {
	var known []string
	for _, header := range t.template.static {
		if secretHeader.MatchString(header.name) {
			known = append(known, header.value.Reveal())
		}
	}
	return maskSecrets(text, known...)
}

// argumentOf returns the client's name of what the upstream calls by its own.
func (t *Tool) argumentOf(wire string) string {
	for i, place := range [][]slot{t.template.bodySlots(), t.template.query, t.template.segments, t.template.headers} {
		for _, slot := range place {
			if slot.argument != "" && (strings.EqualFold(slot.name, wire) || strings.EqualFold(dotted(slot.within, slot.name), wire)) {
				return slot.argument
			}
		}
		for _, slot := range place {
			if inner, ok := inside(dotted(slot.within, slot.name), wire); ok && slot.argument != "" {
				return slot.said(slot.argument + cutText(inner, 100))
			}
		}
		if i == 0 && t.template.body.holds(wire) {
			body := t.template.body
			return slot{argument: body.whole, edits: body.edits}.said(body.whole + "." + cutText(wire, 100))
		}
	}
	return cutText(wire, 100)
}

// inside returns the rest of a path that leads into what has a name: .city of address.city, [0].sku of lines[0].sku.
func inside(name, path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, name)
	return rest, ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// holds reports whether a body that is one argument has what the upstream calls by a name or a path: items[0].sku.
func (b *bodyTemplate) holds(wire string) bool {
	first := wire
	if end := strings.IndexAny(wire, ".["); end > 0 {
		first = wire[:end]
	}
	return b != nil && b.whole != "" && slices.Contains(b.members, first)
}

func (t *template) bodySlots() []slot {
	if t.body == nil {
		return nil
	}
	return t.body.properties
}

const (
	notFoundHint   = "Check the ids among the arguments; a list or search tool shows which exist."
	validationHint = "Change the arguments that the message names, and call again."
)

// statusRule says what a status means for the model.
type statusRule struct {
	code      fault.Code
	retryable bool // the same call may succeed later
	hint      string
}

func statusRuleOf(status int) statusRule {
	switch status {
	case http.StatusUnauthorized:
		return statusRule{fault.CredentialsInvalid, false, "This API refused the gateway's own credential, or wants one. The operator of the gateway has to mend that; other arguments won't."}
	case http.StatusForbidden, http.StatusUnavailableForLegalReasons, http.StatusPaymentRequired:
		return statusRule{fault.APIPermission, false, "The account that the gateway uses may not do this."}
	case http.StatusNotFound:
		return statusRule{fault.NotFound, false, notFoundHint}
	case http.StatusMultipleChoices: // of Salesforce's upsert
		return statusRule{fault.Conflict, false, "Several things match: name the one that is meant by its own id."}
	case http.StatusRequestTimeout:
		return statusRule{fault.Timeout, true, ""}
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return statusRule{fault.Conflict, false, "Read the record again, then decide."}
	case http.StatusTooManyRequests:
		return statusRule{fault.RateLimit, true, ""}
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return statusRule{fault.Validation, false, validationHint}
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusLoopDetected:
		return statusRule{fault.Server, false, ""}
	}
	switch {
	case status >= 500:
		return statusRule{fault.Server, true, ""}
	case status >= 400:
		return statusRule{fault.Validation, false, ""}
	}
	return statusRule{fault.UnexpectedResponse, false, ""}
}

// requestID returns the id by which the upstream's support finds the request.
func requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id", "Correlation-Id", "X-Amzn-Requestid",
		"X-Amz-Request-Id", "X-Ms-Request-Id", "X-Github-Request-Id", "X-N-Operationid", "Sfdc-Request-Id", "X-Trace-Id", "Cf-Ray"} {
		if id := header.Get(name); id != "" {
			return cutText(oneLine(id), 128)
		}
	}
	return ""
}

// cutText cuts at a whole character, and says that it did.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const more = " ..."
	limit -= len(more)
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + more
}

// oneLine puts one space where there is white space, and drops control characters.
func oneLine(text string) string { return strings.Join(strings.FieldsFunc(text, isBlank), " ") }

func isBlank(r rune) bool { return r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0 }
