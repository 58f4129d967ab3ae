package config

// OAuth says through which provider callers log in, and what the gateway issues to their clients. The gateway is an
// OAuth 2.1 authorization server to MCP clients, and a client of the provider.
type OAuth struct {
	// Provider is where people log in, by its name under providers.
	Provider string `yaml:"provider"`
	// Scopes are the gateway's own: asked for at login, checked per tool. A client that names none gets all of them.
	Scopes []string `yaml:"scopes"`
	// Consent says when a person is asked whether a client may act for them: always, or remember (for a client under
	// clients.known not again in the same browser for the same redirect URI, scopes and resource; the others are asked for each time, since
	// anybody may be one). off asks nobody, which lets any web page start a login in a person's
	// name; it is taken only where public_url is on loopback.
	Consent string `yaml:"consent" default:"always" enum:"always,remember,off"`
	// TrustedClients are ids of known clients for which nobody is asked.
	TrustedClients []string `yaml:"trusted_clients"`
	// AccessTokenTTL is how long an access token of the gateway's own holds, at most a day. Whether the login is still
	// good is looked up at every call, so a longer time does not make access outlive a revocation.
	AccessTokenTTL Duration `yaml:"access_token_ttl" default:"1h"`
	// RefreshTokenTTL is how long a login may lie idle: each refresh begins it anew.
	RefreshTokenTTL Duration `yaml:"refresh_token_ttl" default:"30d"`
	// SessionTTL ends a login however often it is refreshed.
	SessionTTL Duration `yaml:"session_ttl" default:"365d"`
	// RedirectPath is where the provider sends the person back to: public_url with this path is what the provider's
	// client has to be registered with.
	RedirectPath string `yaml:"redirect_path" default:"/auth/callback"`
	// RefreshGrace is how long a refresh token that was just replaced gets the same answer again, for clients that ask
	// twice at once; at most a minute. After it, a replaced token ends the login.
	RefreshGrace Duration `yaml:"refresh_grace" default:"30s"`
	// IssParameter puts the issuer on redirects to clients (RFC 9207) and says so in the metadata.
	IssParameter *bool        `yaml:"iss_parameter" default:"true"`
	Clients      OAuthClients `yaml:"clients"`
	Store        Store        `yaml:"store"`
	// CacheSize is how many people's upstream tokens are kept in memory, besides the store.
	CacheSize int `yaml:"cache_size" default:"10000"`
}

// OAuthClients says which MCP clients may ask people to log in.
type OAuthClients struct {
	// Registration lets clients register themselves (RFC 7591). Nothing is stored: a client's metadata is sealed into its id.
	Registration *bool `yaml:"registration" default:"true"`
	// MetadataDocuments lets a client be the URL of a document that describes it.
	MetadataDocuments *bool `yaml:"metadata_documents" default:"true"`
	// RedirectURIs narrows what redirect URIs clients may have: scheme://host/path, where the host may begin with *., the
	// path may end with /*, and the port of a loopback address may be *; an application's own scheme is written exactly. Without
	// it: any https, loopback, and cursor://anysphere.cursor-mcp/oauth/callback.
	RedirectURIs []string `yaml:"redirect_uris"`
	// Documents are client metadata documents by their URL, read from files instead of being fetched, for a gateway
	// without a way to the Internet.
	Documents map[string]string `yaml:"documents" path:"file"`
	// Hosts narrows whose metadata documents are taken: host names, of which *. may begin one, with a port where it is not
	// 443. Without it: any.
	Hosts []string `yaml:"hosts"`
	// Known are clients registered here by hand.
	Known []KnownClient `yaml:"known"`
}

// KnownClient is a client that gateway.yaml itself registers.
type KnownClient struct {
	// ClientID is what the client calls itself.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it at the token endpoint. Without one the client is public.
	ClientSecret Secret `yaml:"client_secret"`
	// ClientName is shown to the person who is asked for consent. Default: the id.
	ClientName string `yaml:"client_name"`
	// RedirectURIs are where the client may be answered, exactly; the port of a loopback address may vary.
	RedirectURIs []string `yaml:"redirect_uris"`
}

// Store is where logins under way, clients, grants and upstream tokens are kept, encrypted.
type Store struct {
	// Type: file is a folder with one file for each record, which two processes may share; redis is for replicas; memory forgets all at the end.
	Type string `yaml:"type" default:"file" enum:"memory,file,redis"`
	// Path of the folder, with type file.
	Path string `yaml:"path" default:"data" path:"file"`
	// URL of the server, with type redis: redis://, rediss:// (TLS), or redis+cluster://, rediss+cluster:// with one node's address.
	URL Secret `yaml:"url"`
	// Prefix of every key, with type redis.
	Prefix string `yaml:"prefix" default:"mcpgate"`
	// CAFile holds the authorities (PEM) that are trusted for rediss, besides the system's.
	CAFile string `yaml:"ca_file" path:"file"`
}

// JWTAuth names the issuer whose tokens callers show: JWTs that are checked here, or opaque tokens that the issuer is
// asked about.
type JWTAuth struct {
	// Issuer as the tokens' iss has it. Its keys are found by discovery where JWKSURL is not said.
	Issuer string `yaml:"issuer"`
	// Audience that a token's aud has to hold. Default: the gateway's own resource, public_url with path.
	Audience Strings `yaml:"audience"`
	// JWKSURL is where the issuer's keys are.
	JWKSURL string `yaml:"jwks_url"`
	// Algorithms of signatures that are taken. Default: RS256, PS256, ES256 and EdDSA, with their longer kin.
	Algorithms []string `yaml:"algorithms"`
	// RequiredScopes that every caller's token has to have.
	RequiredScopes []string `yaml:"required_scopes"`
	// Leeway for clocks that differ, in exp, nbf and iat.
	Leeway Duration `yaml:"leeway" default:"60s"`
	// IntrospectionURL is asked about tokens that are no JWTs (RFC 7662).
	IntrospectionURL string `yaml:"introspection_url"`
	// ClientID names the gateway to the introspection endpoint.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it there.
	ClientSecret Secret `yaml:"client_secret"`
	// AuthorizationServers are told to clients in the protected resource metadata. Default: the issuer.
	AuthorizationServers []string `yaml:"authorization_servers"`
}
