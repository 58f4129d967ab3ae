package config

// Provider is where people log in, and where upstream tokens come from: an OpenID provider whose Issuer is enough, or an
// OAuth authorization server whose endpoints are written here.
type Provider struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Preset fills in what is known of a product.
	Preset Later `yaml:"preset"`
	// AccountID fills a preset in.
	AccountID Later `yaml:"account_id"`
	// Issuer is the OpenID provider's name, byte for byte as its metadata has it, such as
	// https://id.example/realms/acme. The metadata names the endpoints; what is written here besides wins.
	Issuer string `yaml:"issuer"`
	// AuthorizationURL is where people are sent to log in.
	AuthorizationURL string `yaml:"authorization_url"`
	// TokenURL is where codes and refresh tokens are exchanged.
	TokenURL string `yaml:"token_url"`
	// UserinfoURL says who logged in, where there is no id_token or it lacks what Subject names.
	UserinfoURL string `yaml:"userinfo_url"`
	// RevocationURL is told when a login ends (RFC 7009).
	RevocationURL string `yaml:"revocation_url"`
	// ClientID is the gateway's at the provider.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it. Without one, and without a PrivateKey, the gateway is a public client with PKCE.
	ClientSecret Secret `yaml:"client_secret"`
	// TokenEndpointAuthMethod says how the gateway proves who it is. Default: client_secret_basic with a secret,
	// private_key_jwt with a PrivateKey, else none.
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method" enum:"client_secret_basic,client_secret_post,private_key_jwt,none"`
	// PrivateKey signs what private_key_jwt shows.
	PrivateKey PrivateKey `yaml:"private_key"`
	// Scopes are asked for at every login there; some providers want offline_access for a refresh token.
	// Default: openid with an Issuer, none without.
	Scopes []string `yaml:"scopes"`
	// ScopeMap says what each of auth.oauth.scopes is at the provider, several with spaces between. Those that are not in
	// it are not asked for there, and granted by the login itself.
	ScopeMap map[string]string `yaml:"scope_map"`
	// PKCE sends a challenge of the gateway's own to the provider (RFC 7636), never the client's. Switch it off only for a
	// provider that refuses it.
	PKCE *bool `yaml:"pkce" default:"true"`
	// SendResource sends the resource parameter (RFC 8707) to the provider: the base_url of the upstream. Entra ID refuses
	// it, and most others don't know it.
	SendResource bool `yaml:"send_resource"`
	// AuthorizeParams are put on the authorization request besides, such as {prompt: select_account}.
	AuthorizeParams map[string]string `yaml:"authorize_params"`
	// TokenParams are put on every token request besides.
	TokenParams map[string]string `yaml:"token_params"`
	// Subject is where the person's id stands: a dotted name in the id_token, the userinfo answer or the token answer, in
	// this order. Take one that never changes and is never given to somebody else: an e-mail address is neither.
	Subject string          `yaml:"subject" default:"sub"`
	Refresh ProviderRefresh `yaml:"refresh"`
	// Keep lists fields of the token answer and of the callback that are kept with a login, such as instance_url and
	// company, for a base_url with {token.instance_url}.
	Keep []string `yaml:"keep"`
	// TokenLifetime is how long an access token holds where the answer does not say. Without it, until the API refuses it.
	TokenLifetime Duration `yaml:"token_lifetime"`
	// CAFile holds the authorities (PEM) that are trusted for this provider, besides outbound.ca_file and the system's.
	CAFile string `yaml:"ca_file" path:"file"`
}

// PrivateKey signs assertions (RFC 7523).
type PrivateKey struct {
	// KeyFile holds the private key (PEM or JWK).
	KeyFile string `yaml:"key_file" path:"file"`
	// KeyID is sent as kid, by which the provider finds the public key.
	KeyID string `yaml:"key_id"`
	// Algorithm of the signature. Default: RS256 with an RSA key, ES256 with an elliptic one.
	Algorithm string `yaml:"algorithm" enum:"RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA"`
	// Audience of the assertion. Default: the token endpoint.
	Audience string `yaml:"audience"`
}

// ProviderRefresh says how access tokens are renewed.
type ProviderRefresh struct {
	// Buffer is how long before its end a token is renewed; at most a quarter of its life.
	Buffer Duration `yaml:"buffer" default:"5m"`
	// SendScopes repeats the scopes in the request, which Entra ID demands.
	SendScopes bool `yaml:"send_scopes"`
	// Params are put on the request besides.
	Params map[string]string `yaml:"params"`
	// DeadCodes are the error codes after which a login is over and the person has to log in again. Every other failure
	// keeps it, and is tried again.
	DeadCodes []string `yaml:"dead_codes" default:"[invalid_grant, unauthorized_client]"`
}
