package oauthproxy

import (
	"slices"
	"strings"
)

// resolveScopes returns what a client asks for of what gateway.yaml has, in gateway.yaml's order. It is decided here, once: some clients
// name no scopes when they connect again. Nothing asked for is all of it. Scopes of OpenID that clients ask for out of habit count as
// nothing, and unknown ones are dropped (RFC 6749 section 3.3), so that what is granted never widens and a login doesn't fail for them.
func resolveScopes(asked string, ours []string) []string {
	names := slices.DeleteFunc(strings.Fields(asked), func(name string) bool {
		return slices.Contains([]string{"openid", "profile", "email", "offline_access"}, name) && !slices.Contains(ours, name)
	})
	if len(names) == 0 {
		return slices.Clone(ours)
	}
	return slices.DeleteFunc(slices.Clone(ours), func(name string) bool { return !slices.Contains(names, name) })
}

// deeds are the words of scopes that say what is done, as a person would read them.
var deeds = map[string]string{
	"read": "Read", "readonly": "Read", "view": "Read", "list": "List",
	"write": "Change", "edit": "Change", "update": "Change", "modify": "Change", "readwrite": "Read and change",
	"create": "Create", "delete": "Delete", "admin": "Administer", "manage": "Manage", "execute": "Run", "run": "Run",
}

// scopeInWords says what a scope lets a client do, as far as its name tells: "Read contacts" of contacts.read, read:contacts and
// https://api.example/contacts.read. Of others the words are the name's own.
func scopeInWords(scope string) string {
	name := scope[strings.LastIndex(scope, "/")+1:]
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(".:_-", r) })
	if len(words) == 0 {
		return scope
	}
	for _, at := range []int{0, len(words) - 1} {
		if deed, ok := deeds[strings.ToLower(words[at])]; ok {
			if what := strings.Join(slices.Delete(slices.Clone(words), at, at+1), " "); what != "" {
				return deed + " " + what
			}
			return deed + " data"
		}
	}
	said := strings.Join(words, " ")
	if first := said[0]; 'a' <= first && first <= 'z' {
		return strings.ToUpper(said[:1]) + said[1:]
	}
	return said
}
