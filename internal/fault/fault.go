// Package fault names the ways a tool call can fail. It is a leaf: it knows neither HTTP nor MCP.
//
// A fault's Message is for the model to act on; its Cause is for the log alone and is never formatted into the
// message.
package fault

import (
	"errors"
	"strings"
	"time"
)

// Code is a place in the tree of faults, written as a dotted path. A Code is an error, so that
// errors.Is(err, fault.Authentication) is true for every fault at or below that code.
type Code string

// The tree. Gateway is its root and matches every fault.
const (
	Gateway Code = "gateway"

	Configuration        Code = "configuration"         // the operator's to mend
	ConfigurationMissing Code = "configuration.missing" // a setting that the call needs is not there
	ConfigurationInvalid Code = "configuration.invalid" // a setting is there and can't be used

	Authentication     Code = "authentication"                      // who is calling, or for whom
	Token              Code = "authentication.token"                // an access token of the gateway or of an upstream
	TokenExpired       Code = "authentication.token.expired"        // its time is over
	TokenRefreshFailed Code = "authentication.token.refresh_failed" // no new one could be had
	TokenInvalid       Code = "authentication.token.invalid"        // it is not one of ours, or was altered
	CredentialsInvalid Code = "authentication.credentials_invalid"  // the gateway's own client id, key or secret
	LoginRequired      Code = "authentication.login_required"       // the caller has to log in upstream

	Permission Code = "permission" // the gateway's own policy: a scope or a role is missing
	Input      Code = "input"      // arguments that don't fit the tool's schema

	API                Code = "api"                     // the upstream answered with an error, or did not answer
	Connection         Code = "api.connection"          // DNS, TCP, TLS
	Timeout            Code = "api.timeout"             // with the limit that was hit
	RateLimit          Code = "api.rate_limit"          // with RetryAfter
	NotFound           Code = "api.not_found"           // 404
	Validation         Code = "api.validation"          // 400, 405, 410, 415, 422
	APIPermission      Code = "api.permission"          // 403
	Conflict           Code = "api.conflict"            // 409, 412
	Server             Code = "api.server"              // 5xx
	UnexpectedResponse Code = "api.unexpected_response" // an answer that isn't what the document promises

	Record           Code = "record"            // what an upstream said of a record
	RecordNotFound   Code = "record.not_found"  //
	RecordValidation Code = "record.validation" // with Fields
	RecordDuplicate  Code = "record.duplicate"  //

	TooLarge    Code = "too_large"   // an answer over the limit of bytes on the wire
	Unavailable Code = "unavailable" // circuit open, queue full, shutting down; with RetryAfter

	Confirmation         Code = "confirmation"
	ConfirmationRequired Code = "confirmation.required"
	ConfirmationDeclined Code = "confirmation.declined"
	ConfirmationExpired  Code = "confirmation.expired"

	Cancelled Code = "cancelled" // the client went away
	Internal  Code = "internal"  // a defect of ours; the message carries an id to find it in the log
)

// Codes are all places in the tree, sorted.
func Codes() []Code {
	return []Code{
		API, Conflict, Connection, NotFound, APIPermission, RateLimit, Server, Timeout, UnexpectedResponse, Validation,
		Authentication, CredentialsInvalid, LoginRequired, Token, TokenExpired, TokenInvalid, TokenRefreshFailed,
		Cancelled, Configuration, ConfigurationInvalid, ConfigurationMissing,
		Confirmation, ConfirmationDeclined, ConfirmationExpired, ConfirmationRequired,
		Gateway, Input, Internal, Permission, Record, RecordDuplicate, RecordNotFound, RecordValidation, TooLarge, Unavailable,
	}
}

// Error returns the code itself.
func (c Code) Error() string { return string(c) }

// Contains reports whether other is c or lies below it in the tree.
func (c Code) Contains(other Code) bool {
	return c == Gateway || c == other || strings.HasPrefix(string(other), string(c)+".")
}

// Field is one argument, or one field of a record, that did not fit.
type Field struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Upstream is what an upstream said of the failure.
type Upstream struct {
	Status    int    `json:"status,omitempty"`     // its HTTP status
	Code      string `json:"code,omitempty"`       // its own error code
	RequestID string `json:"request_id,omitempty"` // to quote to its support
}

// Fault is one failure of one call. Make one with New and set the fields that apply.
type Fault struct {
	Code       Code
	Message    string        // for the model: what went wrong, which argument, what would work
	Cause      error         // for the log alone
	Hint       string        // an optional next step
	Retryable  bool          // the same call may succeed later
	RetryAfter time.Duration // when; 0 where unknown
	Fields     []Field
	Upstream   *Upstream
	More       []*Fault // what else failed in the same call; these have no More of their own
}

// New returns a fault. The cause may be nil.
func New(code Code, message string, cause error) *Fault {
	return &Fault{Code: code, Message: message, Cause: cause}
}

// Error returns the message, without the cause.
func (f *Fault) Error() string { return f.Message }

// Unwrap returns the cause, so that errors.Is sees context.Canceled and the like.
func (f *Fault) Unwrap() error { return f.Cause }

// Is reports whether target is a Code at or above the fault's.
func (f *Fault) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code.Contains(f.Code)
}

// From returns err as a Fault: itself where it is or wraps one, else an Internal one with err as the cause.
func From(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return New(Internal, "the gateway failed; this is a defect of it", err)
}

// CodeOf returns the code of err: Internal where it wraps no fault, "" where err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}
