package config

// Provider is where people log in, and where upstream tokens come from: an OpenID provider that is discovered by its
// issuer, or an OAuth authorization server whose endpoints are written here.
type Provider struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Preset fills in what is known of a product.
	Preset Later `yaml:"preset"`
	// AccountID fills a preset in.
	AccountID Later `yaml:"account_id"`
	// Issuer of an OpenID provider; its metadata names the endpoints. What is written here besides wins.
	Issuer string `yaml:"issuer"`
	// AuthorizationURL is where people are sent to log in.
	AuthorizationURL string `yaml:"authorization_url"`
	// TokenURL is where codes and refresh tokens are exchanged.
	TokenURL string `yaml:"token_url"`
	// UserinfoURL says who logged in, where there is no id_token or it lacks what subject names.
	UserinfoURL string `yaml:"userinfo_url"`
	// RevocationURL is told when a login ends (RFC 7009).
	RevocationURL string `yaml:"revocation_url"`
	// ClientID of the gateway at the provider.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it. Without one the gateway is a public client, with PKCE.
	ClientSecret Secret `yaml:"client_secret"`
	// TokenEndpointAuthMethod says how the gateway proves who it is. Default: client_secret_basic with a secret, none without.
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method" enum:"client_secret_basic,client_secret_post,private_key_jwt,none"`
	// PrivateKey signs what private_key_jwt shows.
	PrivateKey PrivateKey `yaml:"private_key"`
	// Scopes that are asked for at the provider. Default: openid with an issuer, none without.
	Scopes []string `yaml:"scopes"`
	// ScopeMap names the provider's scope for each of ours. Ours that are not in it are not asked for.
	ScopeMap map[string]string `yaml:"scope_map"`
	// PKCE sends a challenge of the gateway's own to the provider; never the client's.
	PKCE *bool `yaml:"pkce" default:"true"`
	// SendResource sends the resource parameter (RFC 8707) to the provider: the base_url of the upstream.
	SendResource bool `yaml:"send_resource"`
	// AuthorizeParams are put on the authorization request besides.
	AuthorizeParams map[string]string `yaml:"authorize_params"`
	// TokenParams are put on every token request besides.
	TokenParams map[string]string `yaml:"token_params"`
	// Subject is where the person's id stands: a dotted name in the id_token, the userinfo answer or the token answer, in this order.
	Subject string          `yaml:"subject" default:"sub"`
	Refresh ProviderRefresh `yaml:"refresh"`
	// Keep lists the fields of the token answer and of the callback that are kept with a login, such as instance_url and company, for the variables
	// of an upstream: {token.instance_url}.
	Keep []string `yaml:"keep"`
	// TokenLifetime is how long an access token holds where the answer does not say; without it, until the upstream refuses it.
	TokenLifetime Duration `yaml:"token_lifetime"`
	// CAFile holds the authorities (PEM) that are trusted for this provider, besides outbound.ca_file and the system's.
	CAFile string `yaml:"ca_file" path:"file"`
}

// PrivateKey signs assertions (RFC 7523).
type PrivateKey struct {
	// KeyFile holds the private key (PEM or JWK).
	KeyFile string `yaml:"key_file" path:"file"`
	// KeyID is sent as kid.
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
	// SendScopes repeats the scopes in the request, which Entra demands.
	SendScopes bool `yaml:"send_scopes"`
	// Params are put on the request besides.
	Params map[string]string `yaml:"params"`
	// DeadCodes are the error codes after which a login is over. Every other failure keeps it.
	DeadCodes []string `yaml:"dead_codes" default:"[invalid_grant, unauthorized_client]"`
}
