// Package config says what gateway.yaml may contain, and reads it with positions. It knows nothing of OpenAPI, HTTP,
// MCP or OAuth flows.
//
// The doc comments of the structs' fields are the descriptions in the JSON Schema that editors show.
package config

// Config is gateway.yaml, decoded, with every ${...} expanded and every file it includes merged in.
type Config struct {
	// Name is shown to clients. Default: the folder's name.
	Name string `yaml:"name"`
	// Instructions are handed to the model when it connects.
	Instructions string `yaml:"instructions"`
	// Include names more files of the same format, relative to this one; globs are allowed. What two files say is a
	// problem that names both places.
	Include []string `yaml:"include"`
	Server  Server   `yaml:"server"`
	// Key is one secret of 32 bytes or more, from which every key is derived: of tokens, stored logins, clients' ids and
	// page handles. `mcpgate auth keygen` makes one. "new,old" rotates: what is new is made with the first, and what the old
	// one made holds as long as it is here. A login needs a key wherever public_url is not on loopback.
	Key      Secret   `yaml:"key"`
	Outbound Outbound `yaml:"outbound"`
	Auth     Auth     `yaml:"auth"`
	// Providers are where people log in, and where upstream tokens come from.
	Providers map[string]*Provider `yaml:"providers"`
	// Discovery says how a list of tools that is too long for a model is served.
	Discovery Discovery `yaml:"discovery"`
	Defaults  Defaults  `yaml:"defaults"`
	// Upstreams are the APIs, by a name of your choice.
	Upstreams map[string]*Upstream `yaml:"upstreams"`
	Telemetry Telemetry            `yaml:"telemetry"`

	// Dir is the absolute folder of the file. Relative paths inside Config are already resolved against the folder of
	// the file that named them.
	Dir string `yaml:"-"`

	source *source
}
