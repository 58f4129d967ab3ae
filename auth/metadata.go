package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// metadataAge is how long clients may keep metadata, in seconds: short, so that a changed gateway is seen soon.
const metadataAge = "300"

// protectedResource is where the metadata of a resource stands: before its path (RFC 9728 section 3.1).
const protectedResource = "/.well-known/oauth-protected-resource"

// Metadata tells clients how to get a token for this gateway: as protected resource metadata (RFC 9728), and in the challenge of a
// request that shows none, or not enough.
type Metadata struct {
	Resource             string   // server.public_url and path: what tokens are for, without a slash at its end
	AuthorizationServers []string // issuers, byte for byte as they write themselves
	Scopes               []string // what a client asks for at first
	Name                 string
}

// URL is where the metadata of the resource is.
func (m *Metadata) URL() string {
	u, err := url.Parse(m.Resource)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + protectedResource + strings.TrimRight(u.EscapedPath(), "/")
}

// Paths are where a gateway answers with the metadata: the place of the standard, and the root, where clients look next. A
// proxy in front may have taken base, the path of public_url, away.
func (m *Metadata) Paths(base string) []string {
	paths := []string{protectedResource}
	if u, err := url.Parse(m.Resource); err == nil {
		path := strings.TrimRight(u.Path, "/")
		base = strings.TrimRight(base, "/")
		for _, p := range []string{path, strings.TrimPrefix(path, base)} {
			paths = append(paths, protectedResource+p)
		}
		paths = append(paths, base+protectedResource)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// ServeHTTP answers with the metadata (RFC 9728 section 3.2), to pages of any origin.
func (m *Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	CrossOrigin(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ServeMetadata(w, struct {
			Resource             string   `json:"resource"`
			AuthorizationServers []string `json:"authorization_servers"`
			Scopes               []string `json:"scopes_supported,omitempty"`
			BearerMethods        []string `json:"bearer_methods_supported"`
			Name                 string   `json:"resource_name,omitempty"`
		}{m.Resource, m.AuthorizationServers, m.scopes(), []string{"header"}, m.Name})
	}), http.MethodGet, http.MethodHead).ServeHTTP(w, r)
}

// scopes leaves out offline_access, which is between client and authorization server: a resource needs none.
func (m *Metadata) scopes() []string {
	return slices.DeleteFunc(slices.Clone(m.Scopes), func(scope string) bool { return scope == "offline_access" })
}

// Challenge is the WWW-Authenticate of a refusal (RFC 6750 section 3, RFC 9728 section 5.1). code is "" where the request showed no
// credentials at all, else invalid_token or insufficient_scope. scopes is all that the request needs; nil stands for what a client asks
// for at first.
func (m *Metadata) Challenge(code, description string, scopes []string) string {
	var b strings.Builder
	b.WriteString("Bearer resource_metadata=" + quoted(m.URL()))
	if scopes == nil {
		scopes = m.scopes()
	}
	if len(scopes) > 0 {
		b.WriteString(", scope=" + quoted(strings.Join(scopes, " ")))
	}
	if code != "" {
		b.WriteString(", error=" + quoted(code))
		if description != "" {
			b.WriteString(", error_description=" + quoted(description))
		}
	}
	return b.String()
}

// quoted writes a quoted-string (RFC 9110 section 5.6.4) of what RFC 6750 section 3 lets stand in one: ASCII without quotes and
// backslashes, so that nothing has to be escaped, which some clients don't undo.
func quoted(text string) string {
	return `"` + strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < ' ' || r > '~' || r == '\\':
			return '?'
		}
		return r
	}, text) + `"`
}

// ServeMetadata answers with a metadata document that may be kept for a while.
func ServeMetadata(w http.ResponseWriter, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		http.Error(w, `{"error":"server_error"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age="+metadataAge)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(append(body, '\n'))
}

// CrossOrigin lets pages of every origin call next with these methods, and answers their preflights: for endpoints that know nobody by a cookie.
// Other methods get 405.
func CrossOrigin(next http.Handler, methods ...string) http.Handler {
	allow := strings.Join(append(slices.Clone(methods), http.MethodOptions), ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		switch {
		case r.Method == http.MethodOptions:
			w.Header().Set("Allow", allow)
			w.Header().Set("Access-Control-Allow-Methods", allow)
			// The star does not stand for Authorization (Fetch standard).
			w.Header().Set("Access-Control-Allow-Headers", "*, Authorization, Content-Type, MCP-Protocol-Version")
			w.Header().Set("Access-Control-Max-Age", "7200")
			w.WriteHeader(http.StatusNoContent)
		case !slices.Contains(methods, r.Method):
			w.Header().Set("Allow", allow)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusMethodNotAllowed)
			_, _ = w.Write([]byte(`{"error":"invalid_request","error_description":"use ` + methods[0] + `"}` + "\n"))
		default:
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
			next.ServeHTTP(w, r)
		}
	})
}
