package oauthproxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// rememberTime is how long an answer counts in consent: remember.
const rememberTime = 30 * 24 * time.Hour

// remembered is a yes that counts again in the same browser. Its key is the SHA-256 of the browser's secret and of everything that
// the person was shown.
type remembered struct {
	Since time.Time `json:"since"`
}

// unasked reports whether nobody is asked: the client is trusted, consent is off, or the same question was answered in this browser. The
// latter counts only where the person began here by themselves: a page of somebody else's could otherwise send them through unseen. Sec-Fetch-Site says
// so, but for an address that was typed in, or opened by a program, and led here by a redirect of another site: that is "none" too. An attacker's
// authorization server could get a code so for a client that anybody may be, and so those who registered themselves and those with a
// document are asked each time.
func (s *Server) unasked(r *http.Request, c *client, tx *transaction, query url.Values) bool {
	if c.Trusted || s.flow.consent == "off" {
		return true
	}
	if s.flow.consent != "remember" || c.Kind != kindKnown || slices.Contains(strings.Fields(query.Get("prompt")), "consent") {
		return false
	}
	if site := r.Header.Values("Sec-Fetch-Site"); len(site) != 1 || (site[0] != "none" && site[0] != "same-origin") {
		return false
	}
	secret, ok := s.flow.cookies.get(r, cookieBrowser, s.issuer)
	if !ok {
		return false
	}
	// A record that can't be read is no yes: the person is asked, and a store that is down shows at the next step.
	_, _, err := s.flow.remembered.Get(r.Context(), answerKey(secret, tx))
	return err == nil
}

// remember lets a yes count again, in consent: remember.
func (s *Server) remember(w http.ResponseWriter, r *http.Request, tx *transaction) error {
	if s.flow.consent != "remember" || tx.Kind != kindKnown {
		return nil
	}
	secret, ok := s.flow.cookies.get(r, cookieBrowser, s.issuer)
	if !ok {
		secret = newSecret()
	}
	if err := s.flow.cookies.set(w, r, cookieBrowser, s.issuer, secret, rememberTime); err != nil {
		return err
	}
	return s.flow.remembered.Put(r.Context(), answerKey(secret, tx), remembered{s.parts.Now()}, rememberTime)
}

// forget ends an earlier yes, since the person now said no.
func (s *Server) forget(r *http.Request, tx *transaction) error {
	secret, ok := s.flow.cookies.get(r, cookieBrowser, s.issuer)
	if s.flow.consent != "remember" || !ok {
		return nil
	}
	return s.flow.remembered.Delete(r.Context(), answerKey(secret, tx))
}

// answerKey is the key of an answer. No part of it can hold the line end that parts them.
func answerKey(secret string, tx *transaction) string {
	return digest(strings.Join([]string{secret, tx.ClientID, tx.RedirectURI, strings.Join(tx.Scopes, " "), tx.Resource}, "\n"))
}
