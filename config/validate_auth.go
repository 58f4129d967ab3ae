package config

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (v *validator) auth() {
	a, at := &v.cfg.Auth, Path{"auth"}
	if a.Mode == "none" && !v.reported(at.Child("mode")) {
		// Somebody who wrote down who may call believes that callers are asked.
		v.unless(len(a.APIKey.Keys) == 0, at.Child("api_key", "keys"), "the keys are not asked for", "write auth: {mode: api_key, ...}")
		v.unless(a.OAuth.Provider == "" || v.given(at.Child("mode")), at.Child("oauth"), "nobody is asked to log in", "write auth: {mode: oauth, ...}")
		v.unless(!v.given(at.Child("jwt")) || v.given(at.Child("mode")), at.Child("jwt"), "nobody is asked for a token", "write auth: {mode: jwt, ...}")
	}
	switch a.Mode {
	case "api_key":
		v.apiKeys(at)
	case "oauth":
		v.oauth(at.Child("oauth"), &a.OAuth)
	case "jwt":
		v.jwt(at.Child("jwt"), &a.JWT)
	}
	v.store(at.Child("oauth", "store"), &a.OAuth.Store)
	for _, scope := range sortedNames(a.Implies) {
		path := at.Child("implies", scope)
		v.unless(scopeToken.MatchString(scope), path, fmt.Sprintf("%q is not a scope", scope), "")
		if ours, known := v.ourScopes(); known && scopeToken.MatchString(scope) {
			v.ourScope(path, scope, ours)
		}
		v.amongOurs(path, a.Implies[scope])
	}
	for _, name := range sortedNames(a.Roles) {
		path := at.Child("roles", name)
		v.unless(nameOfOurs.MatchString(name), path, fmt.Sprintf("%q can't be the name of a role", name), "use up to 40 letters, digits, _ and -")
		v.unless(strings.TrimSpace(a.Roles[name]) != "", path, "the role has no condition", `write one such as '"admins" in claims.groups'`)
	}
}

func (v *validator) apiKeys(at Path) {
	keys, list := at.Child("api_key", "keys"), v.cfg.Auth.APIKey.Keys
	if len(list) == 0 {
		v.missing(at, "api_key", "mode: api_key needs at least one key", "write api_key: {keys: [{name: ci, sha256: ...}]}")
	}
	names, hashes := map[string]bool{}, map[string]bool{}
	for i := range list {
		key, path := &list[i], keys.Child(strconv.Itoa(i))
		v.hide(path.Child("sha256")) // it may be the key itself, by mistake
		key.SHA256 = strings.ToLower(key.SHA256)
		if key.Name == "" {
			v.missing(path, "name", "a key needs a name", "it is shown in logs")
		}
		v.unless(key.Name == "" || !names[key.Name], path.Child("name"), fmt.Sprintf("%q names two keys", key.Name), "")
		raw, err := hex.DecodeString(key.SHA256)
		switch {
		case key.SHA256 == "":
			v.missing(path, "sha256", "a key needs its sha256", "`printf %s \"$KEY\" | sha256sum` makes it")
		case err != nil || len(raw) != 32:
			v.add(path.Child("sha256"), "this is not a SHA-256 in hexadecimal, which has 64 digits", "`printf %s \"$KEY\" | sha256sum` makes it")
		default:
			v.unless(!hashes[key.SHA256], path.Child("sha256"), "this key is here twice", "")
		}
		names[key.Name], hashes[key.SHA256] = true, true
		v.scopes(path.Child("scopes"), key.Scopes)
	}
}

// algorithms are those of signatures that anybody can check and only the issuer can make. HS256 and its kin are not among
// them: whoever checks them could make them as well.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// maxLeeway is more than clocks differ that anybody looks after.
const maxLeeway = Duration(5 * time.Minute)

func (v *validator) jwt(at Path, j *JWTAuth) {
	switch {
	case j.Issuer != "":
	case j.JWKSURL != "":
		v.missing(at, "issuer", "jwks_url needs the issuer: keys alone don't say whose tokens are taken", "write it as the tokens' iss has it")
	case j.IntrospectionURL == "":
		v.missing(at, "issuer", "nothing says whose tokens are taken", "write auth: {jwt: {issuer: https://...}}; or introspection_url for opaque tokens")
	case len(j.AuthorizationServers) == 0:
		v.missing(at, "authorization_servers", "nothing tells clients where to get a token", "write issuer, or authorization_servers: [https://...]")
	}
	v.issuer(at.Child("issuer"), j.Issuer)
	v.endpointURL(at.Child("jwks_url"), j.JWKSURL)
	v.endpointURL(at.Child("introspection_url"), j.IntrospectionURL)
	for i, server := range j.AuthorizationServers {
		v.issuer(at.Child("authorization_servers", strconv.Itoa(i)), server)
	}
	for i, name := range j.Algorithms {
		path := at.Child("algorithms", strconv.Itoa(i))
		switch {
		case slices.Contains(algorithms, name):
		case strings.EqualFold(name, "none"):
			v.add(path, "a token without a signature proves nothing", "leave it out")
		case strings.HasPrefix(strings.ToUpper(name), "HS"):
			v.add(path, name+" signs with a secret that whoever checks it could sign with too", "let the issuer sign with RS256, PS256, ES256 or EdDSA")
		default:
			v.unknownName(path, fmt.Sprintf("%q is not an algorithm that is taken", name), name, algorithms, "known: "+strings.Join(algorithms, ", "))
		}
	}
	v.unless(j.Algorithms == nil || len(j.Algorithms) > 0, at.Child("algorithms"), "an empty list takes no token", "leave it out for the usual ones")
	v.scopes(at.Child("required_scopes"), j.RequiredScopes)
	v.unless(j.Leeway >= 0 && j.Leeway <= maxLeeway, at.Child("leeway"), fmt.Sprintf("%s is too long for clocks that differ", j.Leeway), "write 0s to 5m")
	if j.IntrospectionURL == "" {
		v.unless(j.ClientID == "", at.Child("client_id"), "client_id means nothing without introspection_url", "")
		v.unless(j.ClientSecret.IsZero(), at.Child("client_secret"), "client_secret means nothing without introspection_url", "")
	} else if j.ClientID == "" {
		v.missing(at, "client_id", "introspection_url needs a client_id", "who asks about tokens has to say who it is (RFC 7662 section 2.1)")
	}
}

// minKeyBytes is what an HMAC-SHA-256 key needs at least (RFC 7518 section 3.2).
const minKeyBytes = 32

// minKeyLetters is how many different characters a random key of that length has at least, even one in hexadecimal.
const minKeyLetters = 8

// key checks `new,old`, and that there is one where it is needed.
func (v *validator) key() {
	at, keys := Path{"key"}, 0
	for each := range strings.SplitSeq(v.cfg.Key.Reveal(), ",") {
		if each = strings.TrimSpace(each); each == "" {
			continue // ${KEY},${OLD_KEY:-}
		}
		keys++
		size, notation := keySize(each)
		switch {
		case size < minKeyBytes && notation != "":
			v.add(at, fmt.Sprintf("a key has to have %d bytes or more, and this is %s of %d", minKeyBytes, notation, size), "`mcpgate auth keygen` makes one")
		case size < minKeyBytes:
			v.add(at, fmt.Sprintf("a key has to have %d bytes or more", minKeyBytes), "`mcpgate auth keygen` makes one")
		case letters(each) < minKeyLetters:
			v.add(at, "this key can be guessed: it has only a few different characters", "`mcpgate auth keygen` makes one")
		default:
			continue
		}
		return
	}
	if keys > 0 || v.cfg.Auth.Mode != "oauth" {
		return
	}
	switch {
	case v.cfg.Auth.OAuth.Store.Type == "redis":
		v.add(at, "a store that replicas share needs a key that they share", "write key: ${MCP_JWT_SIGNING_KEY}; `mcpgate auth keygen` makes one")
	case !v.cfg.Server.Local():
		v.add(at, "a gateway that people log in to needs a key: without one every restart would log everybody out",
			"write key: ${MCP_JWT_SIGNING_KEY}; `mcpgate auth keygen` makes one")
	}
}

// keySize is how many bytes a key holds, and the notation that hides them: 32 hexadecimal digits are 16 bytes. A text in
// base64 is known by its end, or by its mix of letters and digits, which no passphrase has without a space.
func keySize(text string) (size int, notation string) {
	if raw, err := hex.DecodeString(text); err == nil {
		return len(raw), "hexadecimal"
	}
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	mixed := strings.ContainsAny(text, "0123456789") && strings.ToLower(text) != text && strings.ToUpper(text) != text
	if raw, err := base64.RawStdEncoding.DecodeString(plain); err == nil && (mixed || len(plain) < len(text)) {
		return len(raw), "base64"
	}
	return len(text), ""
}

// letters counts the different bytes of a text.
func letters(text string) int {
	seen := map[byte]bool{}
	for i := range len(text) {
		seen[text[i]] = true
	}
	return len(seen)
}
