package config

// SandboxURL as a base_url means: the built-in sandbox answers for this upstream, from its document.
const SandboxURL = "sandbox:"

// Defaults hold for every upstream that does not say otherwise, key by key.
type Defaults struct {
	// After Load every Upstream is complete: nobody but this package looks in here.

	// Timeout bounds one attempt.
	Timeout  Duration `yaml:"timeout" default:"20s"`
	Retry    Retry    `yaml:"retry"`
	Response Response `yaml:"response"`
}

// Upstream is one HTTP API.
type Upstream struct {
	Name string `yaml:"-"` // its key in gateway.yaml

	// Preset fills in what is known of a product, such as salesforce or netsuite.
	Preset Later `yaml:"preset"`
	// Spec is the OpenAPI document: a file, a folder's root document, a URL, or a list of these. Without one the tools
	// have a request each.
	Spec Strings `yaml:"spec" path:"location"`
	// Overlays are OpenAPI Overlay 1.0 files that mend the documents before anything reads them: a file, a URL, or a list of
	// these, applied in this order.
	Overlays Strings `yaml:"overlays" path:"location"`
	// BaseURL is the API's root; {name} stands for a variable, and {token.NAME} for what the caller's login brought along
	// (keep of the provider). Default: the document's first server. "sandbox:" is the
	// built-in sandbox, which answers from the document and keeps what it is told in memory.
	BaseURL string `yaml:"base_url"`
	// AllowHosts are the hosts that a {token.NAME} in BaseURL may lead to, such as `*.my.salesforce.com`, with a port or
	// without. The caller's token is sent there and nowhere else.
	AllowHosts []string `yaml:"allow_hosts"`
	// Variables fill the {name}s of BaseURL, of the document's servers and of paths.
	Variables  map[string]*Variable `yaml:"variables"`
	Credential Credential           `yaml:"credential"`
	// Headers are put on every request. Their values never show in logs and dry runs. What the upstream repeats of them is
	// masked in its error messages where the header's name tells of a secret (auth, key, token, secret, cookie, pass, sign,
	// credential, session); the data of an answer is passed on as it is.
	Headers map[string]Secret `yaml:"headers"`
	// Timeout bounds one attempt; server.call_timeout bounds them all.
	Timeout Duration `yaml:"timeout" default:"20s"`
	Retry   Retry    `yaml:"retry"`
	Limits  Limits   `yaml:"limits"`
	// Breaker stops asking for a while after failures in a row.
	Breaker Later `yaml:"breaker"`
	// Idempotency names the header that makes a POST repeatable, such as Idempotency-Key.
	Idempotency Later `yaml:"idempotency"`
	// TLS is a client certificate that the gateway shows this upstream (mutual TLS), and authorities for it alone.
	TLS    UpstreamTLS `yaml:"tls"`
	Errors Errors      `yaml:"errors"`
	// Page says how the upstream's lists are paged. Without it, that is guessed from the document: see docs/paging.md.
	Page     Page     `yaml:"page"`
	Response Response `yaml:"response"`
	// Prefix stands before every tool name that comes from the document or from records; a key of tools or queries is
	// used as it is. Default: none with one upstream, the upstream's name and _ with several.
	Prefix *string `yaml:"prefix"`
	// Expose says which operations become tools by themselves; read_only is GET and HEAD. With all the model may change
	// and delete whatever the credential may.
	Expose string `yaml:"expose" default:"read_only" enum:"read_only,all,none"`
	// Include adds operations: an operationId, "METHOD /path", or "tag:NAME"; * and ** are wildcards.
	Include []string `yaml:"include"`
	// Exclude takes operations away, in the same notation, and wins.
	Exclude []string `yaml:"exclude"`
	// Tools are operations or requests that are described here; an entry replaces the tool its operation would have made.
	Tools map[string]*Tool `yaml:"tools"`
	// Records make create_, get_, update_, delete_, list_ and upsert_ tools for a record type.
	Records map[string]*Record `yaml:"records"`
	// Queries make tools that run a query language; the key is the tool's name.
	Queries map[string]*Query `yaml:"queries"`
}

// Sandbox reports whether the built-in sandbox answers for the upstream.
func (u *Upstream) Sandbox() bool { return u.BaseURL == SandboxURL }

// Path is where the upstream stands in gateway.yaml.
func (u *Upstream) Path() Path { return Path{"upstreams", u.Name} }

// Variable is a {name} in a URL: a value, or a choice that the model makes.
type Variable struct {
	// Value of the variable, such as ${REGION:-eu}.
	Value string `yaml:"value"`
	// Argument lets the model choose among Enum, and only these.
	Argument bool `yaml:"argument"`
	// Enum lists what the model may choose. It decides which host is called: name no host that you don't trust.
	Enum []string `yaml:"enum"`
}

// UpstreamTLS is how the gateway meets an upstream: what it shows, and whom it trusts. The certificate is shown to the upstream's own
// hosts alone, not after a redirect to another one.
type UpstreamTLS struct {
	// CertFile holds the client certificate and its chain (PEM).
	CertFile string `yaml:"cert_file" path:"file"`
	// KeyFile holds its private key (PEM).
	KeyFile string `yaml:"key_file" path:"file"`
	// CAFile holds authorities (PEM) that are trusted for this upstream, besides outbound.ca_file and the system's.
	CAFile string `yaml:"ca_file" path:"file"`
}

// Credential is what the gateway shows to an upstream. With login it is the caller's own token; with every other type
// everybody who may call the gateway acts with it.
type Credential struct {
	// Type says how: bearer needs Token, basic Username and Password, api_key In, Name and Value.
	// login needs Provider, and callers who log in there: auth.mode oauth, or stdio after `mcpgate login`.
	// client_credentials needs TokenURL, ClientID and ClientSecret or KeyFile; jwt_bearer TokenURL, ClientID or Issuer, and KeyFile; both take Provider
	// instead. forward needs Headers. docs/credentials.md has an example of each.
	Type string `yaml:"type" default:"none" enum:"none,bearer,basic,api_key,login,client_credentials,jwt_bearer,forward" later:"token_exchange"`
	// Token of type bearer: sent as Authorization: Bearer.
	Token Secret `yaml:"token"`
	// Username of type basic.
	Username Secret `yaml:"username"`
	// Password of type basic; may be empty.
	Password Secret `yaml:"password"`
	// In says where an api_key goes. In the query it may show in the upstream's logs.
	In string `yaml:"in" enum:"header,query,cookie"`
	// Name is the header, query parameter or cookie of an api_key.
	Name string `yaml:"name"`
	// Value of an api_key.
	Value Secret `yaml:"value"`

	// Provider is where the token comes from, by its name under providers: the caller's own with login, the gateway's with client_credentials and jwt_bearer.
	Provider string `yaml:"provider"`
	// TokenURL is the token endpoint of client_credentials and jwt_bearer, where no provider is named.
	TokenURL string `yaml:"token_url"`
	// ClientID names the gateway at the token endpoint. With jwt_bearer it is the assertion's issuer, unless Issuer is said.
	ClientID string `yaml:"client_id"`
	// ClientSecret proves it there.
	ClientSecret Secret `yaml:"client_secret"`
	// TokenEndpointAuthMethod says how the gateway proves itself. Default: client_secret_basic with a secret, private_key_jwt with a key, else none. With
	// jwt_bearer the key signs the assertion, and the default is client_secret_basic with a secret, else none.
	TokenEndpointAuthMethod string `yaml:"token_endpoint_auth_method" enum:"client_secret_basic,client_secret_post,private_key_jwt,none"`
	// KeyFile holds the private key (PEM, JWK, or the JSON file of a Google service account) that signs: with client_credentials what private_key_jwt shows,
	// with jwt_bearer the assertion.
	KeyFile string `yaml:"key_file" path:"file"`
	// KeyID is sent as kid: NetSuite's certificate id.
	KeyID string `yaml:"key_id"`
	// Algorithm of the signature; NetSuite takes PS256. Default: RS256 with an RSA key, ES256 with an elliptic one.
	Algorithm string `yaml:"algorithm" enum:"RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA"`
	// Scopes that are asked for.
	Scopes []string `yaml:"scopes"`
	// Issuer of the assertion of jwt_bearer: Google's client_email. Default: the client id.
	Issuer string `yaml:"issuer"`
	// Subject of the assertion: whom the gateway acts as, such as a user's name at Salesforce.
	Subject string `yaml:"subject"`
	// Audience of the assertion of jwt_bearer. Default: the token endpoint. With client_credentials it is sent as a parameter, as Auth0 wants it.
	Audience string `yaml:"audience"`
	// TokenLifetime is how long a token holds where the answer does not say (Salesforce); without it, until the API refuses it.
	TokenLifetime Duration `yaml:"token_lifetime"`
	// Keep lists fields of the token answer for base_url, such as instance_url: {token.instance_url}.
	Keep []string `yaml:"keep"`
	// Headers of the caller's own request that are passed on, with type forward, and no others. Authorization and X-API-Key are among them with auth.mode none
	// alone: in the other modes they carry what is for the gateway. Whoever runs a client decides what they say.
	Headers []string `yaml:"headers"`
}

// Retry says when an attempt is repeated. GET, HEAD, OPTIONS, PUT and DELETE are; a POST or PATCH only after an answer
// that proves it was not carried out, or where the tool is idempotent.
type Retry struct {
	// Attempts at most, the first included; 1 means never again.
	Attempts int `yaml:"attempts" default:"4"`
	// Backoff before the second attempt; it doubles each time, with jitter.
	Backoff Duration `yaml:"backoff" default:"500ms"`
	// MaxBackoff bounds the wait that the gateway chooses. A Retry-After counts up to what is left of the call's time.
	MaxBackoff Duration `yaml:"max_backoff" default:"8s"`
	// On lists what is tried again: statuses, connect, timeout.
	On Strings `yaml:"on" default:"[429, 500, 502, 503, 504, connect, timeout]"`
	// Unsafe repeats a POST or PATCH as if it were a GET. What was carried out once may be carried out twice.
	Unsafe bool `yaml:"unsafe"`
}

// Limits keep the gateway from asking too much of an upstream. Each replica counts for itself.
type Limits struct {
	// Concurrency bounds the requests under way at once; 0 means no limit.
	Concurrency int `yaml:"concurrency"`
	// Rate bounds the requests per time, such as 20/s.
	Rate Rate `yaml:"rate"`
	// Burst is how many may go at once within Rate. Default: the number in Rate.
	Burst int `yaml:"burst"`
	// Queue bounds the calls that wait; one more is refused at once.
	Queue int `yaml:"queue" default:"100"`
	// PerCaller counts Concurrency and Rate for each caller instead of for all.
	PerCaller bool `yaml:"per_caller"`
}

// Page says how an upstream's lists go on. It holds for every operation that only reads and has the parameter, or that
// has no document. A path is one into the answer: .items, .meta.next, ."@odata.nextLink", .data[-1].id,
// .links[rel=next].href.
type Page struct {
	// Style is offset (a parameter skips items), page (a parameter numbers the pages), cursor (the answer has a value for a
	// parameter), link (a Link header, RFC 8288) or next_url (the answer has the next page's URL, which is followed on the
	// same host alone).
	Style string `yaml:"style" enum:"offset,page,cursor,link,next_url"`
	// Limit names the parameter that says how many items a page has.
	Limit string `yaml:"limit"`
	// Offset names the parameter of style offset. Default: offset.
	Offset string `yaml:"offset"`
	// Page names the parameter of style page. Default: page.
	Page string `yaml:"page"`
	// Cursor names the parameter of style cursor. Default: cursor.
	Cursor string `yaml:"cursor"`
	// Items is the path of the list. Default: where the document has it, else the array that is found.
	Items string `yaml:"items"`
	// More is the path of what is true while there are more pages. Without it, a list ends at its total, or at a page that
	// is shorter than was asked for.
	More string `yaml:"more"`
	// Next is the path of the cursor, or of the next page's URL.
	Next string `yaml:"next"`
	// Size of a page, where a call does not say it. Default: the API's own.
	Size int `yaml:"size"`
}

// Response says how much of an answer the model gets.
type Response struct {
	// Select is a jq expression that takes out of an answer what the model needs, such as [.items[] | {id, name}]. It
	// runs before the cut to MaxTokens.
	Select string `yaml:"select"`
	// MaxTokens cuts an answer, at whole items where it is a list, and says so; a token is 4 bytes.
	MaxTokens int `yaml:"max_tokens" default:"15000"`
	// OutputSchema publishes the schema of the tool's results: the document's, made lenient. It costs context in every
	// client. Default: false.
	OutputSchema *bool `yaml:"output_schema"`
	// MaxBytes bounds an answer on the wire; a larger one is a fault.
	MaxBytes Size `yaml:"max_bytes" default:"10MiB"`
}
