package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// scopeToken is one scope (RFC 6749 section 3.3).
var scopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

// scopes checks a list of scopes.
func (v *validator) scopes(at Path, list []string) {
	seen := map[string]bool{}
	for i, scope := range list {
		path := at.Child(strconv.Itoa(i))
		hint := "a scope is printable ASCII without spaces, quotes and backslashes (RFC 6749 section 3.3)"
		if words := strings.Fields(scope); len(words) > 1 {
			hint = "write [" + strings.Join(words, ", ") + "]"
		}
		v.unless(scopeToken.MatchString(scope), path, fmt.Sprintf("%q is not a scope", scope), hint)
		v.unless(!seen[scope], path, fmt.Sprintf("%q is here twice", scope), "")
		seen[scope] = true
	}
}

// ourScopes are the scopes that callers can have; known is false where gateway.yaml doesn't say, since an issuer decides.
func (v *validator) ourScopes() (scopes []string, known bool) {
	switch a := &v.cfg.Auth; a.Mode {
	case "oauth":
		return a.OAuth.Scopes, true
	case "api_key":
		for _, key := range a.APIKey.Keys {
			scopes = append(scopes, key.Scopes...)
			for _, scope := range key.Scopes {
				scopes = append(scopes, a.Implies[scope]...)
			}
		}
		return scopes, true
	}
	return nil, false
}

// amongOurs checks scopes that callers need to have.
func (v *validator) amongOurs(at Path, list []string) {
	v.scopes(at, list)
	ours, known := v.ourScopes()
	if !known {
		return
	}
	for i, scope := range list {
		if scopeToken.MatchString(scope) {
			v.ourScope(at.Child(strconv.Itoa(i)), scope, ours)
		}
	}
}

// ourScope reports a scope that nobody can have.
func (v *validator) ourScope(at Path, scope string, ours []string) {
	message, hint := fmt.Sprintf("%q is not one of auth.oauth.scopes", scope), fmt.Sprintf("write auth: {oauth: {scopes: [%s, ...]}}", scope)
	if v.cfg.Auth.Mode == "api_key" {
		message, hint = fmt.Sprintf("no key of auth.api_key has the scope %q", scope), "give it to one, under scopes"
	}
	v.unknownName(at, message, scope, ours, hint)
}

// unknownName reports a name that is not among the known ones, with the one that was probably meant, or else a hint.
func (v *validator) unknownName(at Path, message, name string, known []string, hint string) {
	if slices.Contains(known, name) {
		return
	}
	if near := Nearest(name, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	v.add(at, message, hint)
}

// guarded checks who may call a tool.
func (v *validator) guarded(at Path, scopes, allow []string) {
	v.amongOurs(at.Child("scopes"), scopes)
	roles := sortedNames(v.cfg.Auth.Roles)
	for i, role := range allow {
		v.unknownName(at.Child("allow", strconv.Itoa(i)), fmt.Sprintf("there is no role %q", role), role, roles,
			fmt.Sprintf("write auth: {roles: {%s: '\"admins\" in claims.groups'}}", role))
	}
}
