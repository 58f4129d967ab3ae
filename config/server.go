package config

// Server says where and how the gateway listens.
type Server struct {
	// Listen is the address for MCP, the status page and the health paths. Default: all addresses at
	// $PORT or $WEBSITES_PORT where one is set; else ":8080", or 127.0.0.1:8080 with auth.mode none. With auth.mode none
	// another address than loopback needs `serve --insecure`: anybody who reaches it may call every tool.
	Listen string `yaml:"listen"`
	// Health is a second address for the health paths alone, for probes, or "off". They are on Listen too.
	Health string `yaml:"health" default:"off"`
	// Admin is the address of /debug and the console, or "off". Anywhere but on loopback it needs AdminKey.
	Admin string `yaml:"admin" default:"off"`
	// AdminKey is the bearer key of the admin address.
	AdminKey Secret `yaml:"admin_key"`
	// PublicURL is how clients reach the gateway. With a login it is the issuer, and has to be https anywhere but on
	// loopback. Default: http://localhost and the port of Listen.
	PublicURL string `yaml:"public_url"`
	// Path is where MCP is served.
	Path string `yaml:"path" default:"/mcp"`
	// SSE serves the deprecated transport with two endpoints too, /sse and /messages, for old clients. It holds a
	// connection open for each client, and can't be spread over several replicas.
	SSE bool `yaml:"sse"`
	// TrustedProxies are the addresses or networks (CIDR) whose X-Forwarded-* headers count. Whoever calls from there
	// can claim to be anybody.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// AllowedOrigins are browser origins that may call, besides PublicURL's own. "*" allows all: then any web page that
	// a person opens can call a gateway that this person reaches.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// MaxBody bounds a request's body; a larger one is refused with 413.
	MaxBody Size `yaml:"max_body" default:"4MiB"`
	// CallTimeout bounds a whole tool call, retries and waiting included. Most clients give up after 60 s.
	CallTimeout Duration `yaml:"call_timeout" default:"55s"`
	// ShutdownGrace is how long calls under way may take to end when the gateway stops. A platform that kills sooner
	// (Docker after 10 s, Azure after 5 s) has to be told.
	ShutdownGrace Duration  `yaml:"shutdown_grace" default:"25s"`
	TLS           ServerTLS `yaml:"tls"`
}

// ServerTLS is the certificate that the gateway shows, and the authorities whose client certificates it demands.
type ServerTLS struct {
	// CertFile holds the certificate and its chain (PEM).
	CertFile string `yaml:"cert_file" path:"file"`
	// KeyFile holds its private key (PEM).
	KeyFile string `yaml:"key_file" path:"file"`
	// ClientCAFile holds the authorities (PEM) whose client certificates are demanded: nobody calls without one.
	ClientCAFile string `yaml:"client_ca_file" path:"file"`
}

// Outbound rules every request that the gateway makes.
type Outbound struct {
	// CAFile holds certificates (PEM) that are trusted besides the system's.
	CAFile string `yaml:"ca_file" path:"file"`
	// Proxy is the URL of an HTTP proxy. Default: none; the environment's HTTPS_PROXY counts only where it is named here,
	// as in ${HTTPS_PROXY:-}.
	Proxy string `yaml:"proxy"`
	// NoProxy lists hosts that are reached directly, as the NO_PROXY variable does.
	NoProxy string `yaml:"no_proxy"`
	// DenyPrivate refuses URLs that a document, an answer or a client names when they lead to loopback, link-local,
	// private or metadata addresses. False lets whoever writes a document or an answer reach your own network.
	DenyPrivate *bool `yaml:"deny_private" default:"true"`
	// Allow lists exceptions to DenyPrivate: host, host:port or CIDR. What this file itself names (base_url, spec) is
	// allowed as it stands.
	Allow []string `yaml:"allow"`
}

// Auth says who may call the gateway.
type Auth struct {
	// Mode says what callers show: nothing (then the gateway listens on loopback), one of the keys of APIKey, a login
	// through a provider (oauth), or an issuer's token (jwt). Over stdio nobody is asked.
	Mode   string     `yaml:"mode" default:"none" enum:"none,api_key,oauth,jwt"`
	APIKey APIKeyAuth `yaml:"api_key"`
	OAuth  OAuth      `yaml:"oauth"`
	JWT    JWTAuth    `yaml:"jwt"`
	// Roles are conditions (CEL) over the claims of who logged in or of the token, for the allow of tools, such as
	// {admin: '"erp-admins" in claims.groups'}. What can't be decided, since a claim is missing, does not hold.
	Roles map[string]string `yaml:"roles"`
	// Implies names the scopes that a scope brings along, such as crm.write: [crm.read].
	Implies map[string][]string `yaml:"implies"`
}

// APIKeyAuth lists the keys that callers show as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
type APIKeyAuth struct {
	// Keys are the callers' keys, one or more.
	Keys []APIKey `yaml:"keys"`
}

// APIKey is one caller's key.
type APIKey struct {
	// Name is who it is, for logs.
	Name string `yaml:"name"`
	// SHA256 is the key's SHA-256 in hexadecimal, so that this file holds no key. `printf %s "$KEY" | sha256sum` makes it.
	// Take a random key of 32 bytes: a short one can be guessed from its hash.
	SHA256 string `yaml:"sha256"`
	// Scopes that the caller has.
	Scopes []string `yaml:"scopes"`
}

// Telemetry says what the gateway tells about itself.
type Telemetry struct {
	Log Log `yaml:"log"`
	// Metrics are served for Prometheus at the admin address, under /metrics.
	Metrics Later `yaml:"metrics"`
	// Traces are sent to an OpenTelemetry endpoint.
	Traces Later `yaml:"traces"`
	// Audit writes who called what, with which outcome, to a file.
	Audit Later `yaml:"audit"`
}

// Log is written to stderr, secrets masked.
type Log struct {
	// Level is the least that is written.
	Level string `yaml:"level" default:"info" enum:"debug,info,warn,error"`
	// Format of a line. Default: text on a terminal, json elsewhere.
	Format string `yaml:"format" enum:"text,json"`
}
