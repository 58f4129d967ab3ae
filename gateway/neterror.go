package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"mcpgate/internal/fault"
)

// netFailure is an attempt that brought no whole answer.
type netFailure struct {
	fault *fault.Fault
	// on is the word of `retry.on` that covers it: connect or timeout; "" where another attempt would fail alike.
	on string
	// unsent says that nothing of the request can have reached the upstream.
	unsent bool
}

// explain turns the error of an attempt into a failure whose message is fit for a client: it names the upstream as
// gateway.yaml does, and no host. limit is the attempt's timeout.
func explain(upstream string, err error, limit time.Duration) netFailure {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return netFailure{fault: f}
	}
	failure := netFailure{on: "connect", unsent: isUnsent(err)}
	code, what, hint := fault.Connection, "", ""
	switch {
	case errors.Is(err, errAttemptTimeout):
		code, failure.on = fault.Timeout, "timeout"
		what = fmt.Sprintf("did not answer within %s", limit)
	case isForbidden(err):
		code, failure.on = fault.ConfigurationInvalid, ""
		what = "is at an address that only its document names and that is not public, which outbound.deny_private forbids"
		hint = fmt.Sprintf("the operator can set base_url of %q in gateway.yaml, or name its host in outbound.allow", upstream)
	default:
		what, hint, failure.on = connectionTrouble(err)
		if failure.on == "" && strings.HasPrefix(what, "sent ") {
			code = fault.UnexpectedResponse
		}
	}
	failure.fault = fault.New(code, fmt.Sprintf("upstream %q %s", upstream, what), withoutURL(err))
	failure.fault.Hint = hint
	if broken, ok := errors.AsType[*brokenAnswerError](err); ok {
		failure.fault.Upstream = &fault.Upstream{Status: broken.status}
	}
	return failure
}

// connectionTrouble says what went wrong, what the operator can do, and the word of `retry.on`.
func connectionTrouble(err error) (what, hint, on string) {
	if what, hint := tlsTrouble(err); what != "" {
		return what, hint, ""
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "could not be reached through the gateway's outbound proxy", "the operator can look at outbound.proxy", "connect"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "has a host name that does not exist", "the operator can look at its base_url", "connect"
		}
		return "has a host name that could not be resolved", "", "connect"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused the connection", "it may be down, or at another address", "connect"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "is not reachable from the gateway's network", "", "connect"
	case isDial(err) && isTimeout(err):
		return "did not take the connection in time", "", "connect"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF):
		return "closed the connection before the answer was complete", "", "connect"
	}
	return protocolTrouble(err)
}

// tlsTrouble explains a TLS handshake that failed: no other attempt would do better. what is "" where it is not that.
func tlsTrouble(err error) (what, hint string) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "shows a certificate of an authority that the gateway does not trust",
			"the operator can name the authority's certificate in outbound.ca_file"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "shows a certificate for another host name", "the operator can look at its base_url"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "shows a certificate that has expired or is not valid yet", "its certificate, or the gateway's clock, has to be put right"
		}
		return "shows a certificate that is not valid", ""
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "shows a certificate that could not be verified", ""
	}
	// crypto/tls keeps its type of an alert to itself, and says so only in the operation.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return "refused the TLS handshake", ""
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "does not speak TLS at that address", "the operator can look at base_url: http:// instead of https://, or another port"
	}
	return "", ""
}

// protocolTrouble explains what net/http has no types for; its texts are looked at here and nowhere else.
func protocolTrouble(err error) (what, hint, on string) {
	text := err.Error()
	switch {
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"),
		strings.Contains(text, "malformed chunked encoding"), strings.Contains(text, "bad Content-Length"):
		return "sent something that is not HTTP", "the operator can look at the port in its base_url", ""
	case strings.Contains(text, "server response headers exceeded"), strings.Contains(text, "response header list larger"):
		return fmt.Sprintf("sent headers larger than %d KiB", maxResponseHeader>>10), "", ""
	case strings.Contains(text, "gzip:"), strings.Contains(text, "flate:"):
		return "sent an answer whose compression is broken", "", ""
	case strings.Contains(text, "unsupported protocol scheme"):
		return "has a base_url that is neither http nor https", "", ""
	case strings.Contains(text, "http2:"), strings.Contains(text, "stream error"), strings.Contains(text, "GOAWAY"):
		return "ended the HTTP/2 stream before the answer was complete", "", "connect"
	}
	return "broke the connection", "", "connect"
}

// ended explains a call whose context is over: the gateway stops, the client went away, or the call's own limit was hit.
func ended(ctx context.Context, upstream string, limit time.Duration, cause error) *fault.Fault {
	if f, ok := errors.AsType[*fault.Fault](context.Cause(ctx)); ok {
		return f // whoever ended the context said why
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fault.New(fault.Cancelled, "the call was cancelled", cause)
	}
	what := "the time that the client gave it"
	if errors.Is(context.Cause(ctx), errCallTimeout) {
		what = fmt.Sprintf("%s (server.call_timeout)", limit)
	}
	return fault.New(fault.Timeout, fmt.Sprintf("the call to upstream %q did not end within %s", upstream, what), cause)
}

// isUnsent reports whether an attempt ended before a connection was there to write on: while it was looked up, dialled,
// or while the server's certificate was looked at. A TLS alert does not count: under TLS 1.3 it may come after the request.
func isUnsent(err error) bool {
	if _, ok := errors.AsType[*net.DNSError](err); ok || isDial(err) || isForbidden(err) {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

func isForbidden(err error) bool {
	_, ok := errors.AsType[*forbiddenError](err)
	return ok
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// withoutURL takes net/http's wrapping off, which quotes the URL with the arguments in it.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
