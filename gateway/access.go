package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcpgate/auth"
	"mcpgate/config"
	"mcpgate/internal/fault"
)

// What browsers may send to us and read from us. Mcp-Param-* headers belong to tools with x-mcp-header, of which a
// document's author decides, so a preflight gets them confirmed by name.
var (
	corsRequestHeaders = []string{"Authorization", "X-API-Key", "Content-Type", "Accept", "Last-Event-ID",
		mcp.HeaderProtocolVersion, mcp.HeaderSessionID, mcp.HeaderMethod, mcp.HeaderName}
	corsExposedHeaders = []string{"WWW-Authenticate", mcp.HeaderSessionID, mcp.HeaderProtocolVersion}
)

// access lets a request in, or says why not: Host and Origin first, since neither depends on who calls, then the
// preflight, which browsers send without credentials, then the caller.
type access struct {
	origins  *origins
	verifier auth.Verifier  // nil where auth.mode is none
	issuer   *auth.JWT      // verifier, where auth.mode is jwt; else nil
	metadata *auth.Metadata // where clients read how to get a token; nil where keys are shown
	scopes   []string       // that a challenge asks for
	forward  []string       // headers of a caller that some upstream is passed
}

// newAccess reads who may call from gateway.yaml. logins may be nil where auth.mode is not oauth.
func newAccess(cfg *config.Config, logins *Logins, opts Options) (*access, error) {
	a := &access{origins: newOrigins(cfg.Server), forward: forwarded(cfg)}
	switch cfg.Auth.Mode {
	case "", "none":
	case "api_key":
		keys, err := auth.NewAPIKeys(cfg.Auth.APIKey.Keys)
		if err != nil {
			return nil, err
		}
		a.verifier = keys
	case "oauth":
		if logins == nil || logins.Server == nil {
			return nil, errors.New("auth.mode is oauth, and nothing logs people in")
		}
		a.verifier, a.scopes = logins.Server, cfg.Auth.OAuth.Scopes
		a.metadata = newMetadata(cfg, []string{strings.TrimRight(cfg.Server.PublicURL, "/")}, a.scopes)
	case "jwt":
		if err := a.askIssuer(cfg, opts); err != nil {
			return nil, err
		}
	default:
		// Never open by mistake: what config lets through and this does not know is refused.
		return nil, fmt.Errorf("auth.mode %q is not available yet", cfg.Auth.Mode)
	}
	return a, nil
}

// askIssuer lets in whom an issuer's tokens name.
func (a *access) askIssuer(cfg *config.Config, opts Options) error {
	transport, err := newTransport(cfg.Outbound, nil) // gateway.yaml itself names the issuer
	if err != nil {
		return err
	}
	jwt := cfg.Auth.JWT
	client := &http.Client{Transport: transport, CheckRedirect: noRedirect}
	verifier, err := auth.NewJWT(jwt, mcpURL(cfg.Server), client, auth.JWTOptions{Logger: opts.Logger, Now: opts.Now})
	if err != nil {
		return err
	}
	issuers := jwt.AuthorizationServers
	if len(issuers) == 0 && jwt.Issuer != "" {
		issuers = []string{jwt.Issuer}
	}
	a.verifier, a.issuer, a.scopes = verifier, verifier, jwt.RequiredScopes
	a.metadata = newMetadata(cfg, issuers, a.scopes)
	return nil
}

// newMetadata is what clients read of the gateway as a protected resource. issuers log people in.
func newMetadata(cfg *config.Config, issuers, scopes []string) *auth.Metadata {
	return &auth.Metadata{Resource: mcpURL(cfg.Server), AuthorizationServers: issuers, Scopes: scopes, Name: cfg.Name}
}

// guard wraps next; methods are what it answers to, for the preflight.
func (a *access) guard(next http.Handler, methods ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.origins.allowsHost(r) {
			forbid(w, "this Host is not one that the gateway is known by; set server.public_url, or add it to server.allowed_origins")
			return
		}
		w.Header().Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" {
			if !a.origins.allowsOrigin(r, origin) {
				forbid(w, "this Origin may not call; add it to server.allowed_origins")
				return
			}
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Expose-Headers", strings.Join(corsExposedHeaders, ", "))
		}
		if r.Method == http.MethodOptions {
			preflight(w, r, methods)
			return
		}
		principal, ok := a.caller(w, r)
		if !ok {
			return
		}
		next.ServeHTTP(w, r.WithContext(auth.WithPrincipal(r.Context(), a.withHeaders(principal, r.Header))))
	})
}

// forwarded are the headers of callers that gateway.yaml passes on to some upstream.
func forwarded(cfg *config.Config) []string {
	var names []string
	for _, u := range cfg.Upstreams {
		if u.Credential.Type == "forward" && !u.Sandbox() {
			names = append(names, u.Credential.Headers...)
		}
	}
	return names
}

// withHeaders gives the caller those of the request's headers that are passed on, and no others.
func (a *access) withHeaders(caller *auth.Principal, header http.Header) *auth.Principal {
	if len(a.forward) == 0 {
		return caller
	}
	with := *caller // it may be shared
	with.Headers = http.Header{}
	for _, name := range a.forward {
		if values := header.Values(name); len(values) > 0 {
			with.Headers[http.CanonicalHeaderKey(name)] = values
		}
	}
	return &with
}

// caller returns who calls, or answers the request.
func (a *access) caller(w http.ResponseWriter, r *http.Request) (*auth.Principal, bool) {
	if a.verifier == nil {
		return &auth.Principal{Subject: "anonymous"}, true
	}
	token, err := auth.Token(r)
	if err != nil {
		a.refuse(w, http.StatusBadRequest, "invalid_request", err.Error(), nil)
		return nil, false
	}
	if token == "" {
		// RFC 6750 section 3.1: no error code where the request shows no credentials at all.
		a.refuse(w, http.StatusUnauthorized, "", "", a.scopes)
		return nil, false
	}
	principal, err := a.verifier.Verify(r.Context(), token)
	switch {
	case err == nil:
		return principal, true
	case errors.Is(err, fault.Permission):
		a.refuse(w, http.StatusForbidden, "insufficient_scope", err.Error(), a.scopes)
	case errors.Is(err, fault.Token), errors.Is(err, fault.LoginRequired):
		a.refuse(w, http.StatusUnauthorized, "invalid_token", err.Error(), a.scopes)
	default:
		// A 401 would make the client throw a good token away.
		busy(w, fault.From(err))
	}
	return nil, false
}

// busy answers that the token could not be judged now.
func busy(w http.ResponseWriter, f *fault.Fault) {
	w.Header().Set("Retry-After", strconv.Itoa(max(wholeSeconds(f.RetryAfter), 1)))
	replyJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable",
		"error_description": "who is calling can't be found out now; try again in a few seconds"})
}

// refuse answers with the challenge of RFC 6750 section 3, which leads to the metadata where there is any (RFC 9728
// section 5.1), and says the same as JSON.
func (a *access) refuse(w http.ResponseWriter, status int, code, description string, scopes []string) {
	w.Header().Set("WWW-Authenticate", a.challenge(code, description, scopes))
	if code == "" {
		code, description = "unauthorized", "send a token as `Authorization: Bearer TOKEN`"
		if a.metadata == nil {
			description = "send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`"
		}
	}
	replyJSON(w, status, map[string]string{"error": code, "error_description": description})
}

// challenge is the value of WWW-Authenticate.
func (a *access) challenge(code, description string, scopes []string) string {
	if a.metadata != nil {
		return a.metadata.Challenge(code, description, scopes)
	}
	if code == "" {
		return `Bearer realm="mcpgate"`
	}
	return fmt.Sprintf(`Bearer realm="mcpgate", error=%q, error_description=%q`, code, description)
}

// forbid answers 403 with a JSON-RPC error, as Streamable HTTP suggests.
func forbid(w http.ResponseWriter, reason string) {
	(&rpcError{code: mcp.INVALID_REQUEST, message: reason}).write(w, http.StatusForbidden)
}

// preflight answers OPTIONS; the Origin has been judged.
func preflight(w http.ResponseWriter, r *http.Request, methods []string) {
	allow := strings.Join(append(methods, http.MethodOptions), ", ")
	w.Header().Set("Allow", allow)
	if r.Header.Get("Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", allow)
		w.Header().Set("Access-Control-Allow-Headers", strings.Join(allowedHeaders(r), ", "))
		w.Header().Set("Access-Control-Max-Age", "7200")
		w.Header().Add("Vary", "Access-Control-Request-Headers")
	}
	w.WriteHeader(http.StatusNoContent)
}

// allowedHeaders are the fixed ones and the Mcp-Param-* that the browser asks for.
func allowedHeaders(r *http.Request) []string {
	headers := append([]string(nil), corsRequestHeaders...)
	for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		if strings.HasPrefix(name, mcp.HeaderParamPrefix) {
			headers = append(headers, name)
		}
	}
	return headers
}
