package provider

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"mcpgate/internal/fault"
)

const (
	maxDescription = 200 // characters of a provider's own text that go into the log
	maxRetryAfter  = time.Hour
)

// Error is what a provider's endpoint answered instead of what it was asked for. It is for the log: Description is the
// provider's own text, which may say anything.
type Error struct {
	Endpoint    string // token, userinfo, revocation, authorization
	Status      int    // HTTP; 0 where the browser brought the error
	Code        string // the OAuth error code, or a product's own, "" where there is none
	Description string // cut to 200 characters, secrets masked
	RetryAfter  time.Duration
}

// Error names the endpoint, the status, the code, and what the provider wrote besides.
func (e *Error) Error() string {
	text := e.Endpoint + " endpoint: " + cmp.Or(e.Code, "no OAuth error code")
	if e.Status != 0 {
		text += " (HTTP " + strconv.Itoa(e.Status) + ")"
	}
	if e.Description != "" {
		text += ": " + e.Description
	}
	return text
}

// newError reads an answer that is none. hidden are the secrets of the request, which the answer may repeat.
func (p *Provider) newError(endpoint string, got reply, hidden []string) *Error {
	e := &Error{Endpoint: endpoint, Status: got.status, RetryAfter: retryAfter(got.header, p.now())}
	fields, err := readAnswer(got.header.Get("Content-Type"), got.body)
	if err != nil {
		e.Description = err.Error()
		return e
	}
	e.Code = errorCode(fields.first("error", "error.code", "code", "errorCode", "status"))
	e.Description = masked(fields.first("error_description", "message", "error.message"), hidden)
	return e
}

// first is the first of these fields that holds text. Besides RFC 6749's names there are those of providers that have their own:
// HubSpot's status BAD_REFRESH_TOKEN, say, which dead_codes may list.
func (a answer) first(names ...string) string {
	for _, name := range names {
		value, _ := lookup(a, name)
		if text, ok := value.(string); ok && text != "" {
			return text
		}
	}
	return ""
}

var codePattern = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// errorCode is a code that may stand in logs and be compared; "" for anything else.
func errorCode(text string) string {
	if !codePattern.MatchString(text) {
		return ""
	}
	return text
}

// tokenLike finds JWTs, and runs of letters and digits so long that they are no words.
var tokenLike = regexp.MustCompile(`eyJ[\w-]+(\.[\w-]*){1,4}|[A-Za-z0-9_+/=~-]{40,}`)

// masked makes a provider's text fit for the log: secrets out, one line, maxDescription characters.
func masked(text string, hidden []string) string {
	if len(text) > 64*maxDescription {
		text = text[:64*maxDescription]
	}
	for _, secret := range hidden {
		for _, form := range []string{secret, url.QueryEscape(secret)} {
			if len(form) >= 4 { // a shorter one would mask every other word, and is no secret
				text = strings.ReplaceAll(text, form, "[secret]")
			}
		}
	}
	text = tokenLike.ReplaceAllString(text, "[secret]")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxDescription {
		text = string(runes[:maxDescription-1]) + "…"
	}
	return text
}

// refusesUs are the codes that mean the gateway's own registration: nothing that a person can mend by logging in again.
// The last two are GitHub's and Salesforce's.
var refusesUs = map[string]bool{
	"invalid_client": true, "unauthorized_client": true, "incorrect_client_credentials": true, "invalid_client_id": true,
}

// unavailable is the fault for whatever may pass: the login is kept, and the call may be tried again.
func (p *Provider) unavailable(cause error) *fault.Fault {
	f := fault.New(fault.Unavailable, p.Name+" does not answer as it should just now; try again in a while", cause)
	f.Retryable = true
	if e, ok := errors.AsType[*Error](cause); ok {
		f.RetryAfter = e.RetryAfter
		f.Upstream = &fault.Upstream{Status: e.Status, Code: e.Code}
	}
	return f
}

// refused is the fault where the provider does not take the gateway itself.
func (p *Provider) refused(cause error) *fault.Fault {
	f := fault.New(fault.CredentialsInvalid, p.Name+" refuses the gateway's own client id or credentials", cause)
	f.Hint = "the operator has to look at client_id, client_secret and token_endpoint_auth_method of provider " + p.Name
	return f
}

// definitive reports whether an answer of the token endpoint is its own word on the request, rather than that of a proxy
// or of a server in trouble: RFC 6749 section 5.2 has 400 and 401, and some send 200 or 403.
func (e *Error) definitive() bool {
	switch e.Status {
	case http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return e.Code != ""
	default:
		return false
	}
}

// retryAfter reads Retry-After (RFC 9110 section 10.2.3), at most an hour; 0 where there is none that makes sense.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && !math.IsNaN(seconds) {
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(date.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
