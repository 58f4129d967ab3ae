package oauthproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"mcpgate/config"
)

const (
	maxDocument = 5 << 10  // bytes of a client metadata document
	maxKeySet   = 64 << 10 // bytes of a key set, which may hold certificates
	maxKeys     = 20
)

// documents are the clients whose id is the URL of a document that describes them (OAuth Client ID Metadata Document). It is safe
// for concurrent use.
type documents struct {
	pinned    map[string]*client // read from files: never fetched
	hosts     []hostPattern      // nil takes any
	redirects redirectRules
	fetched   *remote[*client] // nil where only pinned ones are taken
	keys      *remote[[]jose.JSONWebKey]
}

// newDocuments reads auth.oauth.clients.documents and hosts; nil where there is neither a way to fetch documents nor a pinned one.
func newDocuments(cfg config.OAuthClients, redirects redirectRules, parts Parts) (*documents, error) {
	if parts.Fetch == nil && len(cfg.Documents) == 0 {
		return nil, nil
	}
	d := &documents{pinned: map[string]*client{}, redirects: redirects}
	for _, text := range cfg.Hosts {
		pattern, err := parseHostPattern(text)
		if err != nil {
			return nil, fmt.Errorf("auth.oauth.clients.hosts: %q: %w", text, err)
		}
		d.hosts = append(d.hosts, pattern)
	}
	if parts.Fetch != nil {
		f := newFetcher(parts.Fetch)
		d.fetched = newRemote(f, maxDocument, parts.Now, d.read)
		d.keys = newRemote(f, maxKeySet, parts.Now, func(_ string, body []byte) ([]jose.JSONWebKey, error) { return parseKeys(body) })
	}
	for _, address := range slices.Sorted(maps.Keys(cfg.Documents)) {
		if err := d.pin(address, cfg.Documents[address]); err != nil {
			return nil, fmt.Errorf("auth.oauth.clients.documents: %s: %w", address, err)
		}
	}
	return d, nil
}

// pin reads a document from a file.
func (d *documents) pin(address, file string) error {
	if _, err := parseDocumentURL(address, nil); err != nil {
		return err
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	c, err := d.read(address, body)
	if err != nil {
		return err
	}
	d.pinned[address] = c
	return nil
}

// client returns the client that the document at a URL describes. The error is an *Error.
func (d *documents) client(ctx context.Context, id string) (*client, error) {
	if c, ok := d.pinned[id]; ok {
		return c, nil
	}
	u, err := parseDocumentURL(id, d.hosts)
	switch {
	case err != nil:
		return nil, unknownClient("this client_id is not the URL of a metadata document: " + err.Error())
	case d.fetched == nil:
		return nil, unknownClient("this gateway fetches no client metadata documents")
	case d.hosts != nil && !slices.ContainsFunc(d.hosts, func(p hostPattern) bool { return p.matches(u) }):
		return nil, unknownClient("this gateway takes no client metadata documents of that host (auth.oauth.clients.hosts)")
	}
	c, err := d.fetched.get(ctx, id, strings.ToLower(u.host), maxFresh)
	if err != nil {
		return nil, asClientError(err, "the client metadata document")
	}
	return c, nil
}

// wouldFetch reports whether finding the client of an id asks another server.
func (d *documents) wouldFetch(id string) bool {
	if d == nil || d.fetched == nil || d.pinned[id] != nil || !strings.HasPrefix(id, "https://") {
		return false
	}
	_, _, known := d.fetched.kept(id, maxFresh)
	return !known
}

// parseDocumentURL is the draft's section 3: https, a path, no fragment, no userinfo, no dot segments. Addresses instead of names, and other ports than
// 443, are not taken, except where hosts name the port: a client of the Internet has neither.
func parseDocumentURL(text string, hosts []hostPattern) (webURI, error) {
	u, err := parseWebURI(text)
	switch {
	case err != nil:
		return webURI{}, err
	case u.scheme != "https":
		return webURI{}, &refusedError{"its scheme is not https"}
	case u.path == "" || u.path == "/":
		return webURI{}, &refusedError{"it has no path"}
	case u.isIP() || u.isLoopback() || !strings.Contains(u.host, "."):
		return webURI{}, &refusedError{"its host is not a public name"}
	case u.port != "" && u.port != "443" && !slices.ContainsFunc(hosts, func(p hostPattern) bool { return p.matches(u) }):
		return webURI{}, &refusedError{"its port is not 443"}
	}
	return u, nil
}

// clientDocument is what is read of a document. Whatever else it says is ignored.
type clientDocument struct {
	ClientID        string          `json:"client_id"`
	Name            string          `json:"client_name"`
	RedirectURIs    []string        `json:"redirect_uris"`
	GrantTypes      []string        `json:"grant_types"`
	AuthMethod      string          `json:"token_endpoint_auth_method"`
	AuthMethods     []string        `json:"token_endpoint_auth_methods_supported"`
	ApplicationType string          `json:"application_type"`
	Keys            json.RawMessage `json:"jwks"`
	KeysURI         string          `json:"jwks_uri"`
	Secret          json.RawMessage `json:"client_secret"`
	SecretExpires   json.RawMessage `json:"client_secret_expires_at"`
}

// read makes a client of a document. The error is a *refusedError: fixed text, since it is shown to people.
func (d *documents) read(address string, body []byte) (*client, error) {
	var doc clientDocument
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, &refusedError{"it is not a JSON object with the types of RFC 7591"}
	}
	u, err := parseWebURI(address)
	switch {
	case err != nil:
		return nil, &refusedError{"its URL can't be read"}
	case doc.ClientID != address:
		return nil, &refusedError{"its client_id is not its own URL"}
	case isThere(doc.Secret) || isThere(doc.SecretExpires):
		return nil, &refusedError{"it holds a client_secret, which everybody can read"}
	case len(doc.RedirectURIs) == 0:
		return nil, &refusedError{"it has no redirect_uris"}
	case len(doc.GrantTypes) > 0 && !slices.Contains(doc.GrantTypes, grantCode):
		return nil, &refusedError{"its grant_types do not hold authorization_code"}
	case doc.ApplicationType != "" && doc.ApplicationType != applicationWeb && doc.ApplicationType != applicationNative:
		return nil, &refusedError{"its application_type is neither web nor native"}
	}
	c := &client{
		ID: address, Kind: kindDocument, Name: cleanName(doc.Name), Host: strings.ToLower(u.host), GrantTypes: grants, ApplicationType: doc.ApplicationType,
	}
	if c.Name == "" {
		return nil, &refusedError{"it has no client_name"}
	}
	if len(doc.GrantTypes) > 0 {
		c.GrantTypes = supported(doc.GrantTypes)
	}
	// One that is refused here does not cost the client its others: the document is the same for all gateways.
	for _, uri := range doc.RedirectURIs {
		if d.redirects.check(uri, doc.ApplicationType) == nil {
			c.RedirectURIs = append(c.RedirectURIs, uri)
		}
	}
	if len(c.RedirectURIs) == 0 {
		return nil, &refusedError{"none of its redirect_uris is allowed here"}
	}
	if c.keys, err = doc.clientKeys(); err != nil {
		return nil, err
	}
	if c.methods = doc.methods(!c.keys.none()); len(c.methods) == 0 {
		return nil, &refusedError{"it names no way to prove itself that is taken here: none, or private_key_jwt with jwks or jwks_uri"}
	}
	c.AuthMethod = c.methods[0]
	return c, nil
}

// methods are those of ours that the document lists, ours first: ChatGPT's names private_key_jwt alone in token_endpoint_auth_method and lists none
// beside it. There is no secret that both sides could know, so a document that says nothing means none.
func (doc *clientDocument) methods(keys bool) []string {
	listed := doc.AuthMethods
	if len(listed) == 0 {
		listed = []string{doc.AuthMethod}
	}
	var taken []string
	if slices.Contains(listed, methodNone) || slices.Contains(listed, "") {
		taken = append(taken, methodNone)
	}
	if keys && slices.Contains(listed, methodJWT) {
		taken = append(taken, methodJWT)
	}
	return taken
}

// clientKeys reads jwks and jwks_uri, of which there may be one (RFC 7591 section 2).
func (doc *clientDocument) clientKeys() (clientKeys, error) {
	switch {
	case isThere(doc.Keys) && doc.KeysURI != "":
		return clientKeys{}, &refusedError{"it has both jwks and jwks_uri"}
	case isThere(doc.Keys):
		keys, err := parseKeys(doc.Keys)
		return clientKeys{inline: keys}, err
	case doc.KeysURI != "":
		if _, err := parseDocumentURL(doc.KeysURI, nil); err != nil {
			return clientKeys{}, &refusedError{"its jwks_uri: " + err.Error()}
		}
	}
	return clientKeys{uri: doc.KeysURI}, nil
}

// isThere reports whether a field has a value: null is none.
func isThere(value json.RawMessage) bool { return len(value) > 0 && string(value) != "null" }

// hostPattern is one entry of hosts: a name, *. before a domain, and a port where it is another than 443.
type hostPattern struct {
	name       string
	port       string
	subdomains bool
}

func parseHostPattern(text string) (hostPattern, error) {
	var p hostPattern
	name, subdomains := strings.CutPrefix(strings.ToLower(text), "*.")
	host, port, err := parseAuthority(name)
	if err != nil {
		return p, err
	}
	return hostPattern{host, port, subdomains}, nil
}

func (p hostPattern) matches(u webURI) bool {
	host, port := strings.ToLower(u.host), u.port
	if port == "443" {
		port = ""
	}
	if p.port != port && !(p.port == "443" && port == "") {
		return false
	}
	if p.subdomains {
		return strings.HasSuffix(host, "."+p.name)
	}
	return host == p.name
}
