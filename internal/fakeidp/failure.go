package fakeidp

import (
	"io"
	"net/http"
	"time"
)

// Failure is how an endpoint fails. The zero value but for Times closes the connection without an answer.
type Failure struct {
	Times       int // how often; 0 is until Mend
	Status      int
	ContentType string
	Header      http.Header
	Body        string
	Slow        time.Duration // the true answer comes, but so late
	Hang        bool          // never answers; the client has to give up
	After       bool          // the request is done first, and only its answer is lost
}

// Refuse is an OAuth error answer with status 400.
func Refuse(code string) Failure {
	return Failure{Status: http.StatusBadRequest, ContentType: "application/json",
		Body: `{"error":"` + code + `","error_description":"refused on demand"}`}
}

// Status is a JSON answer with this status, and with Retry-After where retryAfter isn't "".
func Status(status int, retryAfter string) Failure {
	f := Failure{Status: status, ContentType: "application/json", Body: `{"error":"temporarily_unavailable"}`, Header: http.Header{}}
	if retryAfter != "" {
		f.Header.Set("Retry-After", retryAfter)
	}
	return f
}

// BadGateway is a proxy's page.
func BadGateway() Failure {
	return Failure{Status: http.StatusBadGateway, ContentType: "text/html", Body: "<html><title>502 Bad Gateway</title></html>"}
}

// Fail makes an endpoint fail: metadata, jwks, authorize, token, userinfo, revoke or introspect. Several are worked off in turn.
func (p *IdP) Fail(endpoint string, failures ...Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures[endpoint] = append(p.failures[endpoint], failures...)
}

// Mend ends all failures.
func (p *IdP) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.failures)
}

// Down closes every connection without an answer until Mend.
func (p *IdP) Down() {
	for _, endpoint := range []string{"metadata", "jwks", "authorize", "token", "userinfo", "revoke", "introspect"} {
		p.Fail(endpoint, Failure{})
	}
}

func (p *IdP) nextFailure(endpoint string) (Failure, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.failures[endpoint]
	if len(list) == 0 {
		return Failure{}, false
	}
	f := list[0]
	if f.Times > 0 {
		if list[0].Times--; list[0].Times == 0 {
			p.failures[endpoint] = list[1:]
		}
	}
	return f, true
}

func (f Failure) write(w http.ResponseWriter, r *http.Request) {
	if f.Hang {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees that a client went away only once the body is read
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	if f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", f.ContentType)
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(f.Body))
}
