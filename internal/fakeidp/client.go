package fakeidp

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func (p *IdP) client(id string) (Client, bool) {
	for _, c := range p.options.Clients {
		if c.ID == id {
			return c, true
		}
	}
	return Client{}, false
}

func (c Client) method() string {
	switch {
	case c.AuthMethod != "":
		return c.AuthMethod
	case c.Secret != "":
		return "client_secret_basic"
	case c.Key != nil:
		return "private_key_jwt"
	default:
		return "none"
	}
}

// authenticate returns the client that sends a request, if it proves itself in exactly the way that it is registered with
// (RFC 6749 section 2.3: no more than one way a request). why says what was wrong.
func (p *IdP) authenticate(r *http.Request) (c Client, why string) {
	form := r.PostForm
	id, secret, method := form.Get("client_id"), "", "none"
	if header := r.Header.Get("Authorization"); header != "" {
		user, password, ok := r.BasicAuth()
		if !ok {
			return Client{}, "Authorization is not Basic"
		}
		decodedUser, err1 := url.QueryUnescape(user)
		decodedPassword, err2 := url.QueryUnescape(password)
		if err1 != nil || err2 != nil {
			return Client{}, "id and secret are not form-urlencoded"
		}
		if id != "" && id != decodedUser || form.Has("client_secret") || form.Has("client_assertion") {
			return Client{}, "two ways of client authentication"
		}
		id, secret, method = decodedUser, decodedPassword, "client_secret_basic"
	} else if form.Has("client_secret") {
		secret, method = form.Get("client_secret"), "client_secret_post"
	} else if form.Has("client_assertion") {
		method = "private_key_jwt"
	}
	p.secret(secret, form.Get("client_assertion"))
	if method == "private_key_jwt" && id == "" {
		id = unverifiedIssuer(form.Get("client_assertion"))
	}
	c, ok := p.client(id)
	if byGrant := form.Get("assertion"); !ok && id == "" && method == "none" && byGrant != "" {
		if c, ok = p.client(unverifiedIssuer(byGrant)); ok && c.Key != nil { // RFC 7523 section 3.1: the grant's signature is the client's proof
			return c, ""
		}
	}
	switch {
	case !ok:
		return Client{}, "unknown client"
	case c.method() != method:
		return Client{}, "registered with " + c.method() + ", came with " + method
	case method == "private_key_jwt":
		return c, p.judgeAssertion(c, form)
	case secret != c.Secret:
		return Client{}, "wrong secret"
	}
	return c, ""
}

// unverifiedIssuer is the client that an assertion says to be of: its signature is judged with this client's key.
func unverifiedIssuer(assertion string) string {
	signed, err := jose.ParseSignedCompact(assertion, assertionAlgorithms)
	if err != nil {
		return ""
	}
	var claims struct{ Iss string }
	_ = json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims)
	return claims.Iss
}

var assertionAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// judgeAssertion is RFC 7523 section 3: who, for whom, how long, and once.
func (p *IdP) judgeAssertion(c Client, form url.Values) (why string) {
	if form.Get("client_assertion_type") != assertionType {
		return "client_assertion_type"
	}
	signed, err := jose.ParseSignedCompact(form.Get("client_assertion"), assertionAlgorithms)
	if err != nil {
		return "the assertion is no signed JWT"
	}
	payload, err := signed.Verify(c.Key)
	if err != nil {
		return "the assertion's signature"
	}
	if c.KeyID != "" && signed.Signatures[0].Header.KeyID != c.KeyID {
		return "the assertion's kid"
	}
	var claims struct {
		Iss, Sub, Jti string
		Aud           any
		Iat, Exp      int64
	}
	if json.Unmarshal(payload, &claims) != nil {
		return "the assertion's claims"
	}
	audience, _ := claims.Aud.(string)
	now := p.options.Now()
	switch {
	case p.options.ScopeInAssertion: // NetSuite's: neither sub nor jti, at most an hour, PS and ES alone
		switch algorithm := signed.Signatures[0].Header.Algorithm; {
		case !strings.HasPrefix(algorithm, "PS") && !strings.HasPrefix(algorithm, "ES"):
			return "the assertion's algorithm"
		case claims.Iss != c.ID || audience != p.issuer()+"/token":
			return "the assertion's iss or aud"
		case claims.Exp <= now.Unix() || claims.Exp-claims.Iat > 3600:
			return "the assertion's time"
		}
		return ""
	case claims.Iss != c.ID || claims.Sub != c.ID:
		return "the assertion's iss or sub"
	case !slices.Contains([]string{p.issuer() + "/token", p.issuer()}, audience):
		return "the assertion's aud"
	case claims.Exp <= now.Unix() || claims.Exp-claims.Iat > 300 || claims.Iat > now.Add(time.Minute).Unix():
		return "the assertion's time"
	case claims.Jti == "" || p.jtis[claims.Jti]:
		return "the assertion's jti was used before"
	}
	p.jtis[claims.Jti] = true
	return ""
}

func refuseClient(w http.ResponseWriter, r *http.Request, why string) {
	if strings.HasPrefix(r.Header.Get("Authorization"), "Basic") {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
	}
	oauthError(w, http.StatusUnauthorized, "invalid_client", why)
}
