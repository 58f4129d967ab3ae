package config

// Server says where and how the gateway listens.
type Server struct {
	// Listen is the address for MCP, the status page and the health paths. Default: all addresses at
	// $PORT or $WEBSITES_PORT where one is set; else ":8080", or 127.0.0.1:8080 with auth.mode none.
	Listen string `yaml:"listen"`
	// Health is a second address for the health paths alone, for probes; "off" by default. They are on Listen too.
	Health string `yaml:"health" default:"off"`
	// Admin is the address of /debug and the console; "off" by default. Anywhere but on loopback it needs AdminKey.
	Admin string `yaml:"admin" default:"off"`
	// AdminKey is the bearer key of the admin address.
	AdminKey Secret `yaml:"admin_key"`
	// PublicURL is how clients reach the gateway. Default: http://localhost and the port of Listen.
	PublicURL string `yaml:"public_url"`
	// Path is where MCP is served. Default /mcp.
	Path string `yaml:"path" default:"/mcp"`
	// SSE serves the deprecated HTTP+SSE transport too, at /sse and /messages.
	SSE bool `yaml:"sse"`
	// TrustedProxies are the addresses (CIDR) whose X-Forwarded-* headers count.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// AllowedOrigins are browser origins that may call, besides PublicURL's own. "*" allows all.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// MaxBody bounds a request's body. Default 4MiB.
	MaxBody Size `yaml:"max_body" default:"4MiB"`
	// CallTimeout bounds a whole tool call, retries and waiting included. Default 55s.
	CallTimeout Duration `yaml:"call_timeout" default:"55s"`
	// ShutdownGrace is how long calls under way may take to end when the gateway stops. Default 25s.
	ShutdownGrace Duration  `yaml:"shutdown_grace" default:"25s"`
	TLS           ServerTLS `yaml:"tls"`
}

// ServerTLS is the certificate that the gateway shows, and the authorities whose client certificates it demands.
type ServerTLS struct {
	CertFile     string `yaml:"cert_file" path:"file"`
	KeyFile      string `yaml:"key_file" path:"file"`
	ClientCAFile string `yaml:"client_ca_file" path:"file"`
}

// Outbound rules every request that the gateway makes.
type Outbound struct {
	// CAFile holds certificates that are trusted besides the system's.
	CAFile string `yaml:"ca_file" path:"file"`
	// Proxy is the URL of an HTTP proxy. Default: none; the environment's HTTPS_PROXY counts only where it is named here.
	Proxy string `yaml:"proxy"`
	// NoProxy lists hosts that are reached directly, as the NO_PROXY variable does.
	NoProxy string `yaml:"no_proxy"`
	// DenyPrivate refuses URLs that a document, an answer or a client names when they lead to loopback, link-local,
	// private or metadata addresses. Default true.
	DenyPrivate *bool `yaml:"deny_private" default:"true"`
	// Allow lists exceptions to DenyPrivate: host, host:port or CIDR. What this file itself names (base_url, spec) is
	// allowed as it stands.
	Allow []string `yaml:"allow"`
}

// Auth says who may call the gateway.
type Auth struct {
	// Mode is none (the default; binds loopback) or api_key. oauth and jwt are not available yet.
	Mode   string     `yaml:"mode" default:"none" enum:"none,api_key" later:"oauth,jwt"`
	APIKey APIKeyAuth `yaml:"api_key"`
	OAuth  Later      `yaml:"oauth"`
	JWT    Later      `yaml:"jwt"`
	Roles  Later      `yaml:"roles"`
}

// APIKeyAuth lists the keys that callers show as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
type APIKeyAuth struct {
	Keys []APIKey `yaml:"keys"`
}

// APIKey is one caller's key.
type APIKey struct {
	// Name is who it is, for logs.
	Name string `yaml:"name"`
	// SHA256 is the key's SHA-256 in hexadecimal, so that this file holds no key. `printf %s "$KEY" | sha256sum` makes it.
	SHA256 string `yaml:"sha256"`
	// Scopes that the caller has. Not available yet.
	Scopes Later `yaml:"scopes"`
}

// Telemetry says what the gateway tells about itself.
type Telemetry struct {
	Log     Log   `yaml:"log"`
	Metrics Later `yaml:"metrics"`
	Traces  Later `yaml:"traces"`
	Audit   Later `yaml:"audit"`
}

// Log is written to stderr, secrets masked.
type Log struct {
	// Level is debug, info (the default), warn or error.
	Level string `yaml:"level" default:"info" enum:"debug,info,warn,error"`
	// Format is text (the default on a terminal) or json (the default elsewhere).
	Format string `yaml:"format" enum:"text,json"`
}
