package oauthproxy

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"strings"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// page is what every page has.
type page struct {
	Title string
	Nonce string // of the one style element
}

// consentPage asks a person whether a client may act for them.
type consentPage struct {
	page
	Gateway, Provider       string
	Client                  string // its name, or its id
	Unverified              bool   // the client itself says what it is called
	Host                    string // the host that vouches for the client, or ""
	ID                      string // of a client that gateway.yaml knows
	Local                   bool   // every redirect URI is on loopback
	Scopes                  []scopeLine
	Resource                string
	Before, Emphasis, After string // the redirect URI, around what decides who is answered
	Action                  string
	Transaction, Token      string
}

type scopeLine struct{ Words, Name string }

// notice is a page that tells something and asks nothing.
type notice struct {
	page
	Text              string
	Detail, Reference string // of an error: what was wrong, and what finds its cause in the log
}

// writeConsent shows the question.
func writeConsent(w http.ResponseWriter, p consentPage) error {
	p.page = page{Title: "Allow access? - " + p.Gateway, Nonce: newSecret()}
	return writePage(w, http.StatusOK, "consent.html", p.Nonce, p)
}

// WriteDone shows a person that a login is over and the window may be closed. It writes a whole answer.
func WriteDone(w http.ResponseWriter, title, text string) error {
	return writeNotice(w, http.StatusOK, notice{page: page{Title: title}, Text: text})
}

const gonePage = "If your app is connected, you can close this window. If it is not, start the connection again there."

// refusals are what a person is told instead of an error's code or, where one is in the list, its description, and what to do.
var refusals = map[string]struct{ title, text string }{
	goneTransaction: {"This question is over", gonePage},
	goneLogin:       {"This login is over", gonePage},
	"invalid_client": {"This app is not known here",
		"Remove the connection in your app and add it again: it then registers anew."},
	"invalid_request":         {"This link can't be used", "Go back to your app and start the connection again."},
	"access_denied":           {"This login was not started in this browser", "Go back to your app and start the connection again, all of it in one browser that takes cookies."},
	"temporarily_unavailable": {"Not available right now", "Nothing is lost. Wait a minute, then start the connection again in your app."},
}

// writeRefusal shows an error that can't be told to the client. The text is ours and fixed: nothing of what a provider, a client or a library said.
func (s *Server) writeRefusal(w http.ResponseWriter, e *Error, reference string) {
	said := refusals["invalid_request"]
	for _, key := range []string{e.Code, e.Description} {
		if known, ok := refusals[key]; ok {
			said = known
		}
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	told := notice{page: page{Title: said.title}, Text: said.text, Detail: e.Description, Reference: reference}
	if err := writeNotice(w, e.Status, told); err != nil {
		s.parts.Logger.Error("a page could not be written", "cause", err)
	}
}

func writeNotice(w http.ResponseWriter, status int, n notice) error {
	n.Nonce = newSecret()
	return writePage(w, status, "notice.html", n.Nonce, n)
}

// writePage sends a page that no other page can frame, that runs nothing, loads nothing, and that nobody keeps. There is no form-action: Chromium
// holds it against every redirect that follows a form, and would keep private-use schemes from their apps.
func writePage(w http.ResponseWriter, status int, name, nonce string, data any) error {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, data); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return fmt.Errorf("page %s: %w", name, err)
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'nonce-"+nonce+"'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, err := w.Write(body.Bytes())
	return err
}

// emphasised splits a redirect URI around what decides who gets the answer: the host with its port, or the scheme where that is an app's own.
func emphasised(uri string) (before, emphasis, after string) {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || (scheme != "https" && scheme != "http") {
		scheme, rest, _ = strings.Cut(uri, ":")
		return "", scheme + ":", rest
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	return scheme + "://", rest[:end], rest[end:]
}
