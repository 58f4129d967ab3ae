package fakeidp

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Grant is what the provider knows of one login.
type Grant struct {
	ID, ClientID, Subject string
	Scopes                []string
	Created               time.Time
	Refreshes             int  // answered ones
	Reuses                int  // of refresh tokens that were replaced before
	Revoked               bool // by reuse, by the client, or by EndGrants
	AccessToken           string
	RefreshToken          string // "" where there is none
}

func (g *grant) info() Grant {
	return Grant{g.id, g.client, g.user.Subject, slices.Clone(g.scopes), g.created, g.refreshes, g.reuses, g.revoked, g.access, g.refresh}
}

// Grants are all logins that were redeemed so far, oldest first.
func (p *IdP) Grants() []Grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Grant
	for _, g := range p.grants {
		list = append(list, g.info())
	}
	slices.SortFunc(list, func(a, b Grant) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Refreshes counts the refreshes that were answered, over all grants, and Reuses the replaced refresh tokens that came again.
func (p *IdP) Refreshes() (answered, reused int) {
	for _, g := range p.Grants() {
		answered += g.Refreshes
		reused += g.Reuses
	}
	return answered, reused
}

// EndGrants revokes all logins, as an administrator would: the next refresh is invalid_grant.
func (p *IdP) EndGrants() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.grants {
		p.end(g)
	}
}

// ExpireAccessTokens makes the API refuse all access tokens that were issued so far. Logins stay.
func (p *IdP) ExpireAccessTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.access {
		t.dead = true
	}
}

// bearer returns whose token a request carries. It is called with the lock held.
func (p *IdP) bearer(r *http.Request) *grant {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	return p.valid(token)
}

func (p *IdP) valid(token string) *grant {
	t, ok := p.access[token]
	if !ok || t.dead || !p.options.Now().Before(t.expires) {
		return nil
	}
	return t.grant
}

// API is an upstream that takes the provider's access tokens, while they are good, and says who is calling:
// {"sub", "client_id", "scope", "grant"}. Everybody else gets 401. A Cookie is refused too: no gateway passes one on.
func (p *IdP) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.count("api")
		p.mu.Lock()
		g := p.bearer(r)
		p.mu.Unlock()
		if g == nil || len(r.Cookies()) > 0 {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			reply(w, http.StatusUnauthorized, map[string]string{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"})
			return
		}
		reply(w, http.StatusOK, map[string]string{
			"sub": g.user.Subject, "client_id": g.client, "scope": strings.Join(g.scopes, " "), "grant": g.id,
			"method": r.Method, "path": r.URL.Path,
		})
	})
}

func (p *IdP) userinfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.bearer(r)
	if g == nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		oauthError(w, http.StatusUnauthorized, "invalid_token", "unknown token")
		return
	}
	claims := maps.Clone(g.user.Claims)
	if claims == nil {
		claims = map[string]any{}
	}
	claims["sub"] = g.user.Subject
	reply(w, http.StatusOK, claims)
}

// revoke is RFC 7009: an unknown token is 200 too, and a refresh token ends the grant.
func (p *IdP) revoke(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.ParseForm() != nil || r.PostForm.Get("token") == "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "token is required")
		return
	}
	c, why := p.authenticate(r)
	if why != "" {
		refuseClient(w, r, why)
		return
	}
	token := r.PostForm.Get("token")
	if t, ok := p.refresh[token]; ok && t.grant.client == c.ID {
		p.end(t.grant)
	} else if t, ok := p.access[token]; ok && t.grant.client == c.ID {
		t.dead = true
	}
	w.WriteHeader(http.StatusOK)
}

// introspect is RFC 7662, for confidential clients.
func (p *IdP) introspect(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.ParseForm() != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", "no form")
		return
	}
	c, why := p.authenticate(r)
	if why == "" && c.method() == "none" {
		why = "a public client may not ask"
	}
	if why != "" {
		refuseClient(w, r, why)
		return
	}
	g := p.valid(r.PostForm.Get("token"))
	if g == nil {
		reply(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"active": true, "sub": g.user.Subject, "client_id": g.client, "scope": strings.Join(g.scopes, " "), "iss": p.issuer(),
		"token_type": "Bearer", "exp": p.access[r.PostForm.Get("token")].expires.Unix(),
	})
}
