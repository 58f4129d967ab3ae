package oauthproxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// privateRedirects are redirect URIs with a scheme of an application's own that are taken where gateway.yaml does not say
// otherwise: those of editors whose registrations name one. Which program owns such a scheme nobody can tell, which is why there is no
// pattern for them. (VS Code needs none: it uses https and loopback, and names vscode:// in its state.)
var privateRedirects = []string{"cursor://anysphere.cursor-mcp/oauth/callback"}

// Why a redirect URI is refused that is well-formed.
var (
	errRedirectHTTP    = errors.New("http is for loopback only: use https")
	errRedirectScheme  = errors.New("its scheme is not taken here: use https, or http on loopback")
	errRedirectNarrow  = errors.New("this gateway does not allow it (auth.oauth.clients.redirect_uris)")
	errRedirectWeb     = errors.New("application_type web needs https and no loopback address")
	errRedirectPattern = errors.New("write it like https://host.example/path, where the host may begin with *., the path may end with /*, and the port of a loopback address may be *")
)

// redirectRules say which redirect URIs a client may have at all. Each client is held to its own besides.
type redirectRules struct {
	patterns []redirectPattern
	private  []string // exact
	narrowed bool     // gateway.yaml says: patterns are all there is
}

// newRedirectRules reads auth.oauth.clients.redirect_uris. The error names the entry.
func newRedirectRules(texts []string) (redirectRules, error) {
	if len(texts) == 0 {
		return redirectRules{private: privateRedirects}, nil
	}
	rules := redirectRules{narrowed: true}
	var wrong []error
	for _, text := range texts {
		if isPrivate(text) {
			if err := checkPrivate(text); err != nil {
				wrong = append(wrong, fmt.Errorf("auth.oauth.clients.redirect_uris: %q: %w", text, err))
			}
			rules.private = append(rules.private, text)
			continue
		}
		pattern, err := parsePattern(text)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("auth.oauth.clients.redirect_uris: %q: %w", text, err))
		}
		rules.patterns = append(rules.patterns, pattern)
	}
	return rules, errors.Join(wrong...)
}

// check says why a client that registered itself, or a document, may not have this redirect URI; nil if it may.
func (r redirectRules) check(text, applicationType string) error {
	if slices.Contains(r.private, text) {
		if applicationType == applicationWeb {
			return errRedirectWeb
		}
		return nil
	}
	u, err := parseWebURI(text)
	if err != nil {
		return err
	}
	switch {
	case u.scheme != "https" && u.scheme != "http":
		return errRedirectScheme
	case u.scheme == "http" && !u.isLoopback():
		return errRedirectHTTP
	case applicationType == applicationWeb && (u.scheme != "https" || u.isLoopback()):
		return errRedirectWeb
	}
	// application_type native may name https: such a URI may be claimed by an application (RFC 8252 section 7.2), and VS Code
	// registers https://vscode.dev/redirect so.
	if r.narrowed && !slices.ContainsFunc(r.patterns, func(p redirectPattern) bool { return p.matches(u) }) {
		return errRedirectNarrow
	}
	return nil
}

// checkKnown says why a client that gateway.yaml registers may not have this redirect URI. Whoever writes gateway.yaml may name
// any scheme of an application's own; what is dangerous for everybody stays refused.
func checkKnown(text string) error {
	if isPrivate(text) {
		return checkPrivate(text)
	}
	return redirectRules{}.check(text, "")
}

// checkPrivate takes scheme:path and scheme://host/path (RFC 8252 section 7.1).
func checkPrivate(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	if !strings.HasPrefix(rest, "//") {
		text = scheme + "://x/" + strings.TrimPrefix(rest, "/") // so that the same is refused in it
	}
	_, err := parseWebURI(text)
	return err
}

// allowsRedirect reports whether uri is one of the client's, exactly, or but for a loopback address's port (RFC 8252
// section 7.3), and gateway.yaml doesn't narrow it away. What was checked at registration is checked again, since
// gateway.yaml may have changed meanwhile.
func (s *Server) allowsRedirect(c *client, uri string) bool {
	if c.Kind == kindKnown {
		if checkKnown(uri) != nil {
			return false
		}
	} else if s.directory.redirects.check(uri, c.ApplicationType) != nil {
		return false
	}
	return isRegistered(c.RedirectURIs, uri)
}

// isRegistered is exact string comparison (RFC 9700 section 2.1) with its one exception.
func isRegistered(registered []string, uri string) bool {
	if slices.Contains(registered, uri) {
		return true
	}
	u, err := parseWebURI(uri)
	if err != nil || u.scheme != "http" || !u.isLoopback() {
		return false
	}
	return slices.ContainsFunc(registered, func(text string) bool {
		r, err := parseWebURI(text)
		return err == nil && r.sameButForPort(u)
	})
}

// redirectPattern is one entry of redirect_uris: what it leaves open never crosses from one component into another.
type redirectPattern struct {
	webURI
	subdomains bool // the host began with *. : at least one label before it
	anyPort    bool
	below      bool // the path ended with /* : something below it
}

// parsePattern reads an http or https pattern. One without a path means the path / only.
func parsePattern(text string) (redirectPattern, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || (scheme != "https" && scheme != "http") {
		return redirectPattern{}, errRedirectPattern
	}
	var p redirectPattern
	authority, path, _ := strings.Cut(rest, "/")
	authority, p.subdomains = strings.CutPrefix(authority, "*.")
	authority, p.anyPort = strings.CutSuffix(authority, ":*")
	path = "/" + path
	if p.below = strings.HasSuffix(path, "/*"); p.below {
		path = strings.TrimSuffix(path, "*")
	}
	u, err := parseWebURI(scheme + "://" + authority + path)
	switch {
	case strings.Contains(authority+path, "*"):
		return redirectPattern{}, errRedirectPattern
	case err != nil:
		return redirectPattern{}, err
	case u.query != "":
		return redirectPattern{}, errors.New("a pattern has no query")
	case p.subdomains && (u.isIP() || !strings.Contains(u.host, ".")):
		return redirectPattern{}, errors.New("*. goes before a domain, such as *.example.com")
	case p.anyPort && !u.isLoopback():
		return redirectPattern{}, errors.New("the port may be * on loopback only")
	case u.scheme == "http" && !u.isLoopback():
		return redirectPattern{}, errRedirectHTTP
	}
	p.webURI = u
	return p, nil
}

func (p redirectPattern) matches(u webURI) bool {
	host, want := strings.ToLower(u.host), strings.ToLower(p.host)
	if p.subdomains {
		if !strings.HasSuffix(host, "."+want) {
			return false
		}
	} else if host != want {
		return false
	}
	path := rooted(u.path)
	if p.below {
		if len(path) <= len(p.path) || !strings.HasPrefix(path, p.path) {
			return false
		}
	} else if path != p.path {
		return false
	}
	return u.scheme == p.scheme && (p.anyPort || u.port == p.port) && u.query == ""
}
