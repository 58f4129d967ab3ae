package fakeidp

import (
	"crypto"
	"net/http"
	"time"
)

// Client is a registered client. It is held to what its registration says: another way to prove itself is invalid_client.
type Client struct {
	ID           string
	Secret       string
	AuthMethod   string           // default: client_secret_basic with a secret, private_key_jwt with a key, else none
	Key          crypto.PublicKey // of private_key_jwt
	KeyID        string           // the kid that its assertions have to carry; "" takes any
	RedirectURIs []string         // compared byte for byte
}

// User is who logs in.
type User struct {
	Subject string
	Claims  map[string]any // put into the id_token and the userinfo answer
}

// Options say what the provider is like. The zero value is a plain, strict OpenID provider for one public client "mcpgate".
type Options struct {
	Origin  string   // scheme://host:port where it is reached; Start sets it
	Path    string   // of the issuer below Origin, such as /realms/acme
	Clients []Client // default: one public client "mcpgate"; Register adds more
	User    User     // logs in at once; default: subject "alice"
	Form    bool     // asks for the user's name on a page instead
	Scopes  []string // what may be asked for; default: openid profile email offline_access
	Now     func() time.Time

	Algorithm      string // of signatures: ES256 (default), RS256 or PS256
	MetadataIssuer string // what the metadata says as issuer, "{origin}" and "{tenantid}" in it; default: the issuer
	TokenIssuer    string // what id_tokens say, "{origin}" in it; default: the issuer
	NoMetadata     bool   // there is no discovery
	NoUserinfo     bool
	NoRevocation   bool
	IssParameter   bool // iss on redirects (RFC 9207)

	StateMin, StateMax int  // characters; 0 is no bound. A minimum makes state required
	OptionalPKCE       bool // else a challenge is required, S256 always
	HTTPSRedirects     bool // http redirect URIs are refused, loopback too
	RefuseResource     bool // resource is answered with 400
	Callback           map[string]string

	AccessTokenTTL  time.Duration // default 5 min
	RefreshTokenTTL time.Duration // 0: it does not end
	MaxRotation     time.Duration // the absolute end of a chain of refresh tokens; 0: none
	CodeTTL         time.Duration // default 60 s
	JWTAccessTokens bool
	OldTokensDie    bool // a refresh ends the access tokens before it
	NoRotation      bool // the refresh token stays; else its second use revokes the whole grant
	PublicRotation  bool // only public clients' refresh tokens are replaced, as NetSuite does it
	OfflineOnly     bool // a refresh token only for the scope offline_access (or refresh_token)
	NoRefreshTokens bool
	ScopeOnRefresh  bool // a refresh without scope is refused

	// ScopeInAssertion is NetSuite's way with client_credentials: the client's assertion names the scopes, may hold for an hour, and has
	// neither sub nor jti.
	ScopeInAssertion bool

	NoExpiresIn      bool
	ExpiresInText    bool // expires_in is a string
	RefreshExpiresIn bool // the answer has refresh_expires_in; 0 for a token that does not end
	NoScope          bool // the answer does not say what was granted
	QuietRotation    bool // an answer that changes no refresh token leaves it out
	FormAnswers      bool // token answers are form-encoded
	Errors200        bool // errors of the token endpoint have status 200
	TokenType        string
	Extra            map[string]any // on every token answer, such as instance_url

	// ChangeIDToken alters an id_token's claims before it is signed.
	ChangeIDToken func(claims map[string]any)
	// ForgeIDToken makes the id_token in the provider's place.
	ForgeIDToken func(claims map[string]any) string
	// OnRefresh is called when a refresh has been done and not been answered yet.
	OnRefresh func(g Grant)
	// OnRequest sees every request to the provider before it is looked at.
	OnRequest func(endpoint string, r *http.Request)
}

func (o *Options) defaults() {
	if len(o.Clients) == 0 {
		o.Clients = []Client{{ID: "mcpgate"}}
	}
	if o.User.Subject == "" {
		o.User.Subject = "alice"
	}
	if o.Scopes == nil {
		o.Scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Algorithm == "" {
		o.Algorithm = "ES256"
	}
	if o.AccessTokenTTL == 0 {
		o.AccessTokenTTL = 5 * time.Minute
	}
	if o.CodeTTL == 0 {
		o.CodeTTL = time.Minute
	}
	if o.TokenType == "" {
		o.TokenType = "Bearer"
	}
}

// Keycloak is like a realm whose clients have "revoke refresh token" on: 5-minute JWT access tokens, refresh_expires_in, iss.
func Keycloak() Options {
	return Options{
		Path: "/realms/acme", Algorithm: "RS256", JWTAccessTokens: true, IssParameter: true, RefreshExpiresIn: true,
		RefreshTokenTTL: 30 * time.Minute, Callback: map[string]string{"session_state": "d7e9c8a2"},
		Extra: map[string]any{"not-before-policy": 0, "session_state": "d7e9c8a2"},
	}
}

// Entra is like Entra ID for several tenants: the issuer of its metadata is a template, resource is refused, a refresh has
// to repeat its scopes, and refresh tokens need offline_access. The tenant of id_tokens is 9188040d-6c67-4c5b-b112-36a304b66dad.
func Entra() Options {
	const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad"
	return Options{
		Path: "/common/v2.0", Algorithm: "RS256", JWTAccessTokens: true, AccessTokenTTL: time.Hour,
		MetadataIssuer: "{origin}/{tenantid}/v2.0", TokenIssuer: "{origin}/" + tenant + "/v2.0",
		User:           User{Subject: "alice", Claims: map[string]any{"tid": tenant, "oid": "1111"}},
		Scopes:         []string{"openid", "profile", "email", "offline_access", "api://crm/read", "api://crm/write"},
		RefuseResource: true, ScopeOnRefresh: true, OfflineOnly: true, NoRevocation: true,
		Extra: map[string]any{"ext_expires_in": 3599},
	}
}

// NetSuite has no discovery and no id_token, wants a state of 22 to 1024 characters and an https redirect URI, answers with
// expires_in as text, and sends role, entity and company with the code. Public clients' refresh tokens rotate, with an absolute end.
func NetSuite() Options {
	return Options{
		NoMetadata: true, NoUserinfo: true, Algorithm: "PS256", JWTAccessTokens: true, AccessTokenTTL: time.Hour,
		StateMin: 22, StateMax: 1024, HTTPSRedirects: true, ExpiresInText: true, NoScope: true, TokenType: "bearer",
		Scopes: []string{"restlets", "rest_webservices", "suite_analytics"}, RefreshTokenTTL: 48 * time.Hour, MaxRotation: 168 * time.Hour, PublicRotation: true, ScopeInAssertion: true,
		Callback: map[string]string{"role": "3", "entity": "12", "company": "123456_SB1"},
	}
}

// Salesforce says no expires_in, keeps its refresh tokens, and names the API's address in each token answer. instanceURL is that
// of the test's own API.
func Salesforce(instanceURL string) Options {
	return Options{
		Path: "/services/oauth2", Algorithm: "RS256", AccessTokenTTL: 2 * time.Hour, NoExpiresIn: true, NoRotation: true, QuietRotation: true,
		OfflineOnly: true, Scopes: []string{"openid", "api", "refresh_token", "offline_access"},
		Extra: map[string]any{"instance_url": instanceURL, "id": instanceURL + "/id/00D/005", "issued_at": "1763852400000", "signature": "c2ln"},
	}
}

// GitHub has no discovery, answers in forms, sends errors with status 200, and issues neither id_tokens nor refresh tokens.
func GitHub() Options {
	return Options{
		NoMetadata: true, Scopes: []string{"repo", "read:user"}, OptionalPKCE: true, NoRefreshTokens: true, NoExpiresIn: true,
		FormAnswers: true, Errors200: true, TokenType: "bearer",
	}
}
