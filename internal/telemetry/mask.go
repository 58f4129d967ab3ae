// Package telemetry is what the gateway tells about itself, and what it must not tell: secrets.
package telemetry

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"mcpgate/config"
)

// masked stands for a secret.
const masked = "[secret]"

// minSecret is the length from which a secret is looked for in texts, in bytes. A shorter one would hit words that are
// none, and is no secret worth the name.
const minSecret = 8

// A Masker takes secrets out of texts, also where they are written as JSON, in a URL or in base64. The zero value and
// nil mask nothing. It is safe for concurrent use.
type Masker struct {
	needles  [][]byte
	replacer *strings.Replacer
}

// NewMasker returns a Masker for the secrets; those shorter than 8 bytes are left out.
func NewMasker(secrets []config.Secret) *Masker {
	forms := map[string]bool{}
	for _, secret := range secrets {
		if text := secret.Reveal(); len(text) >= minSecret {
			for _, form := range spellings(text) {
				forms[form] = true
			}
		}
	}
	m := &Masker{}
	var pairs []string
	for _, form := range longestFirst(forms) {
		m.needles = append(m.needles, []byte(form))
		pairs = append(pairs, form, masked)
	}
	m.replacer = strings.NewReplacer(pairs...)
	return m
}

// longestFirst sorts the forms so that one which begins another does not leave the other's end behind.
func longestFirst(forms map[string]bool) []string {
	var sorted []string
	for form := range forms {
		sorted = append(sorted, form)
	}
	slices.SortFunc(sorted, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return sorted
}

// spellings are the ways in which an upstream may repeat a secret.
func spellings(text string) []string {
	html, _ := json.Marshal(text) // a string always can be
	quoted := string(html[1 : len(html)-1])
	plain := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(quoted) // Go alone escapes these
	return []string{
		text, quoted, plain, strings.ReplaceAll(plain, "/", `\/`), // the last is PHP's
		url.QueryEscape(text), url.PathEscape(text),
		base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text)),
	}
}

// Text returns text without the secrets.
func (m *Masker) Text(text string) string {
	if m == nil || !m.inText(text) {
		return text
	}
	return m.replacer.Replace(text)
}

// Bytes returns data without the secrets, and whether there was one: data itself where there was none.
func (m *Masker) Bytes(data []byte) ([]byte, bool) {
	if m == nil || !slices.ContainsFunc(m.needles, func(needle []byte) bool { return bytes.Contains(data, needle) }) {
		return data, false
	}
	return []byte(m.replacer.Replace(string(data))), true
}

// inText looks first, because Replace is ten times slower and there is almost never anything to replace.
func (m *Masker) inText(text string) bool {
	return slices.ContainsFunc(m.needles, func(needle []byte) bool { return strings.Contains(text, string(needle)) })
}

// Secrets returns the values of gateway.yaml that nobody else may see.
func Secrets(cfg *config.Config) []config.Secret {
	secrets := []config.Secret{cfg.Server.AdminKey}
	for key := range strings.SplitSeq(cfg.Key.Reveal(), ",") { // "new,old": each of them
		secrets = append(secrets, config.NewSecret(key))
	}
	if proxy, err := url.Parse(cfg.Outbound.Proxy); err == nil && proxy.User != nil {
		password, _ := proxy.User.Password()
		secrets = append(secrets, config.NewSecret(password))
	}
	for _, u := range cfg.Upstreams {
		secrets = append(secrets, UpstreamSecrets(u)...)
	}
	return append(secrets, loginSecrets(cfg)...)
}

// loginSecrets are those that people's logins need.
func loginSecrets(cfg *config.Config) []config.Secret {
	secrets := []config.Secret{cfg.Auth.JWT.ClientSecret, cfg.Auth.OAuth.Store.URL}
	if store, err := url.Parse(cfg.Auth.OAuth.Store.URL.Reveal()); err == nil && store.User != nil {
		password, _ := store.User.Password()
		secrets = append(secrets, config.NewSecret(password))
	}
	for _, provider := range cfg.Providers {
		secrets = append(secrets, provider.ClientSecret)
	}
	for _, client := range cfg.Auth.OAuth.Clients.Known {
		secrets = append(secrets, client.ClientSecret)
	}
	return secrets
}

// secretHeader tells a header that carries a credential from one that carries a language or a version.
var secretHeader = regexp.MustCompile(`(?i)auth|cookie|key|token|secret|passw|signature|credential`)

// UpstreamSecrets returns the values that an upstream's requests carry and that nobody else may see: its credential,
// and the headers that are one by their name, or by that of the variable in gateway.yaml which they come from.
func UpstreamSecrets(u *config.Upstream) []config.Secret {
	c := u.Credential
	secrets := []config.Secret{c.Token, c.Password, c.Value, c.ClientSecret}
	if c.Type == "basic" {
		secrets = append(secrets, config.NewSecret(c.Username.Reveal()+":"+c.Password.Reveal()))
		if c.Password.IsZero() { // the username is a key then; else it is a name, and may stand in any record
			secrets = append(secrets, c.Username)
		}
	}
	headers := []map[string]config.Secret{u.Headers}
	for _, query := range u.Queries {
		headers = append(headers, query.Headers)
	}
	for _, named := range headers {
		for name, value := range named {
			if value.Named() || secretHeader.MatchString(name) {
				secrets = append(secrets, value)
				_, credential, _ := strings.Cut(value.Reveal(), " ") // "Bearer ...": the part that counts
				secrets = append(secrets, config.NewSecret(credential))
			}
		}
	}
	return secrets
}
