package fakeidp

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// code is an authorization code.
type code struct {
	client, redirectURI, challenge, nonce string
	scopes                                []string
	user                                  User
	expires                               time.Time
	grant                                 *grant // that it was redeemed for
}

var loginPage = template.Must(template.New("login").Parse(`<!doctype html><html lang="en"><title>Log in</title>
<form method="post"><label>User <input name="username" autofocus></label> <button>Log in</button>
<button name="deny" value="1">Cancel</button></form></html>`))

// authorize is the authorization endpoint. What is wrong with the client or its redirect URI is told on a page, the rest by a redirect
// (RFC 6749 section 4.1.2.1).
func (p *IdP) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	c, ok := p.client(q.Get("client_id"))
	if !ok {
		http.Error(w, "unknown client", http.StatusBadRequest)
		return
	}
	redirectURI := q.Get("redirect_uri")
	if !slices.Contains(c.RedirectURIs, redirectURI) {
		http.Error(w, "redirect_uri is not registered", http.StatusBadRequest)
		return
	}
	if p.options.HTTPSRedirects && strings.HasPrefix(redirectURI, "http:") {
		http.Error(w, "redirect_uri must not be http", http.StatusBadRequest)
		return
	}
	p.secret(q.Get("state"), q.Get("nonce"))
	answer := url.Values{}
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if p.options.IssParameter {
		answer.Set("iss", p.issuer())
	}
	if name, description := p.judgeAuthorize(q); name != "" {
		answer.Set("error", name)
		answer.Set("error_description", description)
		redirect(w, r, redirectURI, answer)
		return
	}
	user, shown := p.login(w, r)
	if shown {
		return
	}
	if user.Subject == "" {
		answer.Set("error", "access_denied")
		redirect(w, r, redirectURI, answer)
		return
	}
	text := random("code-")
	p.secret(text)
	p.codes[text] = &code{
		client: c.ID, redirectURI: redirectURI, challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
		scopes: strings.Fields(q.Get("scope")), user: user, expires: p.options.Now().Add(p.options.CodeTTL),
	}
	answer.Set("code", text)
	for name, value := range p.options.Callback {
		answer.Set(name, value)
	}
	redirect(w, r, redirectURI, answer)
}

// login says who logs in: nobody where the person cancelled, later where a page was shown.
func (p *IdP) login(w http.ResponseWriter, r *http.Request) (who User, shown bool) {
	switch {
	case !p.options.Form:
		return p.options.User, false
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = loginPage.Execute(w, nil) // the browser is gone
		return User{}, true
	case r.PostFormValue("deny") != "":
		return User{}, false
	default:
		user := p.options.User
		if name := r.PostFormValue("username"); name != "" {
			user.Subject = name
		}
		return user, false
	}
}

func (p *IdP) judgeAuthorize(q url.Values) (name, description string) {
	o := p.options
	for parameter, values := range q {
		if len(values) > 1 {
			return "invalid_request", parameter + " is given twice"
		}
	}
	state := q.Get("state")
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type", "only code"
	case len(state) < o.StateMin || o.StateMax > 0 && len(state) > o.StateMax:
		return "invalid_request", "state is too short or too long"
	case o.RefuseResource && q.Has("resource"):
		return "invalid_request", "AADSTS901002: The 'resource' request parameter is not supported."
	case q.Has("code_challenge") && q.Get("code_challenge_method") != "S256", q.Has("code_challenge_method") && !q.Has("code_challenge"):
		return "invalid_request", "only S256"
	case !q.Has("code_challenge") && !o.OptionalPKCE:
		return "invalid_request", "code_challenge is required"
	case q.Has("code_challenge") && len(q.Get("code_challenge")) != 43:
		return "invalid_request", "code_challenge is not a SHA-256"
	}
	for _, scope := range strings.Fields(q.Get("scope")) {
		if !slices.Contains(o.Scopes, scope) {
			return "invalid_scope", "unknown scope " + scope
		}
	}
	return "", ""
}

func redirect(w http.ResponseWriter, r *http.Request, to string, add url.Values) {
	target, err := url.Parse(to)
	if err != nil {
		http.Error(w, "redirect_uri is no URL", http.StatusBadRequest)
		return
	}
	q := target.Query()
	for name, values := range add {
		q[name] = values
	}
	target.RawQuery = q.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}
