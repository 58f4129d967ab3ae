package oauthproxy

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mcpgate/auth/tokenstore"
	"mcpgate/config"
)

const (
	authorizePath = "/authorize"
	consentPath   = "/consent"

	// flowTime is how long a person has to decide, and then to log in.
	flowTime = 10 * time.Minute
	// codeTime is how long a client has to redeem a code (RFC 6749 section 4.1.2: ten minutes at most).
	codeTime = 60 * time.Second

	// How many requests of browsers are let through, a minute: an office shares one address.
	stepsPerCaller = 120
	stepsInAll     = 6000
)

// flow is what the steps in the browser share: /authorize, consent, the provider's callback. What a step leaves for the next one lies in the
// store, so that each may be on another replica.
type flow struct {
	transactions *tokenstore.Table[transaction]
	renders      *tokenstore.Table[render]
	logins       *tokenstore.Table[login]
	remembered   *tokenstore.Table[remembered]

	cookies  cookies
	origin   *http.CrossOriginProtection
	limit    *limiter
	consent  string // always, remember or off
	callback string // the redirect URI that the provider knows
	upstream string // base_url of the upstream that the provider's tokens are for, or ""
}

func newFlow(parts Parts) (*flow, error) {
	issuer, err := url.Parse(parts.Config.Server.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("server.public_url: %w", err)
	}
	settings := parts.Config.Auth.OAuth
	local := isLocal(parts.Config.Server.PublicURL)
	f := &flow{
		transactions: tokenstore.NewTable[transaction](parts.Store, parts.Ring, "tx"),
		renders:      tokenstore.NewTable[render](parts.Store, parts.Ring, "csrf"),
		logins:       tokenstore.NewTable[login](parts.Store, parts.Ring, "login"),
		remembered:   tokenstore.NewTable[remembered](parts.Store, parts.Ring, "consent"),
		cookies:      cookies{ring: parts.Ring, now: parts.Now, plain: local && issuer.Scheme == "http"},
		origin:       http.NewCrossOriginProtection(),
		limit:        newLimiter(stepsPerCaller, stepsInAll, parts.Now),
		consent:      settings.Consent,
		callback:     strings.TrimRight(parts.Config.Server.PublicURL, "/") + "/" + strings.TrimLeft(settings.RedirectPath, "/"),
		upstream:     upstreamOf(parts.Config, settings.Provider),
	}
	if f.consent == "off" && !local {
		return nil, fmt.Errorf("auth.oauth.consent: off is taken only where public_url is on loopback")
	}
	if err := f.origin.AddTrustedOrigin(issuer.Scheme + "://" + issuer.Host); err != nil {
		return nil, fmt.Errorf("server.public_url: %w", err)
	}
	return f, nil
}

// upstreamOf returns the base_url of the first upstream, by name, whose credential is the provider's login: what the resource parameter says to
// the provider. One that is known only after the login can't be said before it.
func upstreamOf(cfg *config.Config, provider string) string {
	var names []string
	for name, upstream := range cfg.Upstreams {
		if upstream.Credential.Provider == provider && !strings.Contains(upstream.BaseURL, "{") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return cfg.Upstreams[slices.Min(names)].BaseURL
}

// registerFlow adds /authorize, /consent and the provider's callback.
func (s *Server) registerFlow(mux *http.ServeMux) {
	mux.Handle(s.prefix+authorizePath, s.guarded(s.serveAuthorize))
	mux.Handle(s.prefix+consentPath, s.guarded(s.serveConsent))
	mux.Handle(s.prefix+strings.TrimPrefix(s.flow.callback, s.issuer), s.guarded(s.serveCallback))
}

// withinRate answers a caller that comes too often, and reports whether it didn't have to.
func (s *Server) withinRate(w http.ResponseWriter, r *http.Request) bool {
	if e := s.flow.limit.take(r); e != nil {
		s.refuse(w, r, e)
		return false
	}
	return true
}

// isLocal reports whether a URL is on this machine.
func isLocal(text string) bool {
	u, err := parseWebURI(text)
	return err == nil && u.isLoopback()
}

// newSecret is what nobody guesses: 43 characters. Some providers want 22 of a state at least.
func newSecret() string { return randomText(secretBytes) }
