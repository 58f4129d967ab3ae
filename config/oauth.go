package config

// OAuth says through which provider callers log in, and what the gateway issues to their clients. To MCP clients the
// gateway is an OAuth 2.1 authorization server, and to the provider a client: a person logs in at the provider, the
// provider's tokens stay in the gateway's store, and the client gets tokens of the gateway's own.
type OAuth struct {
	// Provider is where people log in, by its name under providers. Register public_url with RedirectPath as the redirect
	// URI of the client there.
	Provider string `yaml:"provider"`
	// Scopes are the gateway's own: asked for at login, shown at consent, and checked by the scopes of tools. A client that
	// names none gets all of them. What they are at the provider says its scope_map.
	Scopes []string `yaml:"scopes"`
	// Consent says when a person is asked whether a client may act for them: always, or remember, which asks for a client
	// under clients.known not again in the same browser for the same redirect URI, scopes and resource, and for the others,
	// who may be anybody, each time. With off nobody is asked, which lets any web page log in in the name of whoever opens
	// it; it is taken only where public_url is on loopback.
	Consent string `yaml:"consent" default:"always" enum:"always,remember,off"`
	// TrustedClients are the known clients, by their client_id, for which nobody is asked.
	TrustedClients []string `yaml:"trusted_clients"`
	// AccessTokenTTL is how long an access token of the gateway's own holds: 1m to 24h. Whether the login still stands is
	// looked up besides, so that a longer time does not let access outlive a revocation.
	AccessTokenTTL Duration `yaml:"access_token_ttl" default:"1h"`
	// RefreshTokenTTL is how long a login may lie idle; each use begins it anew. At most SessionTTL.
	RefreshTokenTTL Duration `yaml:"refresh_token_ttl" default:"30d"`
	// SessionTTL ends a login however often it is used: then the person has to log in again.
	SessionTTL Duration `yaml:"session_ttl" default:"365d"`
	// RedirectPath is where the provider sends people back to, below public_url. It is none of the gateway's other paths.
	RedirectPath string `yaml:"redirect_path" default:"/auth/callback"`
	// RefreshGrace is how long a refresh token that was just replaced gets the same answer again, for clients that ask
	// twice at once; 0s to 60s. A replaced token that is shown later ends the login, since somebody has stolen it.
	RefreshGrace Duration `yaml:"refresh_grace" default:"30s"`
	// IssParameter puts the issuer on redirects to clients (RFC 9207), and says so in the metadata. Switch it off only for
	// a client that stumbles over it: without it a client can't tell two authorization servers apart.
	IssParameter *bool        `yaml:"iss_parameter" default:"true"`
	Clients      OAuthClients `yaml:"clients"`
	Store        Store        `yaml:"store"`
	// CacheSize is how many logins' upstream tokens are kept in memory besides the store; 0 asks the store at every call.
	CacheSize int `yaml:"cache_size" default:"10000"`
}

// OAuthClients says which MCP clients may ask people to log in. By default any may: a client can do nothing before a
// person consents to it, and consent shows where the answer goes.
type OAuthClients struct {
	// Registration lets clients register themselves (RFC 7591), as most do. Nothing is stored: what a client says of itself
	// is sealed into its id with the file's key. A key that is taken away makes its clients register again.
	Registration *bool `yaml:"registration" default:"true"`
	// MetadataDocuments lets a client's id be the https URL of a document that describes it, as with claude.ai, Claude Code
	// and ChatGPT. The document is fetched, from public addresses alone.
	MetadataDocuments *bool `yaml:"metadata_documents" default:"true"`
	// RedirectURIs narrows where clients may be answered: `scheme://host/path`, where `*.` may begin the host, `/*` may end
	// the path, and the port of a loopback address may be `*`, as in `http://localhost:*/*`. Without a path `/` alone is
	// meant; an application's own scheme is written exactly. A client's own redirect URI counts all the same, byte for
	// byte. An empty list takes any https address, loopback, and `cursor://anysphere.cursor-mcp/oauth/callback`.
	RedirectURIs []string `yaml:"redirect_uris"`
	// Documents are client metadata documents by their URL, read from files instead of being fetched, for a gateway
	// without a way to the Internet.
	Documents map[string]string `yaml:"documents" path:"file"`
	// Hosts narrows whose metadata documents are taken: host names, of which `*.` may begin one, with a port
	// where it is not 443. An empty list takes any.
	Hosts []string `yaml:"hosts"`
	// Known are clients that are registered here by hand.
	Known []KnownClient `yaml:"known"`
}

// KnownClient is a client that gateway.yaml itself registers.
type KnownClient struct {
	// ClientID is what the client calls itself.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it at the token endpoint. Without one the client is public, and has PKCE alone.
	ClientSecret Secret `yaml:"client_secret"`
	// ClientName is shown to the person who is asked for consent. Default: the id.
	ClientName string `yaml:"client_name"`
	// RedirectURIs are where the client may be answered, exactly; only the port of a loopback address may vary
	// (RFC 8252 section 7.3).
	RedirectURIs []string `yaml:"redirect_uris"`
}

// Store is where logins under way, clients, and people's upstream tokens are kept, sealed with keys that are derived from
// key.
type Store struct {
	// Type says how: file is a folder with one file for each record, on a local disk or a network share, for one gateway
	// and the one that replaces it; redis is for replicas; memory forgets every login when the gateway stops.
	Type string `yaml:"type" default:"file" enum:"memory,file,redis"`
	// Path is the folder of type file. Whoever reads it can't open the records without the key, and without a key in
	// gateway.yaml (on loopback) the key lies beside them.
	Path string `yaml:"path" default:"data" path:"file"`
	// URL is the server of type redis: redis://, rediss:// (TLS), or redis+cluster:// and rediss+cluster:// with the
	// address of one node. It has to keep what it is given: maxmemory-policy noeviction.
	URL Secret `yaml:"url"`
	// Prefix of every key, with type redis.
	Prefix string `yaml:"prefix" default:"mcpgate"`
	// CAFile holds the authorities (PEM) that are trusted for rediss, besides the system's.
	CAFile string `yaml:"ca_file" path:"file"`
}

// JWTAuth names the issuer whose tokens callers show: JWTs that are checked here, or opaque tokens that the issuer is
// asked about. It needs Issuer, JWKSURL or IntrospectionURL.
type JWTAuth struct {
	// Issuer is what the tokens' iss has to be, byte for byte. Its keys are found by discovery where JWKSURL is not said.
	Issuer string `yaml:"issuer"`
	// Audience is what a token's aud has to hold, one of these. Default: the gateway's own resource, public_url with path.
	// A token for somebody else is refused, whoever issued it.
	Audience Strings `yaml:"audience"`
	// JWKSURL is where the issuer's keys are.
	JWKSURL string `yaml:"jwks_url"`
	// Algorithms are those of signatures that are taken. Default: RS256, PS256, ES256 and EdDSA, with their longer kin.
	// HS256 and its kin never are.
	Algorithms []string `yaml:"algorithms"`
	// RequiredScopes are what every caller's token has to have.
	RequiredScopes []string `yaml:"required_scopes"`
	// Leeway is for clocks that differ, in exp, nbf and iat; at most 5m.
	Leeway Duration `yaml:"leeway" default:"60s"`
	// IntrospectionURL is asked about tokens that are no JWTs (RFC 7662).
	IntrospectionURL string `yaml:"introspection_url"`
	// ClientID names the gateway to the introspection endpoint.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it there.
	ClientSecret Secret `yaml:"client_secret"`
	// AuthorizationServers are where clients are told to get a token, in the protected resource metadata (RFC 9728).
	// Default: the issuer.
	AuthorizationServers []string `yaml:"authorization_servers"`
}
