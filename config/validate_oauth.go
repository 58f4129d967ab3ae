package config

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a login.
const (
	minAccessTTL    = Duration(time.Minute)
	maxAccessTTL    = Duration(24 * time.Hour)
	maxRefreshGrace = Duration(time.Minute)
)

func (v *validator) oauth(at Path, o *OAuth) {
	v.providerName(at, o.Provider, "mode: oauth needs the provider where people log in")
	v.scopes(at.Child("scopes"), o.Scopes)
	for i, scope := range o.Scopes {
		v.unless(scope != "offline_access", at.Child("scopes", strconv.Itoa(i)), "offline_access is the provider's: these are the gateway's own",
			"write it under the provider's scopes; the gateway's own logins are refreshed anyway")
	}
	v.unless(o.Consent != "off" || v.cfg.Server.Local(), at.Child("consent"), "consent: off is for loopback: elsewhere any web page could log in as whoever opens it",
		"write remember, or name the clients under trusted_clients")
	v.unless(o.AccessTokenTTL >= minAccessTTL && o.AccessTokenTTL <= maxAccessTTL, at.Child("access_token_ttl"),
		fmt.Sprintf("an access token can't hold for %s", o.AccessTokenTTL), "write 1m to 24h; access ends with the login anyway")
	v.unless(o.RefreshTokenTTL > 0, at.Child("refresh_token_ttl"), "a login needs time", "")
	v.unless(o.SessionTTL > 0, at.Child("session_ttl"), "a login needs time", "")
	v.unless(o.RefreshTokenTTL <= o.SessionTTL, v.either(at, "refresh_token_ttl", "session_ttl"), "a login can't lie idle for longer than it lasts",
		"make refresh_token_ttl shorter than session_ttl")
	v.unless(o.RefreshGrace >= 0 && o.RefreshGrace <= maxRefreshGrace, at.Child("refresh_grace"), fmt.Sprintf("%s is too long for a token that was replaced", o.RefreshGrace), "write 0s to 60s")
	v.unless(o.CacheSize >= 0, at.Child("cache_size"), "there is no cache of a negative size", "write 0 for none")
	v.redirectPath(at.Child("redirect_path"), o.RedirectPath)
	v.clients(at.Child("clients"), &o.Clients)
	known := make([]string, len(o.Clients.Known))
	for i := range o.Clients.Known {
		known[i] = o.Clients.Known[i].ClientID
	}
	for i, id := range o.TrustedClients {
		v.unknownName(at.Child("trusted_clients", strconv.Itoa(i)), fmt.Sprintf("there is no known client %q", id), id, known,
			"only clients that clients.known registers can be trusted")
	}
}

// either is where a problem with two keys is shown: at the first one that the file has.
func (v *validator) either(at Path, keys ...string) Path {
	for _, key := range keys {
		if v.given(at.Child(key)) {
			return at.Child(key)
		}
	}
	return at
}

// providerName checks the name of a provider at key provider below at.
func (v *validator) providerName(at Path, name, needed string) (ok bool) {
	names := sortedNames(v.cfg.Providers)
	path := at.Child("provider")
	if name == "" {
		hint := "write providers: {keycloak: {issuer: https://..., client_id: ...}}, and provider: keycloak"
		if len(names) > 0 {
			hint = "write provider: " + alternatives(names)
		}
		v.missing(at, "provider", needed, hint)
		return false
	}
	if !v.reported(Path{"providers"}) || v.cfg.Providers[name] != nil {
		v.unknownName(path, fmt.Sprintf("there is no provider %q", name), name, names,
			fmt.Sprintf("write providers: {%s: {issuer: https://..., client_id: ...}}", name))
	}
	return v.cfg.Providers[name] != nil
}

// redirectPath checks where the provider sends people back to.
func (v *validator) redirectPath(at Path, text string) {
	switch {
	case !strings.HasPrefix(text, "/") || text != path.Clean(text) || strings.ContainsAny(text, "?#%\\{} "):
		v.add(at, fmt.Sprintf("%q is not a clean path", text), "write it like /auth/callback")
	case v.ours(text) || text == "/"+strings.Trim(v.cfg.Server.Path, "/"):
		v.add(at, fmt.Sprintf("%q is a path of the gateway's own", text), "write it like /auth/callback")
	}
}

func (v *validator) clients(at Path, c *OAuthClients) {
	v.unless(*c.Registration || *c.MetadataDocuments || len(c.Known) > 0, at, "no client could ever log anybody in",
		"let clients register, take metadata_documents, or name them under known")
	for i, text := range c.RedirectURIs {
		wrong, hint := redirectPattern(text)
		v.unless(wrong == "", at.Child("redirect_uris", strconv.Itoa(i)), shown(text)+" "+wrong, hint)
	}
	for _, id := range sortedNames(c.Documents) {
		path := at.Child("documents", id)
		wrong := documentURL(id)
		v.unless(wrong == "", path, shown(id)+" can't be the URL of a client metadata document: "+wrong, "write it like https://client.example/client.json, byte for byte as the client does")
		v.readable(path, c.Documents[id])
	}
	for i, host := range c.Hosts {
		wrong, hint := hostPattern(host)
		v.unless(wrong == "", at.Child("hosts", strconv.Itoa(i)), fmt.Sprintf("%q %s", host, wrong), hint)
	}
	v.unless(len(c.Hosts) == 0 || *c.MetadataDocuments, at.Child("hosts"), "hosts means nothing without metadata_documents", "")
	v.unless(len(c.Documents) == 0 || *c.MetadataDocuments, at.Child("documents"), "documents means nothing without metadata_documents", "")
	seen := map[string]bool{}
	for i := range c.Known {
		v.knownClient(at.Child("known", strconv.Itoa(i)), &c.Known[i], seen)
	}
}

// documentURL says what a client id that is a URL lacks (draft-ietf-oauth-client-id-metadata-document); "" where nothing.
func documentURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		return "it is not an https URL"
	case u.Path == "" || u.Path == "/":
		return "it has no path"
	case strings.Contains(text, "#"), u.User != nil:
		return "it has a fragment or a user name"
	case dotSegments(u.EscapedPath()):
		return "it has dot segments"
	}
	return ""
}

// clientID is printable ASCII (RFC 6749 appendix A.1), without the space that nobody sees.
var clientID = regexp.MustCompile(`^[\x21-\x7E]{1,256}$`)

func (v *validator) knownClient(at Path, c *KnownClient, seen map[string]bool) {
	if c.ClientID == "" {
		v.missing(at, "client_id", "a client needs a client_id", "")
	} else {
		v.unless(clientID.MatchString(c.ClientID), at.Child("client_id"), fmt.Sprintf("%q can't be a client's id", c.ClientID), "use up to 256 printable ASCII characters")
		v.unless(!seen[c.ClientID], at.Child("client_id"), fmt.Sprintf("%q is here twice", c.ClientID), "")
	}
	seen[c.ClientID] = true
	if c.ClientSecret.IsZero() && v.given(at.Child("client_secret")) {
		v.add(at.Child("client_secret"), "client_secret is empty, which would make the client a public one", "leave it out where that is meant")
	}
	if len(c.RedirectURIs) == 0 {
		v.missing(at, "redirect_uris", "a client needs redirect_uris", "write redirect_uris: [http://localhost/callback]")
	}
	for i, text := range c.RedirectURIs {
		path := at.Child("redirect_uris", strconv.Itoa(i))
		wrong, hint := redirectURI(text)
		v.unless(wrong == "", path, shown(text)+" "+wrong, hint)
		v.unless(slices.Index(c.RedirectURIs, text) == i, path, shown(text)+" is here twice", "")
	}
}

// storeKeys are the keys of store that mean something with a type.
var storeKeys = map[string][]string{"memory": nil, "file": {"path"}, "redis": {"url", "prefix", "ca_file"}}

// storePrefix has no braces, which would put every key into one hash slot of a cluster.
var storePrefix = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

func (v *validator) store(at Path, s *Store) {
	keys, ok := storeKeys[s.Type]
	if !ok {
		return // decoding has reported it
	}
	for _, key := range []string{"path", "url", "prefix", "ca_file"} {
		v.unless(slices.Contains(keys, key) || !v.given(at.Child(key)), at.Child(key), fmt.Sprintf("%s means nothing with type: %s", key, s.Type), storeHint(key))
	}
	switch s.Type {
	case "file":
		info, err := os.Stat(s.Path)
		v.unless(err != nil || info.IsDir(), at.Child("path"), shortName(s.Path)+" is a file, not a folder", "")
	case "redis":
		v.redis(at, s)
	}
}

// storeHint guesses the type that a key was written for.
func storeHint(key string) string {
	if key == "path" {
		return "did you mean type: file?"
	}
	return "did you mean type: redis?"
}

// redis checks the server's URL, which may hold a password: no message repeats it.
func (v *validator) redis(at Path, s *Store) {
	v.unless(storePrefix.MatchString(s.Prefix), at.Child("prefix"), fmt.Sprintf("%q can't begin a key", s.Prefix), "use up to 64 letters, digits, _ . : and -")
	v.readable(at.Child("ca_file"), s.CAFile)
	if s.URL.IsZero() {
		v.missing(at, "url", "type: redis needs a url", "write url: ${REDIS_URL}, such as rediss://user:password@redis.example:6379/0")
		return
	}
	u, err := url.Parse(s.URL.Reveal())
	const form = "write it like rediss://user:password@redis.example:6379/0, with redis+cluster:// or rediss+cluster:// for a cluster"
	switch {
	case err != nil || u.Hostname() == "":
		v.add(at.Child("url"), "this is not the URL of a Redis", form)
	case !slices.Contains([]string{"redis", "rediss", "redis+cluster", "rediss+cluster"}, u.Scheme):
		v.add(at.Child("url"), fmt.Sprintf("%q is not a scheme of a Redis", u.Scheme), form)
	case s.CAFile != "" && !strings.HasPrefix(u.Scheme, "rediss"):
		v.add(at.Child("ca_file"), "ca_file is for TLS, and the url has none", "write rediss:// or rediss+cluster://")
	}
}
