package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"mcpgate/config"
)

// newAPIKey returns the source for a key in a header, a query parameter or a cookie.
func newAPIKey(c config.Credential) (Source, error) {
	if c.Name == "" {
		return nil, errors.New("an api_key credential needs a name")
	}
	if c.Value.IsZero() {
		return nil, errors.New("an api_key credential needs a value")
	}
	switch c.In {
	case "", "header":
		if !httpguts.ValidHeaderFieldName(c.Name) {
			return nil, fmt.Errorf("%q can't be the name of a header", c.Name)
		}
		return headerKey{c.Name, c.Value}, checkHeaderValue("value", c.Value)
	case "query":
		return queryKey{c.Name, c.Value}, nil
	case "cookie":
		if !httpguts.ValidHeaderFieldName(c.Name) { // a cookie's name is a token too (RFC 6265 section 4.1.1)
			return nil, fmt.Errorf("%q can't be the name of a cookie", c.Name)
		}
		return cookieKey{c.Name, c.Value}, checkCookieValue(c.Value)
	}
	return nil, fmt.Errorf("an api_key goes in a header, the query or a cookie, not in %q", c.In)
}

// headerKey is a key in a header of its own.
type headerKey struct {
	name  string
	value config.Secret
}

// Authorize sets the header.
func (k headerKey) Authorize(_ context.Context, req *http.Request) error {
	req.Header.Set(k.name, k.value.Reveal())
	return nil
}

// queryKey is a key in the query.
type queryKey struct {
	name  string
	value config.Secret
}

// Authorize puts the parameter at the query's end, and takes out one that was there under the same name. The rest of
// the query stays as it was written: decoding and encoding it again could change its meaning.
func (k queryKey) Authorize(_ context.Context, req *http.Request) error {
	var kept []string
	for pair := range strings.SplitSeq(req.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); pair != "" && (err != nil || decoded != k.name) {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, url.QueryEscape(k.name)+"="+url.QueryEscape(k.value.Reveal()))
	req.URL.RawQuery = strings.Join(kept, "&")
	return nil
}

// cookieKey is a key in a cookie.
type cookieKey struct {
	name  string
	value config.Secret
}

// Authorize adds the cookie to those that are there, and takes out one of the same name: of two, servers take the first.
// The value goes as it is written: net/http would quote one with a comma, which few servers undo.
func (k cookieKey) Authorize(_ context.Context, req *http.Request) error {
	var kept []string
	for pair := range strings.SplitSeq(strings.Join(req.Header["Cookie"], ";"), ";") {
		pair = strings.TrimSpace(pair)
		if name, _, _ := strings.Cut(pair, "="); pair != "" && strings.TrimSpace(name) != k.name {
			kept = append(kept, pair)
		}
	}
	req.Header.Set("Cookie", strings.Join(append(kept, k.name+"="+k.value.Reveal()), "; "))
	return nil
}

// checkHeaderValue refuses what HTTP can't carry in a header (RFC 9110 section 5.5), most often a line break at the
// end of a file with a secret. It never shows the value.
func checkHeaderValue(what string, value config.Secret) error {
	if text := value.Reveal(); !httpguts.ValidHeaderFieldValue(text) || strings.TrimSpace(text) != text {
		return fmt.Errorf("the %s holds a line break, a control character, or a space at an end, which a header can't carry", what)
	}
	return nil
}

// checkCookieValue refuses what would end the cookie early or begin another one.
func checkCookieValue(value config.Secret) error {
	if strings.ContainsAny(value.Reveal(), ";\r\n\x00") {
		return errors.New("the value holds a semicolon or a line break, which a cookie can't carry")
	}
	return checkHeaderValue("value", value)
}
