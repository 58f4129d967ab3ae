package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
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

// trouble is one way in which an attempt fails: what to say after the upstream's name, and what the operator can do.
type trouble struct {
	code fault.Code // "" means api.connection
	what string
	hint string
	on   string // as in netFailure
}

// explain turns the error of an attempt into a failure whose message is fit for a client: it names the upstream as
// gateway.yaml does, and no host. limit is the attempt's timeout.
func explain(upstream string, err error, limit time.Duration) netFailure {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return netFailure{fault: f}
	}
	t := findTrouble(err, limit)
	f := fault.New(cmp.Or(t.code, fault.Connection), fmt.Sprintf("upstream %q %s", upstream, t.what), withoutURL(err))
	f.Hint = t.hint
	if broken, ok := errors.AsType[*brokenAnswerError](err); ok {
		f.Upstream = &fault.Upstream{Status: broken.status}
	}
	return netFailure{fault: f, on: t.on, unsent: isUnsent(err)}
}

// findTrouble says what went wrong.
func findTrouble(err error, limit time.Duration) trouble {
	if errors.Is(err, errAttemptTimeout) {
		return trouble{code: fault.Timeout, what: fmt.Sprintf("did not answer within %s", limit), on: "timeout"}
	}
	if isForbidden(err) {
		return trouble{
			code: fault.ConfigurationInvalid,
			what: "is at an address that only its document names and that is not public, which outbound.deny_private forbids",
			hint: "the operator can set its base_url in gateway.yaml, or name its host in outbound.allow",
		}
	}
	for _, find := range []func(error) (trouble, bool){tlsTrouble, dialTrouble, brokenTrouble, protocolTrouble} {
		if t, ok := find(err); ok {
			return t
		}
	}
	return trouble{what: "broke the connection", on: "connect"}
}

// tlsTrouble explains a TLS handshake that failed: no other attempt would do better.
func tlsTrouble(err error) (trouble, bool) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return trouble{what: "shows a certificate of an authority that the gateway does not trust",
			hint: "the operator can name the authority's certificate in outbound.ca_file"}, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return trouble{what: "shows a certificate for another host name", hint: "the operator can look at its base_url"}, true
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return trouble{what: "shows a certificate that has expired or is not valid yet",
			hint: "its certificate, or the gateway's clock, has to be put right"}, true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return trouble{what: "shows a certificate that is not valid"}, true
	}
	// crypto/tls keeps its type of an alert to itself, and says so only in the operation.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return trouble{what: "refused the TLS handshake"}, true
	}
	if isNotTLS(err) {
		return trouble{what: "does not speak TLS at that address",
			hint: "the operator can look at base_url: http:// instead of https://, or another port"}, true
	}
	return trouble{}, false
}

// dialTrouble explains a connection that did not come about.
func dialTrouble(err error) (trouble, bool) {
	t := trouble{on: "connect"}
	dns, isDNS := errors.AsType[*net.DNSError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case isOp && op.Op == "proxyconnect":
		t.what, t.hint = "could not be reached through the gateway's outbound proxy", "the operator can look at outbound.proxy"
	case isDNS && dns.IsNotFound:
		t.what, t.hint = "has a host name that does not exist", "the operator can look at its base_url"
	case isDNS:
		t.what = "has a host name that could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		t.what, t.hint = "refused the connection", "it may be down, or at another address"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		t.what = "is not reachable from the gateway's network"
	case isDial(err):
		t.what = "did not take the connection"
	default:
		return trouble{}, false
	}
	return t, true
}

// brokenTrouble explains a connection that ended too early.
func brokenTrouble(err error) (trouble, bool) {
	for _, end := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, end) {
			return trouble{what: "closed the connection before the answer was complete", on: "connect"}, true
		}
	}
	return trouble{}, false
}

// protocolTrouble explains what net/http has no types for; its texts are looked at here and nowhere else.
func protocolTrouble(err error) (trouble, bool) {
	text := err.Error()
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
	}
	switch {
	case has("malformed HTTP", "malformed MIME header", "malformed chunked encoding", "bad Content-Length"):
		return trouble{code: fault.UnexpectedResponse, what: "sent something that is not HTTP",
			hint: "the operator can look at the port in its base_url"}, true
	case has("server response headers exceeded", "response header list larger"):
		return trouble{code: fault.UnexpectedResponse, what: fmt.Sprintf("sent headers larger than %d KiB", maxResponseHeader>>10)}, true
	case has("gzip:", "flate:"):
		return trouble{code: fault.UnexpectedResponse, what: "sent an answer whose compression is broken"}, true
	case has("unsupported protocol scheme", "no Host in request URL"):
		return trouble{code: fault.ConfigurationInvalid, what: "has a base URL that is not http:// or https:// and a host",
			hint: "the operator can set its base_url in gateway.yaml"}, true
	case has("http2:", "stream error", "GOAWAY"):
		return trouble{what: "ended the HTTP/2 stream before the answer was complete", on: "connect"}, true
	}
	return trouble{}, false
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
	if isNotTLS(err) {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// isNotTLS reports whether the other side answered a TLS handshake in something else; http.Client has a word of its own
// for HTTP.
func isNotTLS(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok || errors.Is(err, http.ErrSchemeMismatch)
}

func isForbidden(err error) bool {
	_, ok := errors.AsType[*forbiddenError](err)
	return ok
}

// withoutURL takes net/http's wrapping off, which quotes the URL with the arguments in it.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
