package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"mcpgate/internal/fault"
)

// redirects follows an upstream's redirects by rules of its own, because net/http's turn a POST into a GET and carry
// custom headers to other hosts:
//   - on the upstream's own host, the credential goes along; http may become https, never the reverse;
//   - to another host only where outbound.allow names it, and without the credential and the headers of gateway.yaml;
//     back from there with the credential never, or the other host could choose what is done with it;
//   - 301 and 302 of anything but GET and HEAD are an error: to repeat it as a GET would do nothing and look well;
//   - 303 becomes a GET; 307 and 308 send the same request again (RFC 9110 section 15.4).
type redirects struct {
	upstream string
	own      http.RoundTripper
	other    http.RoundTripper // sends without the credential
	allowed  func(*url.URL) bool
}

// RoundTrip sends req and follows where its answer leads.
func (r *redirects) RoundTrip(req *http.Request) (*http.Response, error) {
	home, away := req.URL, false
	next := r.own
	for hops := 0; ; hops++ {
		resp, err := next.RoundTrip(req)
		if err != nil || !isRedirect(resp) {
			return resp, err
		}
		_ = resp.Body.Close() // it is in memory already
		if hops == maxRedirects {
			return nil, r.refuse(resp, fmt.Sprintf("redirects more than %d times", maxRedirects), nil)
		}
		if req, err = r.follow(req, resp); err != nil {
			return nil, err
		}
		switch {
		case sameHost(home, req.URL) && !away:
		case r.allowed(req.URL):
			away, next = true, r.other
			req.Header = publicHeaders(req.Header)
		case away && sameHost(home, req.URL):
			return nil, r.refuse(resp, "redirects to another host and back, which is not followed", nil)
		default:
			return nil, r.refuse(resp, "redirects to another host, which is not followed",
				&forbiddenError{req.URL.Hostname(), "is not the upstream's own host"})
		}
	}
}

// isRedirect reports whether an answer leads elsewhere. One without Location is left for whoever reads it.
func isRedirect(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != ""
	}
	return false
}

// follow returns the request that a redirect asks for.
func (r *redirects) follow(req *http.Request, resp *http.Response) (*http.Request, error) {
	target, err := req.URL.Parse(resp.Header.Get("Location"))
	if err != nil || !isWeb(target) {
		return nil, r.refuse(resp, "redirects to something that is not an http or https URL", err)
	}
	if req.URL.Scheme == "https" && target.Scheme != "https" {
		return nil, r.refuse(resp, "redirects from https to http, which is not followed", nil)
	}
	safe := req.Method == http.MethodGet || req.Method == http.MethodHead
	followed := req.Clone(req.Context())
	followed.URL, followed.Host = target, ""
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound:
		if !safe {
			return nil, r.refuse(resp, fmt.Sprintf("answered a %s with redirect %d, which is not followed because it would lose the body",
				req.Method, resp.StatusCode), nil)
		}
	case http.StatusSeeOther:
		if !safe {
			followed.Method = http.MethodGet
		}
		withoutBody(followed)
		return followed, nil
	}
	if req.GetBody != nil {
		if followed.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return followed, nil
}

// withoutBody takes the body away, and the headers that describe it.
func withoutBody(req *http.Request) {
	req.Body, req.GetBody, req.ContentLength = nil, nil, 0
	for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"} {
		req.Header.Del(name)
	}
}

// refuse is the fault of a redirect that is not followed. Where it leads is for the log alone, and without its query.
func (r *redirects) refuse(resp *http.Response, what string, cause error) error {
	location, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
	f := fault.New(fault.UnexpectedResponse, fmt.Sprintf("upstream %q %s", r.upstream, what),
		errors.Join(fmt.Errorf("%d to %q", resp.StatusCode, location), cause))
	f.Hint = fmt.Sprintf("the operator can look at base_url and the credential of %q in gateway.yaml (a redirect is often "+
		"to a login page), or name the other host in outbound.allow", r.upstream)
	f.Upstream = &fault.Upstream{Status: resp.StatusCode}
	return f
}

// sameHost reports whether a credential for home may go to target: the same scheme, host and port, or the same host
// over https at the usual ports instead of http.
func sameHost(home, target *url.URL) bool {
	if canonicalHost(home.Hostname()) != canonicalHost(target.Hostname()) {
		return false
	}
	if home.Scheme == target.Scheme {
		return portOf(home) == portOf(target)
	}
	return home.Scheme == "http" && target.Scheme == "https" && portOf(home) == "80" && portOf(target) == "443"
}

// publicHeaders returns the headers that say nothing about who is asking.
func publicHeaders(header http.Header) http.Header {
	public := http.Header{}
	for _, name := range openHeaders {
		if values, ok := header[name]; ok {
			public[name] = values
		}
	}
	return public
}
