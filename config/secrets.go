package config

import (
	"encoding/base64"
	"slices"
	"strings"
)

// minMasked is the shortest text that Secrets returns: to mask a shorter one would only make messages unreadable.
const minMasked = 4

// Secrets returns every text that must not be seen in a log, a message or a dry run, the longest first, so that
// replacing them in this order leaves no part of one behind. The values of headers are among them where they come from
// a variable or the header's name says so: "Accept-Language: en" is no secret.
func (c *Config) Secrets() []string {
	var all []string
	all = append(all, strings.Split(c.Key.value, ",")...)
	all = append(all, c.Key.value, c.Server.AdminKey.value)
	for _, u := range c.Upstreams {
		all = append(all, u.Credential.secrets()...)
		all = append(all, headerSecrets(u.Headers)...)
		for _, q := range u.Queries {
			all = append(all, headerSecrets(q.Headers)...)
		}
	}
	all = slices.DeleteFunc(all, func(text string) bool { return len(text) < minMasked })
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(all)
}

// secrets are a credential's, with basic's as it goes over the wire (RFC 7617). A user name counts where it stands
// alone, as some APIs take their key there.
func (c *Credential) secrets() []string {
	all := []string{c.Token.value, c.Password.value, c.Value.value}
	if c.Type == "basic" {
		all = append(all, base64.StdEncoding.EncodeToString([]byte(c.Username.value+":"+c.Password.value)))
	}
	if c.Password.IsZero() {
		all = append(all, c.Username.value)
	}
	return all
}

func headerSecrets(headers map[string]Secret) []string {
	var all []string
	for name, value := range headers {
		if value.variable || secretKey.MatchString(name) {
			all = append(all, value.value)
			if _, credential, ok := strings.Cut(value.value, " "); ok { // Bearer ..., Basic ...
				all = append(all, credential)
			}
		}
	}
	return all
}
