package fakeidp

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// grant is one login of one user through one client.
type grant struct {
	id, client, nonce string
	user              User
	scopes            []string
	created           time.Time
	refreshes, reuses int
	revoked           bool
	access            string
	refresh           string
}

type accessToken struct {
	grant   *grant
	expires time.Time
	dead    bool
}

type refreshToken struct {
	grant   *grant
	expires time.Time // the zero time: never
	used    bool
}

// refusal is an error answer of the token endpoint.
type refusal struct {
	status            int
	code, description string
}

func invalid(code, description string) *refusal {
	return &refusal{http.StatusBadRequest, code, description}
}

// token is the token endpoint (RFC 6749 section 3.2).
func (p *IdP) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", "no form")
		return
	}
	p.mu.Lock()
	answer, refused := p.judgeToken(r)
	options := p.options
	var refreshed *Grant
	if refused == nil && r.PostForm.Get("grant_type") == "refresh_token" {
		if g := p.access[answer["access_token"].(string)]; g != nil {
			info := g.grant.info()
			refreshed = &info
		}
	}
	p.mu.Unlock()
	if refreshed != nil && options.OnRefresh != nil {
		options.OnRefresh(*refreshed)
	}
	if refused != nil {
		if refused.status == http.StatusUnauthorized {
			refuseClient(w, r, refused.description)
			return
		}
		if options.Errors200 {
			refused.status = http.StatusOK
		}
		writeToken(w, options.FormAnswers, refused.status, map[string]any{"error": refused.code, "error_description": refused.description})
		return
	}
	writeToken(w, options.FormAnswers, http.StatusOK, answer)
}

func (p *IdP) judgeToken(r *http.Request) (map[string]any, *refusal) {
	form := r.PostForm
	for name, values := range form {
		if len(values) > 1 {
			return nil, invalid("invalid_request", name+" is given twice")
		}
	}
	if r.URL.RawQuery != "" {
		return nil, invalid("invalid_request", "parameters in the URL")
	}
	p.secret(form.Get("code"), form.Get("code_verifier"), form.Get("refresh_token"))
	c, why := p.authenticate(r)
	if why != "" {
		return nil, &refusal{http.StatusUnauthorized, "invalid_client", why}
	}
	if p.options.RefuseResource && form.Has("resource") {
		return nil, invalid("invalid_target", "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes.")
	}
	switch form.Get("grant_type") {
	case "authorization_code":
		return p.redeem(c, form)
	case "refresh_token":
		return p.refreshGrant(c, form)
	case grantCredentials, grantAssertion, grantExchange:
		return p.machine(c, form)
	default:
		return nil, invalid("unsupported_grant_type", form.Get("grant_type"))
	}
}

// redeem takes a code, once. Its second use revokes what was issued for it (RFC 6749 section 4.1.2).
func (p *IdP) redeem(c Client, form url.Values) (map[string]any, *refusal) {
	entry, ok := p.codes[form.Get("code")]
	switch {
	case !ok:
		return nil, invalid("invalid_grant", "unknown code")
	case entry.grant != nil:
		p.end(entry.grant)
		return nil, invalid("invalid_grant", "the code was used before")
	case entry.client != c.ID:
		return nil, invalid("invalid_grant", "another client's code")
	}
	g := &grant{id: random("g-"), client: c.ID, user: entry.user, nonce: entry.nonce, scopes: entry.scopes, created: p.options.Now()}
	entry.grant = g // a code that was shown once with anything wrong is spent too
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !p.options.Now().Before(entry.expires):
		return nil, invalid("invalid_grant", "the code is over")
	case form.Get("redirect_uri") != entry.redirectURI:
		return nil, invalid("invalid_grant", "redirect_uri is not that of the authorization request")
	case entry.challenge == "" && form.Has("code_verifier"):
		return nil, invalid("invalid_grant", "code_verifier without a challenge")
	case entry.challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != entry.challenge:
		return nil, invalid("invalid_grant", "code_verifier does not fit the challenge")
	}
	p.grants[g.id] = g
	return p.issue(g, true), nil
}

// refreshGrant renews. A refresh token that was replaced revokes the whole grant: what was issued after it dies too.
func (p *IdP) refreshGrant(c Client, form url.Values) (map[string]any, *refusal) {
	entry, ok := p.refresh[form.Get("refresh_token")]
	now := p.options.Now()
	switch {
	case !ok || entry.grant.client != c.ID:
		return nil, invalid("invalid_grant", "unknown refresh token")
	case entry.used:
		entry.grant.reuses++
		p.end(entry.grant)
		return nil, invalid("invalid_grant", "the refresh token was used before")
	case entry.grant.revoked:
		return nil, invalid("invalid_grant", "the grant was revoked")
	case !entry.expires.IsZero() && !now.Before(entry.expires):
		return nil, invalid("invalid_grant", "the refresh token is over")
	case p.options.ScopeOnRefresh && !form.Has("scope"):
		return nil, invalid("invalid_request", "AADSTS90009: Application is requesting a token for itself. scope is required.")
	}
	for _, scope := range strings.Fields(form.Get("scope")) {
		if !slices.Contains(entry.grant.scopes, scope) {
			return nil, invalid("invalid_scope", "more than was granted")
		}
	}
	g := entry.grant
	g.refreshes++
	entry.used = p.rotates(g)
	if p.options.OldTokensDie {
		p.killAccess(g)
	}
	return p.issue(g, false), nil
}

// issue makes the answer of RFC 6749 section 5.1, in the provider's manner.
func (p *IdP) issue(g *grant, first bool) map[string]any {
	o, now := p.options, p.options.Now()
	answer := maps.Clone(o.Extra)
	if answer == nil {
		answer = map[string]any{}
	}
	g.access = p.accessTokenText(g)
	p.access[g.access] = &accessToken{grant: g, expires: now.Add(o.AccessTokenTTL)}
	answer["access_token"], answer["token_type"] = g.access, o.TokenType
	if !o.NoExpiresIn {
		answer["expires_in"] = seconds(o.AccessTokenTTL)
		if o.ExpiresInText {
			answer["expires_in"] = strconv.FormatInt(seconds(o.AccessTokenTTL), 10)
		}
	}
	if !o.NoScope {
		answer["scope"] = strings.Join(g.scopes, " ")
	}
	if has(g.scopes, "openid") {
		token := p.idToken(g)
		answer["id_token"] = token
		p.secret(token)
	}
	p.issueRefresh(g, first, answer)
	p.secret(g.access, g.refresh)
	return answer
}

func (p *IdP) issueRefresh(g *grant, first bool, answer map[string]any) {
	o, now := p.options, p.options.Now()
	offline := has(g.scopes, "offline_access") || has(g.scopes, "refresh_token")
	if o.NoRefreshTokens || o.OfflineOnly && !offline || !first && g.refresh == "" {
		return
	}
	entry := p.refresh[g.refresh]
	if first || p.rotates(g) {
		g.refresh = random("rt-")
		entry = &refreshToken{grant: g}
		p.refresh[g.refresh] = entry
	} else if o.QuietRotation {
		return
	}
	if o.RefreshTokenTTL > 0 && !(offline && o.RefreshExpiresIn) { // an offline session does not end
		entry.expires = now.Add(o.RefreshTokenTTL)
		if end := g.created.Add(o.MaxRotation); o.MaxRotation > 0 && end.Before(entry.expires) {
			entry.expires = end
		}
	}
	answer["refresh_token"] = g.refresh
	if o.RefreshExpiresIn {
		answer["refresh_expires_in"] = int64(0)
		if !entry.expires.IsZero() {
			answer["refresh_expires_in"] = seconds(entry.expires.Sub(now))
		}
	}
}

// rotates reports whether a refresh replaces the refresh token.
func (p *IdP) rotates(g *grant) bool {
	c, _ := p.client(g.client)
	return !p.options.NoRotation && !(p.options.PublicRotation && c.method() != "none")
}

func (p *IdP) end(g *grant) {
	g.revoked = true
	p.killAccess(g)
}

func (p *IdP) killAccess(g *grant) {
	for _, t := range p.access {
		if t.grant == g {
			t.dead = true
		}
	}
}

func writeToken(w http.ResponseWriter, form bool, status int, answer map[string]any) {
	if !form {
		reply(w, status, answer)
		return
	}
	values := url.Values{}
	for name, value := range answer {
		switch v := value.(type) {
		case string:
			values.Set(name, v)
		case int64:
			values.Set(name, strconv.FormatInt(v, 10))
		}
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(values.Encode()))
}
